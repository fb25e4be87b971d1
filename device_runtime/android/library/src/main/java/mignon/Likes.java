package mignon;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/** The rows and families of favorites and dislikes, each once: first all rows, then all families. */
final class Likes {
    final List<Items.Meant> meant = new ArrayList<>();
    /** Of each, dislikes negative; null stands for 1 each. */
    final double[] weights;

    private Likes(Collection<Items.Meant> found, Map<Items.Meant, Double> weightOf) {
        for (Items.Meant each : found) {
            if (each.family == null) {
                meant.add(each);
            }
        }
        for (Items.Meant each : found) {
            if (each.family != null) {
                meant.add(each);
            }
        }
        double[] of = new double[meant.size()];
        boolean plain = true;
        for (int i = 0; i < of.length; i++) {
            of[i] = weightOf == null ? 1.0 : weightOf.get(meant.get(i));
            plain &= of[i] == 1.0;
        }
        weights = plain ? null : of;
    }

    static Likes of(Items items, Collection<String> favorites) {
        LinkedHashSet<Items.Meant> found = new LinkedHashSet<>();
        for (String favorite : favorites) {
            found.add(items.resolve(favorite));
        }
        return new Likes(found, null);
    }

    /** {@code dislikes} have the weight -1. */
    static Likes of(Items items, Map<String, ? extends Number> favorites, List<String> dislikes) {
        Map<Items.Meant, Double> weightOf = new LinkedHashMap<>();
        for (Map.Entry<String, ? extends Number> each : favorites.entrySet()) {
            double weight = each.getValue() == null ? Double.NaN : each.getValue().doubleValue();
            if (Double.isNaN(weight) || Double.isInfinite(weight)) {
                throw new InvalidArgumentException("the weight is " + each.getValue() + "; give a finite number");
            }
            add(items, weightOf, each.getKey(), weight);
        }
        for (String dislike : dislikes) {
            add(items, weightOf, dislike, -1.0);
        }
        return new Likes(weightOf.keySet(), weightOf);
    }

    private static void add(Items items, Map<Items.Meant, Double> weightOf, String item, double weight) {
        Items.Meant found = weight >= 0 ? items.resolve(item) : items.resolveUnwanted(item);
        Double before = weightOf.get(found);
        if (before != null && before != weight) {
            String name = items.label(found);
            List<String> names = new ArrayList<>();
            names.add(name);
            throw new ContradictoryLikesException(name + " is given the weights " + before + " and " + weight
                    + ", where a dislike is negative; give one", names);
        }
        weightOf.put(found, weight);
    }

    double weight(int place) {
        return weights == null ? 1.0 : weights[place];
    }

    /** The names of those at some places, for a message. */
    List<String> labels(Items items, List<Integer> places) {
        List<String> labels = new ArrayList<>();
        for (int place : places) {
            labels.add(items.label(meant.get(place)));
        }
        return labels;
    }
}
