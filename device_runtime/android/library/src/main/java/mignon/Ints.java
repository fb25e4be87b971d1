package mignon;

import java.util.Arrays;

/** A list of ints that grows, without an object for each. */
final class Ints {
    int[] values;
    int size;

    Ints(int room) {
        values = new int[Math.max(4, room)];
    }

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    int[] toArray() {
        return Arrays.copyOf(values, size);
    }
}
