package mignon;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What favorites and dislikes ask for: a query for each taste, and what is to step back. */
final class Question {
    /** Favorites that are asked for together. */
    static final class Taste {
        final long[] query;
        final double weight;

        Taste(long[] query, double weight) {
            this.query = query;
            this.weight = weight;
        }
    }

    /** None where nothing is liked. */
    final List<Taste> tastes = new ArrayList<>();
    /** Null where nothing is disliked, or nothing liked. */
    final Losses losses;
    /** Rows that must not come back: those named, and all of a disliked family. */
    final Set<Integer> banned = new LinkedHashSet<>();
    /** The vectors of what is disliked. */
    final List<long[]> disliked = new ArrayList<>();

    /** {@code vectors} are those of the likes. */
    Question(Items items, Likes likes, List<long[]> vectors, Blend blend) {
        List<Integer> liked = new ArrayList<>();
        Losses found = null;
        double greatest = 0;
        for (int i = 0; i < vectors.size(); i++) {
            if (likes.weight(i) > 0) {
                liked.add(i);
                greatest = Math.max(greatest, likes.weight(i));
            }
        }
        for (int i = 0; i < vectors.size(); i++) {
            Items.Meant meant = likes.meant.get(i);
            if (meant.family == null || likes.weight(i) < 0) {
                items.addRows(meant, banned);
            }
            if (likes.weight(i) < 0) {
                disliked.add(vectors.get(i));
                if (!liked.isEmpty()) {
                    found = found == null ? new Losses(items) : found;
                    found.add(vectors.get(i), -likes.weight(i) / greatest);
                }
            }
        }
        losses = found;
        if (!liked.isEmpty()) {
            for (List<Integer> group : groups(items, liked, vectors, blend)) {
                tastes.add(taste(items, likes, vectors, group));
            }
        }
    }

    /** What one query asks for. */
    Question(long[] query) {
        losses = null;
        tastes.add(new Taste(query, 1.0));
    }

    private static List<List<Integer>> groups(Items items, List<Integer> liked, List<long[]> vectors, Blend blend) {
        boolean each = blend == null ? items.objective.bestIsAlike : blend == Blend.EACH;
        if (!each || liked.size() == 1) {
            return Collections.singletonList(liked);
        }
        List<double[]> directions = new ArrayList<>();
        for (int place : liked) {
            directions.add(Numbers.wide(vectors.get(place), items.objective.dims));
        }
        List<List<Integer>> groups = Tastes.group(directions, items.objective.alikeFrom());
        for (List<Integer> group : groups) {
            for (int i = 0; i < group.size(); i++) {
                group.set(i, liked.get(group.get(i)));
            }
        }
        return groups;
    }

    private Taste taste(Items items, Likes likes, List<long[]> vectors, List<Integer> group) {
        long[][] members = new long[group.size()][];
        double[] weights = new double[group.size()];
        for (int i = 0; i < members.length; i++) {
            members[i] = vectors.get(group.get(i));
            weights[i] = likes.weight(group.get(i));
        }
        long[] query = items.objective.query(members, likes.weights == null ? null : weights);
        if (Numbers.isZero(query)) {
            List<String> names = likes.labels(items, group);
            throw new ContradictoryLikesException(
                    Immutable.joined(names) + " cancel one another out; change a weight", names);
        }
        if (losses != null) { // as long as every dislike, so that what it takes away means the same in each question
            query = Numbers.lengthened(Numbers.wide(query, query.length));
        }
        return new Taste(query, Numbers.sum(weights, 0, weights.length));
    }
}
