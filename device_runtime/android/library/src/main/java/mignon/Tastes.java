package mignon;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Several tastes in one question: favorites that lie near one another are one taste, each answered in its share. */
final class Tastes {
    private static final double NO_MORE = Double.NEGATIVE_INFINITY;

    private final double[][] sums;
    private final double[][] cosines; // of two groups, by the places of their first members, the lower one first

    private Tastes(List<double[]> vectors) {
        sums = vectors.toArray(new double[0][]);
        cosines = new double[sums.length][sums.length];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = sums[i].clone();
            for (int j = 0; j < i; j++) {
                cosines[j][i] = Objective.cosine(sums[j], sums[i]);
            }
        }
    }

    /**
     * The places of the vectors, grouped: while two groups have sums with a cosine of {@code alikeFrom} or more, those
     * with the greatest become one, of equal ones those with the lowest first members.
     */
    static List<List<Integer>> group(List<double[]> vectors, double alikeFrom) {
        List<List<Integer>> groups = new ArrayList<>();
        for (int i = 0; i < vectors.size(); i++) {
            groups.add(new ArrayList<>(Collections.singletonList(i)));
        }
        Tastes tastes = new Tastes(vectors);
        while (tastes.mergeNearest(groups, alikeFrom)) {
            continue;
        }
        groups.removeIf(List::isEmpty);
        for (List<Integer> group : groups) {
            Collections.sort(group);
        }
        return groups;
    }

    private boolean mergeNearest(List<List<Integer>> groups, double alikeFrom) {
        int kept = -1;
        int merged = -1;
        double greatest = NO_MORE;
        for (int i = 0; i < sums.length; i++) {
            for (int j = i + 1; j < sums.length; j++) {
                if (cosines[i][j] > greatest) {
                    greatest = cosines[i][j];
                    kept = i;
                    merged = j;
                }
            }
        }
        if (!(greatest >= alikeFrom)) {
            return false;
        }
        groups.get(kept).addAll(groups.get(merged));
        groups.get(merged).clear();
        for (int column = 0; column < sums[kept].length; column++) {
            sums[kept][column] += sums[merged][column];
        }
        for (int other = 0; other < sums.length; other++) {
            cosines[Math.min(other, merged)][Math.max(other, merged)] = NO_MORE;
            if (other != kept && !groups.get(other).isEmpty()) {
                double cosine = Objective.cosine(sums[other], sums[kept]);
                cosines[Math.min(other, kept)][Math.max(other, kept)] = cosine;
            }
        }
        return true;
    }

    /**
     * Up to k rows of some lists, each best first, in turns: the next turn is that of the list with the greatest
     * weight / (2 turns + 1) (Webster's method of allotment, also named after Sainte-Lague), of equal ones that of the
     * fewest turns, then the first; it gives its best row that is not there yet.
     */
    static int[] interleave(List<int[]> lists, double[] weights, int k) {
        int[] turns = new int[lists.size()];
        int[] next = new int[lists.size()];
        Set<Integer> taken = new LinkedHashSet<>();
        while (taken.size() < k) {
            int turn = -1;
            for (int i = 0; i < turns.length; i++) {
                if (next[i] < lists.get(i).length && (turn < 0 || isSooner(i, turn, turns, weights))) {
                    turn = i;
                }
            }
            if (turn < 0) {
                break; // no list has more
            }
            turns[turn]++;
            int[] rows = lists.get(turn);
            while (next[turn] < rows.length && !taken.add(rows[next[turn]++])) {
                continue;
            }
        }
        int[] rows = new int[taken.size()];
        int size = 0;
        for (int row : taken) {
            rows[size++] = row;
        }
        return rows;
    }

    private static boolean isSooner(int list, int other, int[] turns, double[] weights) {
        double share = weights[list] / (2 * turns[list] + 1.0);
        double otherShare = weights[other] / (2 * turns[other] + 1.0);
        return share != otherShare ? share > otherShare : turns[list] < turns[other];
    }
}
