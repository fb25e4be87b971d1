package mignon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The items that can be asked for. What only some questions need is read when the first of them comes. */
final class Items {
    private static final int SUGGESTIONS = 3;
    private static final int ITEMS_FOR_A_FAMILY = 4;
    private static final double AFTER_ITEMS = 0.003; // less for a family: of two called just so the item comes first
    private static final double AFTER_ITEMS_NEARLY_SO = 0.0355; // of a plural or another order of words

    /** What a text means: a row, or a family where there is one. */
    static final class Meant {
        final int row; // -1 for a family
        final Family family; // null for a row

        Meant(int row, Family family) {
            this.row = row;
            this.family = family;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Meant && ((Meant) other).row == row
                    && (family == null ? ((Meant) other).family == null : family.equals(((Meant) other).family));
        }

        @Override
        public int hashCode() {
            return family == null ? row : family.hashCode();
        }
    }

    /** What a text may mean, and how like it is. */
    static final class Scored {
        final Meant meant;
        final double score;

        Scored(Meant meant, double score) {
            this.meant = meant;
            this.score = score;
        }
    }

    final ModelFile model;
    final Objective objective;
    private final Lazy<Lines> ids;
    private final Lazy<Lines.Index> rowOfId;
    private final Lazy<Lines> names;
    private final Lazy<Folding> folding;
    private final Lazy<int[]> popularity;
    private final Lazy<NameIndex> index;
    private final Lazy<Attributes> attributes;
    private final Lazy<Families> families;

    Items(ModelFile model) {
        this.model = model;
        objective = new Objective(model);
        ids = new Lazy<>(() -> model.lines(ModelFile.IDS));
        rowOfId = new Lazy<>(() -> new Lines.Index(ids.get()));
        names = new Lazy<>(() -> model.lines(ModelFile.NAMES));
        folding = new Lazy<>(() -> Folding.of(model));
        popularity = new Lazy<>(this::readPopularity);
        index = new Lazy<>(() -> new NameIndex(rowOfId.get(), names.get(), () -> model.records(ModelFile.ALIASES, 2),
                popularity().length == 0 ? null : popularity(), folding.get()));
        attributes = new Lazy<>(() -> new Attributes(model, folding.get()));
        families = new Lazy<>(() -> new Families(model, attributes(), folding.get()));
    }

    String id(int row) {
        return ids.get().get(row);
    }

    String name(int row) {
        return names.get().get(row);
    }

    Attributes attributes() {
        return attributes.get();
    }

    /** How widely each row is known, from 0 to 255; of length 0 where nothing says it. */
    int[] popularity() {
        return popularity.get();
    }

    private int[] readPopularity() {
        if (!model.has(ModelFile.POPULARITY)) {
            int[] known = objective.popularity();
            return known == null ? new int[0] : known;
        }
        byte[] data = model.data(ModelFile.POPULARITY);
        if (data.length != model.table.rows) {
            throw new FileFormatException(model.path + ": '" + ModelFile.POPULARITY + "' has " + data.length
                    + " bytes; export it again");
        }
        int[] known = new int[data.length];
        for (int row = 0; row < known.length; row++) {
            known[row] = data[row] & 0xFF;
        }
        return known;
    }

    /** Rows and families whose names resemble {@code text}, best first; of the same an item first. */
    List<Scored> match(String text, int limit) {
        List<Scored> found = new ArrayList<>();
        for (NameIndex.Found each : index.get().find(text, limit)) {
            found.add(new Scored(new Meant(each.row, null), each.score));
        }
        for (Families.Found each : families.get().find(text, limit)) {
            if (attributes().count(each.family) > 0) {
                found.add(new Scored(new Meant(-1, each.family), Numbers.rounded(scoreOfFamily(each.score))));
            }
        }
        return bestFirst(found, limit);
    }

    /** Two letters wrong make another word of the short ones that name kinds, so these are never sure. */
    private static double scoreOfFamily(double score) {
        if (score > Fuzzy.ONE_EDIT) {
            return score - (score == 1 ? AFTER_ITEMS : AFTER_ITEMS_NEARLY_SO);
        }
        return score == Fuzzy.ONE_EDIT ? score - AFTER_ITEMS : Math.min(score, Fuzzy.UNSURE);
    }

    private static List<Scored> bestFirst(List<Scored> found, int limit) {
        found.sort((one, other) -> Double.compare(other.score, one.score));
        return found.subList(0, Math.min(limit, found.size()));
    }

