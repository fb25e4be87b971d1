package mignon;

import java.util.ArrayList;
import java.util.List;

/**
 * What rows lose by dislikes: what is like a disliked item steps back, and all else stays where it was.
 *
 * <p>A row loses twice what its likeness to a disliked item exceeds a bound by: halfway from where two rows are alike
 * to where they are the same.
 */
final class Losses {
    private static final double LOSS = 2.0;

    private final Items items;
    private final List<long[]> queries = new ArrayList<>();
    private final List<Double> weights = new ArrayList<>();
    private final double bound;
    private final double[] lengths = new double[Table.ROWS_AT_ONCE];
    private final double[] losses = new double[Table.ROWS_AT_ONCE];
    private final Table.Scratch scratch = new Table.Scratch();

    Losses(Items items) {
        this.items = items;
        bound = (1 + items.objective.alikeFrom()) / 2;
    }

    /** Adds what has the row {@code vector}; the weight is its size beside the greatest weight of a favorite. */
    void add(long[] vector, double weight) {
        long[] towards = items.objective.queryTowards(vector);
        queries.add(Numbers.lengthened(Numbers.wide(towards, towards.length)));
        weights.add(weight);
    }

    /**
     * What up to ROWS_AT_ONCE rows lose, in the unit of the scores of a query that is as long; valid until the next
     * call.
     */
    double[] of(int first, int count) {
        for (int i = 0; i < count; i++) {
            lengths[i] = bound * items.objective.length(first + i);
            losses[i] = 0;
        }
        for (int dislike = 0; dislike < queries.size(); dislike++) {
            long[] query = queries.get(dislike);
            double norm = Math.sqrt(Numbers.squareOf(query, query.length));
            double factor = LOSS * weights.get(dislike);
            items.model.table.score(query, first, count, scratch);
            for (int i = 0; i < count; i++) {
                double beyond = scratch.scores[i] - Math.rint(norm * lengths[i]);
                losses[i] += beyond > 0 ? Math.rint(factor * beyond) : 0.0;
            }
        }
        return losses;
    }
}
