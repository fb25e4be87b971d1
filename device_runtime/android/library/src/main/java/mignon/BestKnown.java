package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What to answer somebody who has named nothing yet: the best known items, no two of them much alike. */
final class BestKnown {
    private static final int MOST_AS_WELL_KNOWN = 1 << 12; // are looked through
    private static final int LEVELS = 256;

    private final Items items;
    private final int dims;
    private final List<double[]> chosen = new ArrayList<>();

    private BestKnown(Items items) {
        this.items = items;
        dims = items.objective.dims;
    }

    /**
     * The best known of the allowed rows, spread: of those as well known the next is the one least like all before, and
     * the disliked; one that is alike to any of these comes after all others. Scores are shares of the greatest
     * popularity.
     */
    static TopK.Best rank(Items items, List<long[]> disliked, Allowed allowed, int k) {
        int rowCount = items.model.table.rows;
        int[] known = items.popularity().length == 0 ? new int[rowCount] : items.popularity();
        BestKnown spread = new BestKnown(items);
        for (long[] vector : disliked) {
            spread.chosen.add(Numbers.wide(vector, spread.dims));
        }
        Ints[] levels = new Ints[LEVELS];
        int greatest = 1;
        for (int row = 0; row < rowCount; row++) {
            greatest = Math.max(greatest, known[row]);
            if (allowed.has(row)) {
                levels[known[row]] = levels[known[row]] == null ? new Ints(4) : levels[known[row]];
                levels[known[row]].add(row);
            }
        }
        Set<Integer> best = new LinkedHashSet<>();
        int places = 0;
        for (int level = LEVELS - 1; level >= 0 && places < k; level--) {
            if (levels[level] != null) {
                places += spread.choose(levels[level], k - places, best);
            }
        }
        for (int level = LEVELS - 1; level >= 0 && best.size() < k; level--) {
            for (int i = 0; levels[level] != null && i < levels[level].size && best.size() < k; i++) {
                best.add(levels[level].values[i]);
            }
        }
        TopK.Best ranked = new TopK.Best(best.size());
        int size = 0;
        for (int row : best) {
            ranked.rows[size] = row;
            ranked.scores[size++] = (float) known[row] / (float) greatest;
        }
        return ranked;
    }

    /** Adds up to {@code most} of the rows, one by one, none that is alike to one before; gives how many. */
    private int choose(Ints rows, int most, Set<Integer> best) {
        int count = Math.min(rows.size, MOST_AS_WELL_KNOWN);
        double[][] vectors = new double[count][];
        double[] nearest = new double[count];
        Arrays.fill(nearest, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < count; i++) {
            vectors[i] = Numbers.wide(items.model.table.row(rows.values[i]), dims);
            for (double[] one : chosen) {
                nearest[i] = Math.max(nearest[i], Objective.cosine(vectors[i], one));
            }
        }
        int places = 0;
        for (; places < most; places++) {
            int next = 0;
            for (int i = 1; i < count; i++) {
                next = nearest[i] < nearest[next] ? i : next;
            }
            if (nearest[next] >= items.objective.alikeFrom()) {
                break;
            }
            best.add(rows.values[next]);
            chosen.add(vectors[next]);
            for (int i = 0; i < count; i++) {
                nearest[i] = Math.max(nearest[i], Objective.cosine(vectors[i], vectors[next]));
            }
        }
        return places;
    }
}
