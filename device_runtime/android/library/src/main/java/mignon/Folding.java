package mignon;

import java.text.Normalizer;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Text without case, accents and punctuation, its words separated by one space. */
abstract class Folding {
    private static final int ASCII = 128;

    /** By the entry of the file that says what each letter becomes, or by this platform's Unicode where it has none. */
    static Folding of(ModelFile model) {
        return model.has(ModelFile.FOLDING) ? new OfFile(model) : new OfPlatform();
    }

    /** What a code point that is not ASCII becomes: itself, others, a space, or nothing. */
    abstract int[] lookUp(int code);

    final String fold(String text) {
        int[] folded = fold(Utf8.codePoints(text));
        return new String(folded, 0, folded.length);
    }

    final int[] fold(int[] codes) {
        Ints folded = new Ints(codes.length);
        for (int code : codes) {
            if (code < ASCII) {
                add(folded, Character.isLetterOrDigit(code) ? Character.toLowerCase(code) : ' ');
            } else {
                for (int each : lookUp(code)) {
                    add(folded, each);
                }
            }
        }
        int size = folded.size > 0 && folded.values[folded.size - 1] == ' ' ? folded.size - 1 : folded.size;
        return Arrays.copyOf(folded.values, size);
    }

    /** A space only after something else. */
    private static void add(Ints folded, int code) {
        if (code != ' ' || folded.size > 0 && folded.values[folded.size - 1] != ' ') {
            folded.add(code);
        }
    }

    /** What stands in the file, so that no answer depends on the Unicode version of a device. */
    private static final class OfFile extends Folding {
        private static final int SYLLABLES = 0xAC00; // of Hangul
        private static final int MEDIALS = 21;
        private static final int FINALS = 28;
        private static final int[] NOTHING = {};
        private static final int[] SPACE = {' '};

        private final int[] letters; // ascending
        private final int[][] folded;

        OfFile(ModelFile model) {
            Records records = model.records(ModelFile.FOLDING, 2);
            long[] keys = new long[16]; // a letter, and its number among the lines
            int[][] values = new int[16][];
            int count = 0;
            for (; records.next(); count++) {
                int[] letter = Utf8.codePoints(records.data, records.from(0), records.to(0));
                if (letter.length != 1) {
                    throw records.fault("does not start with one character");
                }
                if (count == values.length) {
                    keys = Arrays.copyOf(keys, 2 * count);
                    values = Arrays.copyOf(values, 2 * count);
                }
                keys[count] = (long) letter[0] << 32 | count;
                values[count] = Utf8.codePoints(records.data, records.from(1), records.to(1));
            }
            Arrays.sort(keys, 0, count);
            letters = new int[count];
            folded = new int[count][];
            for (int i = 0; i < count; i++) {
                letters[i] = (int) (keys[i] >>> 32);
                folded[i] = values[(int) keys[i]];
            }
        }

        @Override
        int[] lookUp(int code) {
            int place = Arrays.binarySearch(letters, code);
            return place < 0 ? byRule(code) : folded[place];
        }

        /** What the file leaves out: syllables of Hangul, selectors of variants, pictures and what stays itself. */
        private static int[] byRule(int code) {
            int number = code - SYLLABLES;
            if (number >= 0 && number < 19 * MEDIALS * FINALS) {
                int initial = 0x1100 + number / (MEDIALS * FINALS);
                int medial = 0x1161 + number / FINALS % MEDIALS;
                int last = 0x11A7 + number % FINALS;
                return number % FINALS == 0 ? new int[] {initial, medial} : new int[] {initial, medial, last};
            }
            if (code >= 0xFE00 && code < 0xFE10) {
                return NOTHING;
            }
            boolean picture = code >= 0x2000 && code < 0x2C00 || code >= 0x3000 && code < 0x3004
                    || code >= 0x1F000 && code < 0x1FB00;
            return picture ? SPACE : new int[] {code};
        }
    }

    /** For files without that entry: NFKD, case folding and NFKD again, without combining marks and punctuation. */
    private static final class OfPlatform extends Folding {
        private static final String WITHOUT_DECOMPOSITION = "łøđðıæœþ";
        private static final String[] THEIRS = {"l", "o", "d", "d", "i", "ae", "oe", "th"};
        private static final String OVERLAY = "\u0334"; // of combining class 1, the least there is
        private static final String IOTA = "\u0345"; // of combining class 240, the greatest there is

        private final Map<Integer, int[]> known = new ConcurrentHashMap<>();

        @Override
        int[] lookUp(int code) {
            int[] found = known.get(code);
            if (found == null) {
                found = foldOne(code);
                known.put(code, found);
            }
            return found;
        }

        private static int[] foldOne(int code) {
            if (code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE) {
                return new int[] {' '}; // one alone is no letter
            }
            String decomposed = Normalizer.normalize(new String(Character.toChars(code)), Normalizer.Form.NFKD);
            String plain = Normalizer.normalize(Texts.caseFolded(decomposed), Normalizer.Form.NFKD);
            Ints folded = new Ints(4);
            for (int each : Utf8.codePoints(plain)) {
                int place = each < 0x10000 ? WITHOUT_DECOMPOSITION.indexOf((char) each) : -1;
                if (place >= 0) {
                    for (int letter : Utf8.codePoints(THEIRS[place])) {
                        folded.add(letter);
                    }
                } else if (!isCombining(each)) {
                    folded.add(isKept(each) ? each : ' ');
                }
            }
            return folded.toArray();
        }

        private static boolean isKept(int code) {
            int type = Character.getType(code);
            return Character.isLetter(code) || type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER
                    || type == Character.OTHER_NUMBER || type == Character.COMBINING_SPACING_MARK;
        }

        /** Whether it has a combining class: Java does not say it, but swaps two marks that have, by their classes. */
        private static boolean isCombining(int code) {
            int type = Character.getType(code);
            if (type != Character.NON_SPACING_MARK && type != Character.COMBINING_SPACING_MARK
                    && type != Character.ENCLOSING_MARK) {
                return false;
            }
            String mark = new String(Character.toChars(code));
            return isSwapped(mark, OVERLAY) || isSwapped(IOTA, mark);
        }

        private static boolean isSwapped(String first, String second) {
            return Normalizer.normalize(first + second, Normalizer.Form.NFD).equals(second + first);
        }
    }
}
