package mignon;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/** The lines of a text, each of which ends with a line break: its bytes, and where in them each line ends. */
final class Lines extends AbstractList<String> implements RandomAccess {
    final byte[] data;
    private final int[] ends;

    Lines(byte[] data) {
        this.data = data;
        int count = 0;
        for (byte each : data) {
            count += each == '\n' ? 1 : 0;
        }
        ends = new int[count];
        int line = 0;
        for (int i = 0; i < data.length; i++) {
            if (data[i] == '\n') {
                ends[line++] = i;
            }
        }
    }

    /** Of texts, in which a line break becomes a space. */
    static Lines of(List<String> texts) {
        StringBuilder all = new StringBuilder();
        for (String text : texts) {
            all.append(text.replace('\n', ' ')).append('\n');
        }
        return new Lines(Utf8.encode(all.toString()));
    }

    @Override
    public String get(int line) {
        return Utf8.text(data, from(line), to(line));
    }

    @Override
    public int size() {
        return ends.length;
    }

    int from(int line) {
        return line == 0 ? 0 : ends[line - 1] + 1;
    }

    int to(int line) {
        return ends[line];
    }

    boolean isEqual(int line, byte[] text) {
        int from = from(line);
        if (to(line) - from != text.length) {
            return false;
        }
        for (int i = 0; i < text.length; i++) {
            if (data[from + i] != text[i]) {
                return false;
            }
        }
        return true;
    }

    /** Finds lines by their text: a hash table with linear probing, a number and nothing else in each slot. */
    static final class Index {
        private static final int EMPTY = -1;
        private final Lines lines;
        private final int[] slots;

        Index(Lines lines) {
            this.lines = lines;
            slots = new int[Math.max(2, Integer.highestOneBit(Math.max(1, lines.size())) << 2)];
            Arrays.fill(slots, EMPTY);
            for (int line = 0; line < lines.size(); line++) {
                int slot = slotOf(lines.data, lines.from(line), lines.to(line));
                while (slots[slot] != EMPTY) {
                    slot = slot + 1 & slots.length - 1;
                }
                slots[slot] = line;
            }
        }

        /** The line with just this text, or -1. */
        int find(String text) {
            byte[] wanted = Utf8.encode(text);
            int slot = slotOf(wanted, 0, wanted.length);
            while (slots[slot] != EMPTY && !lines.isEqual(slots[slot], wanted)) {
                slot = slot + 1 & slots.length - 1;
            }
            return slots[slot];
        }

        private int slotOf(byte[] data, int from, int to) {
            return hash(data, from, to) & slots.length - 1;
        }

        static int hash(byte[] data, int from, int to) {
            int hash = 0;
            for (int i = from; i < to; i++) {
                hash = 31 * hash + data[i];
            }
            hash *= 0x9E3779B1;
            return hash ^ hash >>> 15;
        }
    }
}