    /** What somebody who has typed {@code text} may mean: as match, and names that begin so, the best known first. */
    List<Scored> complete(String text, int limit) {
        Map<Meant, Double> best = new LinkedHashMap<>();
        for (NameIndex.Found each : index.get().begun(text, limit)) {
            best.put(new Meant(each.row, null), each.score);
        }
        for (Scored each : match(text, limit)) {
            best.put(each.meant, Math.max(each.score, best.getOrDefault(each.meant, 0.0)));
        }
        List<Scored> begun = new ArrayList<>();
        for (Families.Found each : families.get().begun(text, limit / ITEMS_FOR_A_FAMILY)) {
            Meant family = new Meant(-1, each.family);
            Double found = best.remove(family);
            begun.add(new Scored(family, Math.max(each.score - AFTER_ITEMS, found == null ? 0 : found)));
        }
        List<Scored> others = new ArrayList<>();
        for (Map.Entry<Meant, Double> each : best.entrySet()) {
            others.add(new Scored(each.getKey(), each.getValue()));
        }
        List<Scored> all = new ArrayList<>(bestFirst(others, limit - begun.size()));
        all.addAll(begun);
        return bestFirst(all, limit);
    }

    /** What {@code text} surely means: a row or a family, by just its name or a spelling away from one. */
    Meant resolve(String text) {
        Meant exact = named(text);
        if (exact != null) {
            return exact;
        }
        List<Scored> matches = match(text, SUGGESTIONS);
        if (matches.isEmpty() || matches.get(0).score < Fuzzy.SURE) {
            List<String> suggestions = new ArrayList<>();
            for (Scored match : matches) {
                suggestions.add(label(match.meant));
            }
            throw new UnknownItemException(text, suggestions);
        }
        return matches.get(0).meant;
    }

    /** The row or the family that is called so, without a doubt; else null. */
    private Meant named(String text) {
        if (text == null) {
            throw new InvalidArgumentException("an item is asked for by its id, name or alias, not by null");
        }
        int row = rowOfId.get().find(text); // which is mostly asked for, and needs no names
        row = row >= 0 ? row : index.get().row(text);
        if (row >= 0) {
            return new Meant(row, null);
        }
        Family family = families.get().named(text);
        return family == null ? null : new Meant(-1, family);
    }

    /** The row of an item by its id, name or alias. */
    int row(String text) {
        Meant meant = named(text);
        if (meant == null || meant.family != null) {
            List<String> suggestions = new ArrayList<>();
            for (NameIndex.Found each : index.get().find(text, SUGGESTIONS)) {
                suggestions.add(name(each.row));
            }
            throw new UnknownItemException(text, suggestions);
        }
        return meant.row;
    }

    /**
     * What {@code text} surely means to somebody who wants none of it: "no mushrooms" is about the kind, not a side
     * dish. So a family goes before an item that only has it as an alias.
     */
    Meant resolveUnwanted(String text) {
        Meant found = resolve(text);
        Folding known = folding.get();
        if (found.family != null || text.equals(id(found.row))
                || known.fold(text).equals(known.fold(name(found.row)))) {
            return found;
        }
        List<Families.Found> kinds = families.get().find(text, 1);
        boolean isKind = !kinds.isEmpty() && kinds.get(0).score > Fuzzy.ONE_EDIT
                && attributes().count(kinds.get(0).family) > 0;
        return isKind ? new Meant(-1, kinds.get(0).family) : found;
    }

    /** The rows that unwanted texts mean, each once: of a family all its rows. */
    Set<Integer> expand(List<String> texts) {
        Set<Integer> rows = new LinkedHashSet<>();
        for (String text : texts) {
            addRows(resolveUnwanted(text), rows);
        }
        return rows;
    }

    void addRows(Meant meant, Set<Integer> rows) {
        if (meant.family == null) {
            rows.add(meant.row);
            return;
        }
        for (int row : attributes().rows(meant.family)) {
            rows.add(row);
        }
    }

    /** Whether {@code text} is just the id or name of an item, or names a family. */
    boolean isExact(Meant meant, String text) {
        if (meant.family != null) {
            return meant.family.equals(families.get().named(text));
        }
        int row = rowOfId.get().find(text);
        return (row >= 0 ? row : index.get().named(text)) == meant.row;
    }

    String label(Meant meant) {
        return meant.family == null ? name(meant.row) : meant.family.id();
    }

    Match describe(Scored found) {
        Family family = found.meant.family;
        if (family == null) {
            return new Match(id(found.meant.row), name(found.meant.row), found.score, Match.Kind.ITEM, 1);
        }
        return new Match(family.id(), family.value, found.score, Match.Kind.FAMILY, attributes().count(family));
    }
}
