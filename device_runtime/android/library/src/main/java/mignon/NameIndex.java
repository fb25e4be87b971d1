package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Names as people type them: finds rows by id, name or alias. What is needed is made when the first question comes. */
final class NameIndex {
    private static final int CANDIDATES = 48; // compared by words and letters, at least
    private static final double LEAST_OF_BEST = 0.5; // what is half as alike as the best is noise beside it
    private static final double LEAST_SCORE = 0.4; // what is less alike is noise
    private static final double BEGUN_NAME = 0.88;
    private static final double BEGUN_WORD = 0.84;
    private static final double BEGUN_ALIAS = 0.8;
    private static final int SUGGESTED = 3;
    private static final int SHOWN = 10;
    private static final double LEAST_TO_SUGGEST = 0.5;

    /** Where aliases come from, again each time. */
    interface Aliases {
        /** Records with the fields row and alias; null if there are none. */
        Records read();
    }

    /** A row and how like it is. */
    static final class Found {
        final int row;
        final double score;

        Found(int row, double score) {
            this.row = row;
            this.score = score;
        }
    }

    final Folding folding;
    private final Lines.Index ids;
    private final Lines names;
    private final Aliases aliases;
    private final int[] popularity; // null for the lower row
    private final Lazy<NameTable> table;

    NameIndex(Lines.Index ids, Lines names, Aliases aliases, int[] popularity, Folding folding) {
        this.ids = ids;
        this.names = names;
        this.aliases = aliases;
        this.popularity = popularity;
        this.folding = folding;
        table = new Lazy<>(() -> new NameTable(names, aliases.read(), folding));
    }

    /** The row with this id, name or alias, or -1: an id wins over a name, a name over an alias, equal over folded. */
    int row(String text) {
        int row = ids.find(text);
        if (row >= 0) {
            return row;
        }
        int[] folded = folding.fold(Utf8.codePoints(text));
        int[] entries = folded.length == 0 ? new int[0] : table.get().equal(folded);
        int[] found = rowsOf(entries, entries.length);
        if (folded.length > 0 && isOneRow(found)) {
            return found.length == 0 ? -1 : found[0];
        }
        row = named(text);
        row = row >= 0 ? row : first(called(text));
        if (row < 0) {
            int ofNames = 0;
            while (ofNames < entries.length && entries[ofNames] < table.get().firstAlias) {
                ofNames++;
            }
            row = first(ofNames > 0 ? rowsOf(entries, ofNames) : found);
        }
        return row;
    }

    /** The row with just this name, or -1. */
    int named(String text) {
        byte[] wanted = Utf8.encode(text);
        Ints rows = new Ints(4);
        for (int row = 0; row < names.size(); row++) {
            if (names.isEqual(row, wanted)) {
                rows.add(row);
            }
        }
        return first(rows.toArray());
    }

    /** The rows with just this alias. */
    private int[] called(String text) {
        byte[] wanted = Utf8.encode(text);
        Ints rows = new Ints(4);
        for (Records read = aliases.read(); read != null && read.next(); ) {
            if (read.to(1) - read.from(1) == wanted.length && read.text(1).equals(text)) {
                rows.add(read.row());
            }
        }
        return rows.toArray();
    }

    private int[] rowsOf(int[] entries, int count) {
        int[] rows = new int[count];
        for (int i = 0; i < count; i++) {
            rows[i] = table.get().row(entries[i]);
        }
        return rows;
    }

    private static boolean isOneRow(int[] rows) {
        for (int row : rows) {
            if (row != rows[0]) {
                return false;
            }
        }
        return true;
    }

    private int first(int[] rows) {
        int first = -1;
        for (int row : rows) {
            if (first < 0 || comesBefore(row, first)) {
                first = row;
            }
        }
        return first;
    }

    /** Of two equally like rows the better known, then the lower. */
    private boolean comesBefore(int row, int other) {
        int known = popularity == null ? 0 : popularity[row] - popularity[other];
        return known != 0 ? known > 0 : row < other;
    }

