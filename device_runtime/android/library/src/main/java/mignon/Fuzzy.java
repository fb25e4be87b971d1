package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How like a text somebody typed is to names: the same but for small things, a slip of the finger away, or only alike.
 *
 * <p>docs/find.md says it to the last score. Texts are folded, and are code points, so that a letter is one anywhere.
 */
final class Fuzzy {
    static final double SURE = 0.9;
    static final double ONE_EDIT = 0.95;
    static final double UNSURE = 0.8999; // the most that what is only alike can reach
    static final int LONGEST = 64; // letters of a text that are looked at

    private static final double SAME = 0.99;
    private static final double SAME_IN_ONE_WORD = 0.97;
    private static final double TWO_EDITS = 0.92;
    private static final double AN_ALIAS = 0.01; // how much less an alias counts than a name of the same level
    private static final double LEAST_TO_LOOK_CLOSER = 0.45;
    private static final int LETTERS_FOR_ONE_EDIT = 5;
    private static final int LETTERS_FOR_TWO = 9;
    private static final int MOST_TYPOS = 3;
    private static final int LETTERS_TO_A_TYPO = 4;
    private static final int LETTERS_OF_A_NAME = 3; // at least, to go without its small words
    private static final double FLOOR = 0.6;
    private static final double WITHIN = 0.75;
    private static final double BEGUN = 0.75;
    private static final double BEGUN_NAME = 0.9;
    private static final double LEAST_BY_GRAMS = 0.9;
    private static final double SHARE_OF_GRAMS = 0.2;
    private static final double EQUAL_BUT_FOR_PLURAL = 0.97;
    private static final double ALIAS = 0.95;
    private static final Set<String> SMALL_WORDS = new HashSet<>(Arrays.asList((
            "the a an some and with of n le la les l un une des du de d et aux au el los las una unos unas y con der "
            + "die das den dem ein eine einen und mit il lo gli i uno e dei degli delle o os as um uma uns umas com")
            .split(" ")));

    private final int[] typed; // as it was folded
    private final int[] typedJoined;
    private final Word[] asked; // its words, without small ones
    private final int[] askedJoined;
    private final int[] askedStem; // of all of them in one word
    private final String[] askedStems;
    private final int cut; // letters of a word that are compared one by one

    Fuzzy(int[] typed) {
        this.typed = typed;
        typedJoined = joined(typed);
        int[] folded = withoutSmallWords(typed);
        asked = words(folded);
        askedJoined = joined(folded);
        askedStem = stem(askedJoined);
        askedStems = stems(folded);
        int longest = 0;
        for (Word word : asked) {
            longest = Math.max(longest, word.letters.length);
        }
        cut = longest + MOST_TYPOS;
    }

    /** A word and what its singular and plural share. */
    private static final class Word {
        final int[] letters;
        final int[] stem;

        Word(int[] letters) {
            this.letters = letters;
            stem = stem(letters);
        }
    }

    /** One of the texts that are compared with what was typed. */
    static final class Candidate {
        final int[] text;
        final int row;
        final boolean alias;
        private final double dice;
        private int edits;
        private int letters; // of the shorter
        private double likeness;
        private double level;
        private String[] stems;
        private int[] joined;
        /** From 0 to 0.99. */
        double score;

        /** {@code dice} is the coefficient of the grams that it shares with what was typed. */
        Candidate(int[] text, int row, boolean alias, double dice) {
            this.text = text;
            this.row = row;
            this.alias = alias;
            this.dice = dice;
        }

        private boolean isNear() {
            return level > 0 && level < SAME_IN_ONE_WORD;
        }
    }

    /** Sets the score of each. */
    void score(List<Candidate> candidates) {
        List<Candidate> near = new ArrayList<>();
        for (Candidate each : candidates) {
            compareInOneWord(each);
            each.likeness = likeness(each);
            if (each.likeness > LEAST_TO_LOOK_CLOSER) {
                near.add(each);
            }
        }
        setLevels(near);
        for (Candidate each : candidates) {
            double sure = each.alias ? each.level - AN_ALIAS : each.level;
            double alike = Math.min(SURE * each.likeness, UNSURE);
            each.score = Numbers.rounded(each.level > 0 ? sure : alike);
        }
    }

