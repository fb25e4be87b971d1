package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** From favorites and conditions to the best items. All ranking is by whole numbers; ties go to the lower row. */
final class Ranker {
    private final Items items;
    private final Table table;
    private final Objective objective;
    private final Lazy<Vocabulary> vocabulary;

    Ranker(Items items) {
        this.items = items;
        table = items.model.table;
        objective = items.objective;
        vocabulary = new Lazy<>(() -> new Vocabulary(items.model));
    }

    List<Neighbor> recommend(Collection<String> favorites, Options options) {
        if (options.dislikes.isEmpty()) {
            return rank(Likes.of(items, favorites), options);
        }
        Map<String, Double> weights = new LinkedHashMap<>();
        for (String favorite : favorites) {
            weights.put(favorite, 1.0);
        }
        return recommend(weights, options);
    }

    List<Neighbor> recommend(Map<String, ? extends Number> favorites, Options options) {
        return rank(Likes.of(items, favorites, options.dislikes), options);
    }

    private List<Neighbor> rank(Likes likes, Options options) {
        checkCount("k", options.k);
        List<long[]> vectors = new ArrayList<>();
        for (Items.Meant meant : likes.meant) {
            vectors.add(meant.family == null ? table.row(meant.row) : rowOf(meant.family));
        }
        Question question = new Question(items, likes, vectors, options.blend);
        Set<Integer> banned = question.banned;
        banned.addAll(items.expand(options.exclude));
        Allowed allowed = new Allowed(meeting(options), banned);
        int k = Math.min(options.k, table.rows);
        if (question.tastes.isEmpty()) {
            return neighbors(BestKnown.rank(items, question.disliked, allowed, k));
        }
        List<TopK.Best> best = scan(question, null, allowed, k);
        if (question.tastes.size() == 1) {
            return neighbors(asCosines(best.get(0), question.tastes.get(0).query));
        }
        return neighbors(interleaved(question, best, k));
    }

    /** The items most like one item, without it; or of a family those of its items that are nearest to its middle. */
    List<Neighbor> similar(String item, Options options) {
        Items.Meant meant = items.resolve(item);
        checkCount("k", options.k);
        Set<Integer> banned = items.expand(options.exclude);
        boolean[] met = meeting(options);
        long[] vector;
        if (meant.family == null) {
            vector = table.row(meant.row);
            banned.add(meant.row);
        } else {
            vector = rowOf(meant.family);
            met = within(meant.family, met);
        }
        return alike(vector, new Allowed(met, banned), options);
    }

    /** The items that point most nearly where a vector does. */
    List<Neighbor> search(float[] vector, Options options) {
        double[] wide = new double[table.columns];
        boolean nowhere = true;
        for (int i = 0; vector != null && vector.length == objective.dims && i < vector.length; i++) {
            if (Float.isNaN(vector[i]) || Float.isInfinite(vector[i])) {
                throw new InvalidArgumentException("the vector holds NaN or infinity; give finite numbers");
            }
            wide[i] = vector[i];
            nowhere &= vector[i] == 0;
        }
        if (nowhere) {
            throw new InvalidArgumentException(
                    "the vector is zero, or has not " + objective.dims + " numbers as those here");
        }
        checkCount("k", options.k);
        long[] query = Numbers.lengthened(objective.bestIsAlike ? wide : Arrays.copyOf(wide, objective.dims));
        Allowed allowed = new Allowed(meeting(options), items.expand(options.exclude));
        return alike(Arrays.copyOf(query, table.columns), allowed, options);
    }

    /** Where a row points: of length about 1. */
    float[] direction(int row) {
        float[] direction = new float[objective.dims];
        double[] inverse = objective.inverseLengths();
        float factor = (float) (inverse == null ? items.model.manifest.scale : inverse[row]);
        for (int i = 0; i < direction.length; i++) {
            direction[i] = table.entry(row, i) * factor;
        }
        return direction;
    }

    private List<Neighbor> alike(long[] vector, Allowed allowed, Options options) {
        long[] query = objective.queryTowards(vector);
        Question question = new Question(query);
        TopK.Best best = scan(question, objective.inverseLengths(), allowed, Math.min(options.k, table.rows)).get(0);
        if (objective.bestIsAlike) {
            return neighbors(asCosines(best, query));
        }
        double norm = objective.alikeNorm(query);
        for (int i = 0; i < best.scores.length; i++) {
            best.scores[i] = (float) (best.scores[i] / norm);
        }
        return neighbors(best);
    }

