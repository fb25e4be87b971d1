package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All names and aliases, folded, in a few arrays: a text in the bytes of its letters and two bytes for each gram (four
 * of 65,536 entries or more).
 *
 * <p>Folded names come first, then folded aliases; what folds to nothing is left out. A gram is a pair of neighboring
 * letters, whatever their order, or three of them; it falls into one of 32,768 buckets.
 */
final class NameTable {
    private static final int BUCKETS = 1 << 15; // half of them for pairs, half for triples
    private static final int MOST_BEGUN = 10_000;
    private static final int EMPTY = -1;

    /** The number of entries that are names. */
    final int firstAlias;
    private final int[] rows; // of each entry
    private final byte[] texts; // each with a line break
    private final int[] offsets; // of each entry, and the end
    private final int[] starts = new int[BUCKETS + 1]; // of the entries of each bucket in grams
    private final Numbered grams; // the entries of each bucket, ascending
    private final Numbered sizes; // how many buckets each entry has
    private final int[] slots; // by a hash, the last of the entries with one text
    private final int[] sameBefore; // of each entry, the one before with the same text

    /** {@code aliases} has the fields row and alias; null stands for none. */
    NameTable(Lines names, Records aliases, Folding folding) {
        Writer writer = new Writer(names.data.length);
        for (int row = 0; row < names.size(); row++) {
            writer.add(row, folding.fold(Utf8.codePoints(names.data, names.from(row), names.to(row))));
        }
        firstAlias = writer.rows.size;
        while (aliases != null && aliases.next()) {
            writer.add(aliases.row(), folding.fold(Utf8.codePoints(aliases.data, aliases.from(1), aliases.to(1))));
        }
        rows = writer.rows.toArray();
        texts = Arrays.copyOf(writer.texts, writer.size);
        writer.offsets.add(writer.size);
        offsets = writer.offsets.toArray();
        sizes = new Numbered(rows.length, BUCKETS);
        grams = sortGrams();
        slots = new int[Math.max(2, Integer.highestOneBit(Math.max(1, rows.length)) << 2)];
        sameBefore = new int[rows.length];
        fillSlots();
    }

    int size() {
        return rows.length;
    }

    int row(int entry) {
        return rows[entry];
    }

    /** The folded text of an entry. */
    int[] text(int entry) {
        return Utf8.codePoints(texts, offsets[entry], offsets[entry + 1] - 1);
    }

    /** The entries with just this folded text, in order. */
    int[] equal(int[] folded) {
        byte[] wanted = Utf8.encode(folded, folded.length);
        int slot = slotOf(wanted, 0, wanted.length);
        while (slots[slot] != EMPTY && !isText(slots[slot], wanted, 0, wanted.length)) {
            slot = slot + 1 & slots.length - 1;
        }
        Ints found = new Ints(4);
        for (int entry = slots[slot]; entry != EMPTY; entry = sameBefore[entry]) {
            found.add(entry);
        }
        int[] entries = found.toArray();
        Arrays.sort(entries);
        return entries;
    }

    /** Is told of an entry with a word that begins as was typed, and whether it is its first word. */
    interface Begun {
        void add(int entry, boolean isFirst);
    }

    /** Goes through the entries with a word that begins with {@code folded}, in order; through 10,000 at most. */
    void begun(int[] folded, Begun found) {
        byte[] wanted = Utf8.encode(folded, folded.length);
        int count = 0;
        int entry = 0;
        for (int i = 0; i <= texts.length - wanted.length && count < MOST_BEGUN; ) {
            if (!holds(i, wanted)) {
                i++;
                continue;
            }
            boolean isFirst = i == 0 || texts[i - 1] == '\n';
            if (isFirst || texts[i - 1] == ' ') {
                while (offsets[entry + 1] <= i) {
                    entry++;
                }
                found.add(entry, isFirst);
                count++;
            }
            i += wanted.length; // as a search goes on behind what it found
        }
    }