    /**
     * Up to {@code limit} rows whose name or an alias is most like {@code text}, best first; 1 is kept for {@link
     * #row}.
     */
    List<Found> find(String text, int limit) {
        Map<Integer, Double> alike = alike(text, limit);
        int exact = row(text);
        if (exact >= 0) {
            alike.put(exact, 1.0);
        }
        return bestFirst(alike, limit);
    }

    private Map<Integer, Double> alike(String text, int limit) {
        Map<Integer, Double> best = new HashMap<>();
        int[] folded = typed(text);
        if (folded.length == 0 || table.get().size() == 0) {
            return best;
        }
        int count = (int) Math.max(CANDIDATES, Math.min(2L * limit, Integer.MAX_VALUE));
        List<Fuzzy.Candidate> found = table.get().nearest(Fuzzy.withoutSmallWords(folded), count);
        new Fuzzy(folded).score(found);
        for (Fuzzy.Candidate each : found) {
            if (each.score >= LEAST_SCORE && each.score > best.getOrDefault(each.row, 0.0)) {
                best.put(each.row, each.score);
            }
        }
        return best;
    }

    /** As much of a folded text as is looked at. */
    private int[] typed(String text) {
        int[] folded = folding.fold(Utf8.codePoints(text));
        int size = Math.min(folded.length, Fuzzy.LONGEST);
        return Arrays.copyOf(folded, size > 0 && folded[size - 1] == ' ' ? size - 1 : size);
    }

    /** Rows of which a word of the name or an alias begins with {@code text}, scored by which, best first. */
    List<Found> begun(String text, int limit) {
        Map<Integer, Double> best = new HashMap<>();
        int[] folded = typed(text);
        if (folded.length > 0 && table.get().size() > 0) {
            NameTable known = table.get();
            known.begun(folded, (entry, isFirst) -> {
                double score = entry >= known.firstAlias ? BEGUN_ALIAS : isFirst ? BEGUN_NAME : BEGUN_WORD;
                int row = known.row(entry);
                if (score > best.getOrDefault(row, 0.0)) {
                    best.put(row, score);
                }
            });
        }
        return bestFirst(best, limit);
    }

    private List<Found> bestFirst(Map<Integer, Double> scores, int limit) {
        double greatest = 0;
        for (double score : scores.values()) {
            greatest = Math.max(greatest, score);
        }
        List<Found> best = new ArrayList<>();
        for (Map.Entry<Integer, Double> each : scores.entrySet()) {
            if (each.getValue() >= LEAST_OF_BEST * greatest) {
                best.add(new Found(each.getKey(), each.getValue()));
            }
        }
        best.sort((one, other) -> {
            int order = Double.compare(other.score, one.score);
            return order != 0 ? order : one.row == other.row ? 0 : comesBefore(one.row, other.row) ? -1 : 1;
        });
        return best.subList(0, Math.min(limit, best.size()));
    }

    /** Those of {@code known} most like {@code asked}, or else the first few there are, for a message. */
    static String someOf(Collection<String> known, String asked, Folding folding) {
        List<String> like = mostLike(known, asked, folding);
        if (!like.isEmpty()) {
            return "did you mean " + Immutable.joined(like) + "?";
        }
        List<String> sorted = new ArrayList<>(known);
        sorted.sort(Texts.BY_CODE_POINT);
        return "there are " + listed(sorted);
    }

    /** Up to three of {@code known}, the best first, that {@code asked} may stand for. */
    static List<String> mostLike(Collection<String> known, String asked, Folding folding) {
        List<String> names = new ArrayList<>(known);
        Lines lines = Lines.of(names);
        NameIndex index = new NameIndex(new Lines.Index(lines), lines, () -> null, null, folding);
        List<String> like = new ArrayList<>();
        for (Found found : index.find(asked, SUGGESTED)) {
            if (found.score >= LEAST_TO_SUGGEST) {
                like.add(names.get(found.row));
            }
        }
        return like;
    }

    static String listed(List<String> names) {
        List<String> shown = names.subList(0, Math.min(SHOWN, names.size()));
        return names.isEmpty() ? "none" : Immutable.joined(shown) + (names.size() > SHOWN ? ", ..." : "");
    }
}