    /** For each taste the best rows, by scores less what dislikes take away, or times what is given for each row. */
    private List<TopK.Best> scan(Question question, double[] factors, Allowed allowed, int k) {
        List<TopK> tops = new ArrayList<>();
        for (int i = 0; i < question.tastes.size(); i++) {
            tops.add(new TopK(k));
        }
        Table.Scratch scratch = new Table.Scratch();
        for (int first = 0; first < table.rows; first += Table.ROWS_AT_ONCE) {
            int count = Math.min(Table.ROWS_AT_ONCE, table.rows - first);
            double[] losses = question.losses == null ? null : question.losses.of(first, count);
            for (int i = 0; i < tops.size(); i++) {
                table.score(question.tastes.get(i).query, first, count, scratch);
                change(scratch.scores, count, losses, factors, first);
                offer(scratch.scores, count, first, allowed, tops.get(i));
            }
        }
        List<TopK.Best> best = new ArrayList<>();
        for (TopK top : tops) {
            best.add(top.take());
        }
        return best;
    }

    private static void change(double[] scores, int count, double[] losses, double[] factors, int first) {
        for (int row = 0; losses != null && row < count; row++) {
            scores[row] -= losses[row];
        }
        for (int row = 0; factors != null && row < count; row++) {
            scores[row] *= factors[first + row];
        }
    }

    private static void offer(double[] scores, int count, int first, Allowed allowed, TopK top) {
        double bound = top.bound();
        for (int row = 0; row < count; row++) {
            if (scores[row] > bound && allowed.has(first + row)) {
                top.offer(scores[row], first + row);
                bound = top.bound();
            }
        }
    }

    /** The best of each taste in turns; a score is that by the taste that an item answers best. */
    private TopK.Best interleaved(Question question, List<TopK.Best> best, int k) {
        List<int[]> lists = new ArrayList<>();
        double[] weights = new double[best.size()];
        for (int i = 0; i < weights.length; i++) {
            lists.add(best.get(i).rows);
            weights[i] = question.tastes.get(i).weight;
        }
        int[] rows = Tastes.interleave(lists, weights, k);
        TopK.Best ranked = new TopK.Best(rows.length);
        Table.Scratch scratch = new Table.Scratch();
        for (int i = 0; i < rows.length; i++) {
            ranked.rows[i] = rows[i];
            ranked.scores[i] = Double.NEGATIVE_INFINITY;
            double loss = question.losses == null ? 0 : question.losses.of(rows[i], 1)[0];
            for (Question.Taste taste : question.tastes) {
                table.score(taste.query, rows[i], 1, scratch);
                float cosine = (float) (scratch.scores[0] - loss) * objective.cosineFactor(taste.query);
                ranked.scores[i] = Math.max(ranked.scores[i], cosine);
            }
        }
        return ranked;
    }

    private TopK.Best asCosines(TopK.Best best, long[] query) {
        float factor = objective.cosineFactor(query);
        for (int i = 0; i < best.scores.length; i++) {
            best.scores[i] = (float) best.scores[i] * factor;
        }
        return best;
    }

    /** Where a family stands: where its value does, or, for one that the model was not trained with, its items. */
    private long[] rowOf(Family family) {
        long[] vector = objective.bestIsAlike ? vocabulary.get().find(family) : null;
        if (vector != null) {
            return objective.rowTowards(vector);
        }
        int[] rows = items.attributes().rows(family);
        if (rows.length == 0) {
            throw new InvalidArgumentException("no item is left with " + family.id() + "; name another favorite");
        }
        return objective.middle(rows);
    }

    private boolean[] meeting(Options options) {
        return options.where.isEmpty() ? null : items.attributes().allowed(options.where);
    }

    private boolean[] within(Family family, boolean[] met) {
        boolean[] within = new boolean[table.rows];
        for (int row : items.attributes().rows(family)) {
            within[row] = met == null || met[row];
        }
        return within;
    }

    private List<Neighbor> neighbors(TopK.Best best) {
        List<Neighbor> neighbors = new ArrayList<>(best.rows.length);
        for (int i = 0; i < best.rows.length; i++) {
            neighbors.add(new Neighbor(items.id(best.rows[i]), items.name(best.rows[i]), (float) best.scores[i]));
        }
        return Collections.unmodifiableList(neighbors);
    }

    static void checkCount(String name, int count) {
        if (count < 1) {
            throw new InvalidArgumentException(name + " is " + count + "; give a whole number from 1");
        }
    }
}