    private boolean holds(int place, byte[] wanted) {
        for (int i = 0; i < wanted.length; i++) {
            if (texts[place + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    /** Up to {@code count} entries by the Dice coefficient of their grams and those of {@code folded}. */
    List<Fuzzy.Candidate> nearest(int[] folded, int count) {
        int[] asked = bucketsOf(folded, folded.length);
        int[] shared = new int[rows.length];
        int most = 0;
        for (int bucket : asked) {
            for (int i = starts[bucket]; i < starts[bucket + 1]; i++) {
                most = Math.max(most, ++shared[grams.get(i)]);
            }
        }
        TopK best = new TopK(Math.min(count, rows.length));
        for (int entry = 0; entry < shared.length; entry++) {
            if (shared[entry] > most / 4) { // the others are hardly ever among the nearest
                best.offer(2 * shared[entry] / (double) (sizes.get(entry) + asked.length), entry);
            }
        }
        TopK.Best kept = best.take();
        List<Fuzzy.Candidate> found = new ArrayList<>();
        for (int i = 0; i < kept.rows.length; i++) {
            int entry = kept.rows[i];
            found.add(new Fuzzy.Candidate(text(entry), rows[entry], entry >= firstAlias, kept.scores[i]));
        }
        return found;
    }

    /** Counts the entries of each bucket, then puts them there. */
    private Numbered sortGrams() {
        for (int entry = 0; entry < rows.length; entry++) {
            int[] buckets = bucketsOf(entry);
            sizes.set(entry, buckets.length);
            for (int bucket : buckets) {
                starts[bucket + 1]++;
            }
        }
        for (int bucket = 0; bucket < BUCKETS; bucket++) {
            starts[bucket + 1] += starts[bucket];
        }
        Numbered sorted = new Numbered(starts[BUCKETS], rows.length);
        int[] next = Arrays.copyOf(starts, BUCKETS);
        for (int entry = 0; entry < rows.length; entry++) {
            for (int bucket : bucketsOf(entry)) {
                sorted.set(next[bucket]++, entry);
            }
        }
        return sorted;
    }

    private int[] bucketsOf(int entry) {
        int[] letters = text(entry);
        return bucketsOf(letters, letters.length);
    }

    /** The buckets of a text with a space before and after it, each once. */
    private static int[] bucketsOf(int[] letters, int count) {
        int[] buckets = new int[2 * count + 1];
        int size = 0;
        int a;
        int b = ' ';
        for (int i = 0; i <= count; i++) {
            a = b;
            b = i < count ? letters[i] : ' ';
            buckets[size++] = bucket((a + b) * 31337 + a * b * 7919);
            if (i < count) {
                int c = i + 1 < count ? letters[i + 1] : ' ';
                buckets[size++] = BUCKETS / 2 + bucket(a * 31337 + b * 7919 + c * 104729);
            }
        }
        Arrays.sort(buckets);
        int different = 0;
        for (int i = 0; i < size; i++) {
            if (i == 0 || buckets[i] != buckets[i - 1]) {
                buckets[different++] = buckets[i];
            }
        }
        return Arrays.copyOf(buckets, different);
    }

    private static int bucket(int mixed) {
        return mixed * 0x9E3779B1 >>> 18;
    }

    private void fillSlots() {
        Arrays.fill(slots, EMPTY);
        for (int entry = 0; entry < rows.length; entry++) {
            int from = offsets[entry];
            int to = offsets[entry + 1] - 1;
            int slot = slotOf(texts, from, to);
            while (slots[slot] != EMPTY && !isText(slots[slot], texts, from, to)) {
                slot = slot + 1 & slots.length - 1;
            }
            sameBefore[entry] = slots[slot];
            slots[slot] = entry;
        }
    }

    private boolean isText(int entry, byte[] text, int from, int to) {
        int start = offsets[entry];
        if (offsets[entry + 1] - 1 - start != to - from) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (texts[start + i - from] != text[i]) {
                return false;
            }
        }
        return true;
    }

    private int slotOf(byte[] text, int from, int to) {
        return Lines.Index.hash(text, from, to) & slots.length - 1;
    }

    /** Whole numbers from 0, in two bytes each where that will do. */
    private static final class Numbered {
        private static final int SMALL = 1 << 16;
        private final char[] small;
        private final int[] large;

        /** {@code end} is more than any number. */
        Numbered(int count, int end) {
            small = end <= SMALL ? new char[count] : null;
            large = end <= SMALL ? null : new int[count];
        }

        int get(int place) {
            return small == null ? large[place] : small[place];
        }

        void set(int place, int number) {
            if (small == null) {
                large[place] = number;
            } else {
                small[place] = (char) number;
            }
        }
    }

    /** Collects entries. */
    private static final class Writer {
        final Ints rows = new Ints(1 << 10);
        final Ints offsets = new Ints(1 << 10);
        byte[] texts;
        int size;

        Writer(int room) {
            texts = new byte[Math.max(1 << 10, room)];
        }

        void add(int row, int[] folded) {
            if (folded.length == 0) {
                return;
            }
            if (texts.length - size < 4 * folded.length + 1) {
                texts = Arrays.copyOf(texts, 2 * texts.length + 4 * folded.length);
            }
            rows.add(row);
            offsets.add(size);
            for (int letter : folded) {
                size = Utf8.append(texts, size, letter);
            }
            texts[size++] = '\n';
        }
    }
}
