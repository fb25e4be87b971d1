package mignon;

import java.util.Arrays;
import java.util.Collection;

/** Which rows may come back. */
final class Allowed {
    private final boolean[] met; // null for all
    private final int[] banned; // ascending

    Allowed(boolean[] met, Collection<Integer> banned) {
        this.met = met;
        this.banned = new int[banned.size()];
        int size = 0;
        for (int row : banned) {
            this.banned[size++] = row;
        }
        Arrays.sort(this.banned);
    }

    boolean has(int row) {
        return (met == null || met[row]) && (banned.length == 0 || Arrays.binarySearch(banned, row) < 0);
    }
}