    private double likeness(Candidate of) {
        double inOneWord = Math.max(0, 1 - of.edits / (double) Math.max(1, of.letters + of.edits));
        double likeness = Math.max(likenessByWords(words(of.text)), inOneWord);
        if (startsWith(of.text, typed)) {
            double begun = typedJoined.length / (double) of.text.length;
            likeness = Math.max(likeness, BEGUN_NAME + (1 - BEGUN_NAME) * begun);
        }
        likeness = Math.max(likeness, LEAST_BY_GRAMS * of.dice);
        likeness = (1 - SHARE_OF_GRAMS) * likeness + SHARE_OF_GRAMS * of.dice;
        return of.alias ? likeness * ALIAS : likeness; // of two as like, the one that is called so is meant
    }

    private void compareInOneWord(Candidate with) {
        int[] other = joined(withoutSmallWords(with.text));
        int compared = Math.min(other.length, askedJoined.length + 2 * MOST_TYPOS);
        int[] edits = editsToBeginnings(askedJoined, other, compared);
        with.edits = edits[compared] + other.length - compared;
        with.letters = Math.min(other.length, askedJoined.length);
        with.joined = joined(with.text);
        boolean samePlural = askedJoined.length >= LETTERS_FOR_ONE_EDIT && Arrays.equals(stem(other), askedStem);
        if (samePlural || Arrays.equals(with.joined, typedJoined)) {
            with.edits = 0;
        }
    }

    /** How much of what was typed is found in the words of a text, and how much of them in what was typed. */
    private double likenessByWords(Word[] words) {
        double[] ofAsked = new double[asked.length];
        double covered = 0;
        int letters = 0;
        for (Word word : words) {
            double best = 0;
            for (int i = 0; i < asked.length; i++) {
                double alike = likeness(asked[i], word);
                ofAsked[i] = Math.max(ofAsked[i], alike);
                best = Math.max(best, alike);
            }
            covered += (word.letters.length + 1) * best;
            letters += word.letters.length + 1;
        }
        covered /= letters;
        double found = 0;
        int askedLetters = 0;
        for (int i = 0; i < asked.length; i++) {
            found += (asked[i].letters.length + 1) * ofAsked[i];
            askedLetters += asked[i].letters.length + 1;
        }
        found /= askedLetters;
        return Math.max(found * (FLOOR + (1 - FLOOR) * covered), WITHIN * covered * (FLOOR + (1 - FLOOR) * found));
    }

    /** How like two words are in full, as one begun, or but for a plural. */
    private double likeness(Word one, Word other) {
        int length = one.letters.length;
        int otherLength = other.letters.length;
        int compared = Math.min(otherLength, cut);
        int[] distances = editsToBeginnings(one.letters, other.letters, compared);
        int edits = distances[compared] + otherLength - compared;
        int longer = Math.max(length, otherLength);
        int typos = longer < 4 ? 1 : longer < 8 ? 2 : MOST_TYPOS; // as many as still look like the word
        double alike = edits <= typos ? 1 - edits / (double) longer : 0;
        int fewest = length;
        for (int distance : distances) {
            fewest = Math.min(fewest, distance);
        }
        if (fewest <= length / LETTERS_TO_A_TYPO) {
            double begun = BEGUN + (1 - BEGUN) * Math.min(1, length / (double) otherLength);
            alike = Math.max(alike, (1 - fewest / (double) length) * begun);
        }
        return Arrays.equals(one.stem, other.stem) ? Math.max(alike, EQUAL_BUT_FOR_PLURAL) : alike;
    }

    private void setLevels(List<Candidate> near) {
        boolean anySame = false;
        Set<Integer> own = new HashSet<>(); // rows with a name a spelling away
        for (Candidate each : near) {
            each.stems = stems(each.text);
            each.level = level(each);
            anySame |= each.level == SAME;
            if (each.isNear()) {
                own.add(each.row);
            }
        }
        boolean anyLonger = false;
        for (Candidate each : near) {
            anyLonger |= !own.contains(each.row) && isLonger(each);
        }
        if (!own.isEmpty() && !anySame && anyLonger) { // what was typed may be the beginning or a part of another name
            dropNear(near);
        }
        dropRivals(near);
    }

    private double level(Candidate of) {
        if (Arrays.equals(of.stems, askedStems)) {
            return SAME;
        }
        if (of.edits == 0) {
            return SAME_IN_ONE_WORD;
        }
        if (of.edits == 1 && of.letters >= LETTERS_FOR_ONE_EDIT) {
            return ONE_EDIT;
        }
        return of.edits == 2 && of.letters >= LETTERS_FOR_TWO ? TWO_EDITS : 0;
    }

