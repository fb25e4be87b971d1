package mignon;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Kinds of items by what they have in common: finds families by their value, its other names, or attribute=value. */
final class Families {
    private static final int NAMES_OF_ONE = 4; // that may come before the next family

    /** A family and how like its name is. */
    static final class Found {
        final Family family;
        final double score;

        Found(Family family, double score) {
            this.family = family;
            this.score = score;
        }
    }

    private final Attributes attributes;
    private final List<Family> families = new ArrayList<>(); // of each name
    private final List<String> names = new ArrayList<>();
    private final NameIndex index;

    /** Every family has its value as a name, and those of the file's further names that are its. */
    Families(ModelFile model, Attributes attributes, Folding folding) {
        this.attributes = attributes;
        Set<Family> all = new LinkedHashSet<>();
        for (Records values = model.records(ModelFile.VOCABULARY, 2); values.next(); ) {
            all.add(new Family(values.text(0), values.text(1)));
        }
        List<Family> named = new ArrayList<>();
        List<String> others = new ArrayList<>();
        if (model.has(ModelFile.FAMILIES)) {
            for (Records further = model.records(ModelFile.FAMILIES, 3); further.next(); ) {
                named.add(new Family(further.text(0), further.text(1)));
                others.add(further.text(2));
            }
        }
        all.addAll(named);
        List<String> ids = new ArrayList<>();
        for (Family family : all) {
            names.add(family.value);
            ids.add(family.id());
        }
        families.addAll(all);
        families.addAll(named);
        names.addAll(others);
        int[] sizes = new int[families.size()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = attributes.count(families.get(i));
        }
        index = new NameIndex(new Lines.Index(Lines.of(ids)), Lines.of(names), () -> null, sizes, folding);
    }

    /** Families whose name resembles {@code text}, best first; of two as like, the larger. */
    List<Found> find(String text, int limit) {
        Map<Family, Double> best = new LinkedHashMap<>();
        for (NameIndex.Found found : index.find(text, (int) Math.min((long) NAMES_OF_ONE * limit, Integer.MAX_VALUE))) {
            best.putIfAbsent(families.get(found.row), found.score);
        }
        List<Found> first = listed(best);
        return first.subList(0, Math.min(limit, first.size()));
    }

    /** Families of which a name has a word that begins with {@code text}; those of such a value, then the largest. */
    List<Found> begun(String text, int limit) {
        List<NameIndex.Found> begun = new ArrayList<>(index.begun(text, Integer.MAX_VALUE));
        Collections.sort(begun, (one, other) -> Boolean.compare(isOtherName(one.row), isOtherName(other.row)));
        Map<Family, Double> best = new LinkedHashMap<>();
        for (NameIndex.Found found : begun) {
            best.putIfAbsent(families.get(found.row), found.score);
        }
        List<Found> first = new ArrayList<>();
        for (Found found : listed(best)) {
            if (first.size() < limit && attributes.count(found.family) > 0) {
                first.add(found);
            }
        }
        return first;
    }

    private boolean isOtherName(int row) {
        return !names.get(row).equals(families.get(row).value);
    }

    private static List<Found> listed(Map<Family, Double> scores) {
        List<Found> found = new ArrayList<>();
        for (Map.Entry<Family, Double> each : scores.entrySet()) {
            found.add(new Found(each.getKey(), each.getValue()));
        }
        return found;
    }

    /** The largest family with just this name, whatever its case and accents, or that of attribute=value; else null. */
    Family named(String text) {
        int row = index.row(text);
        if (row >= 0) {
            return families.get(row);
        }
        int separator = text.indexOf(Family.SEPARATOR);
        if (separator < 0) {
            return null;
        }
        Family family = new Family(text.substring(0, separator), text.substring(separator + 1));
        return attributes.count(family) > 0 ? family : null;
    }
}