    private boolean isLonger(Candidate than) {
        return new HashSet<>(Arrays.asList(than.stems)).containsAll(Arrays.asList(askedStems))
                || startsWith(than.joined, askedJoined);
    }

    /** Names of two items as near in spelling, and not the same: neither is sure. */
    private static void dropRivals(List<Candidate> near) {
        double best = 0;
        for (Candidate each : near) {
            best = Math.max(best, each.level);
        }
        Set<String> texts = new HashSet<>();
        Set<Integer> rows = new HashSet<>();
        for (Candidate each : near) {
            if (each.level == best) {
                texts.add(string(each.text));
                rows.add(each.row);
            }
        }
        if (best > 0 && best < SAME_IN_ONE_WORD && texts.size() > 1 && rows.size() > 1) {
            dropNear(near);
        }
    }

    private static void dropNear(List<Candidate> near) {
        for (Candidate each : near) {
            if (each.isNear()) {
                each.level = 0;
            }
        }
    }

    /** {@code folded} without articles and the like, or as it is where hardly anything else is left. */
    static int[] withoutSmallWords(int[] folded) {
        Ints rest = new Ints(folded.length);
        for (Word word : words(folded)) {
            if (!SMALL_WORDS.contains(string(word.letters))) {
                if (rest.size > 0) {
                    rest.add(' ');
                }
                for (int letter : word.letters) {
                    rest.add(letter);
                }
            }
        }
        return rest.size >= LETTERS_OF_A_NAME ? rest.toArray() : folded;
    }

    private static String[] stems(int[] text) {
        Word[] words = words(withoutSmallWords(text));
        String[] stems = new String[words.length];
        for (int i = 0; i < stems.length; i++) {
            stems[i] = string(words[i].stem);
        }
        Arrays.sort(stems);
        return stems;
    }

    /** What the singular and the plural of most English and French words share: berries, berry; crepes, crepe. */
    private static int[] stem(int[] word) {
        int length = word.length;
        if (length > 3 && (word[length - 1] == 's' || word[length - 1] == 'x') && word[length - 2] != 's') {
            length--;
        }
        if (length > 3 && word[length - 1] == 'e') {
            length--;
        }
        int[] stem = Arrays.copyOf(word, length);
        if (length > 2 && stem[length - 1] == 'y') {
            stem[length - 1] = 'i';
        }
        return stem;
    }

    private static Word[] words(int[] text) {
        List<Word> words = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= text.length; i++) {
            if (i == text.length || text[i] == ' ') {
                if (i > start) {
                    words.add(new Word(Arrays.copyOfRange(text, start, i)));
                }
                start = i + 1;
            }
        }
        return words.toArray(new Word[0]);
    }

    private static int[] joined(int[] text) {
        Ints joined = new Ints(text.length);
        for (int letter : text) {
            if (letter != ' ') {
                joined.add(letter);
            }
        }
        return joined.toArray();
    }

    private static boolean startsWith(int[] text, int[] beginning) {
        if (text.length < beginning.length) {
            return false;
        }
        for (int i = 0; i < beginning.length; i++) {
            if (text[i] != beginning[i]) {
                return false;
            }
        }
        return true;
    }

    private static String string(int[] codes) {
        return new String(codes, 0, codes.length);
    }

    /**
     * Edits from a text to each beginning of a word of up to {@code count} letters, the empty one first.
     *
     * <p>An edit inserts, deletes or replaces a letter or swaps two neighbors (Damerau, 1964), by the table of Wagner
     * and Fischer ("The string-to-string correction problem", 1974), of which three rows are kept.
     */
    private static int[] editsToBeginnings(int[] asked, int[] word, int count) {
        int[] before = new int[count + 1];
        int[] last = new int[count + 1];
        int[] row = new int[count + 1];
        for (int j = 0; j <= count; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= asked.length; i++) {
            int[] oldest = before;
            before = last;
            last = row;
            row = oldest;
            row[0] = i;
            for (int j = 1; j <= count; j++) {
                int edits = last[j - 1] + (asked[i - 1] == word[j - 1] ? 0 : 1);
                edits = Math.min(edits, Math.min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && asked[i - 1] == word[j - 2] && asked[i - 2] == word[j - 1]) {
                    edits = Math.min(edits, before[j - 2] + 1);
                }
                row[j] = edits;
            }
        }
        return row;
    }
}
