package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which rows have which values of which attributes: a list of rows for each value. */
final class Attributes {
    private final int rowCount;
    private final Folding folding;
    private final Map<String, Map<String, Ints>> rowsWith = new LinkedHashMap<>();

    Attributes(ModelFile model, Folding folding) {
        rowCount = model.table.rows;
        this.folding = folding;
        for (Records records = model.records(ModelFile.ATTRIBUTES, 3); records.next(); ) {
            int row = records.row();
            Map<String, Ints> known = rowsWith.computeIfAbsent(records.text(1), name -> new LinkedHashMap<>());
            int start = records.from(2);
            for (int i = start; i <= records.to(2); i++) {
                if (i == records.to(2) || records.data[i] == '|') {
                    String value = Utf8.text(records.data, start, i);
                    known.computeIfAbsent(value, name -> new Ints(4)).add(row);
                    start = i + 1;
                }
            }
        }
        for (Map<String, Ints> known : rowsWith.values()) {
            for (Ints rows : known.values()) {
                rows.values = rows.toArray(); // none has room to grow in vain
                Arrays.sort(rows.values);
            }
        }
    }

    /** How many items have the value. */
    int count(Family family) {
        Ints rows = rowsWith.getOrDefault(family.attribute, Collections.emptyMap()).get(family.value);
        return rows == null ? 0 : rows.size;
    }

    /** The rows of a family, ascending, each once. */
    int[] rows(Family family) {
        Ints rows = rowsWith.getOrDefault(family.attribute, Collections.emptyMap()).get(family.value);
        if (rows == null) {
            return new int[0];
        }
        Ints once = new Ints(rows.size);
        for (int i = 0; i < rows.size; i++) {
            if (i == 0 || rows.values[i] != rows.values[i - 1]) {
                once.add(rows.values[i]);
            }
        }
        return once.toArray();
    }

    /** For each attribute how many items have each value, the most frequent first. */
    Map<String, Map<String, Integer>> counts() {
        Map<String, Map<String, Integer>> counts = new LinkedHashMap<>();
        for (Map.Entry<String, Map<String, Ints>> each : rowsWith.entrySet()) {
            counts.put(each.getKey(), counts(each.getValue()));
        }
        return Collections.unmodifiableMap(counts);
    }

    private static Map<String, Integer> counts(Map<String, Ints> known) {
        List<String> values = new ArrayList<>(known.keySet());
        values.sort((one, other) -> {
            int order = Integer.compare(known.get(other).size, known.get(one).size);
            return order != 0 ? order : Texts.BY_CODE_POINT.compare(one, other);
        });
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (String value : values) {
            counts.put(value, known.get(value).size);
        }
        return Collections.unmodifiableMap(counts);
    }

    /** The attributes of a row; of several values of one those first that many items have. */
    Map<String, List<String>> of(int row) {
        Map<String, List<String>> found = new LinkedHashMap<>();
        for (Map.Entry<String, Map<String, Ints>> each : rowsWith.entrySet()) {
            List<String> values = new ArrayList<>();
            for (Map.Entry<String, Ints> value : each.getValue().entrySet()) {
                Ints rows = value.getValue();
                if (Arrays.binarySearch(rows.values, 0, rows.size, row) >= 0) {
                    values.add(value.getKey());
                }
            }
            if (!values.isEmpty()) {
                values.sort((a, b) -> Integer.compare(each.getValue().get(b).size, each.getValue().get(a).size));
                found.put(each.getKey(), Collections.unmodifiableList(values));
            }
        }
        return Collections.unmodifiableMap(found);
    }

    /** The attribute of this name, whatever its case. */
    String called(String attribute) {
        String name = Texts.sameButForCase(attribute, rowsWith.keySet());
        if (name == null) {
            List<String> like = NameIndex.mostLike(rowsWith.keySet(), attribute, folding);
            String meant = like.isEmpty() ? "" : "did you mean " + Immutable.joined(like) + "? ";
            throw new UnknownAttributeException("no item has an attribute '" + attribute + "'; " + meant + known());
        }
        return name;
    }

    /** All attributes, and one value as an example, for a message. */
    private String known() {
        List<String> names = new ArrayList<>(rowsWith.keySet());
        names.sort(Texts.BY_CODE_POINT);
        for (Map.Entry<String, Map<String, Ints>> each : rowsWith.entrySet()) {
            String frequent = counts(each.getValue()).keySet().iterator().next();
            return "there are " + NameIndex.listed(names) + ", as in " + each.getKey() + "=" + frequent;
        }
        return "no item has any";
    }

    /** Which rows meet every condition. */
    boolean[] allowed(Collection<Condition> conditions) {
        boolean[] allowed = new boolean[rowCount];
        Arrays.fill(allowed, true);
        for (Condition condition : merged(conditions)) {
            boolean[] having = having(condition.attribute, condition.values);
            for (int row = 0; row < rowCount; row++) {
                allowed[row] &= having[row] != condition.forbids;
            }
        }
        return allowed;
    }

    /** An attribute in several conditions allows, or forbids, each of their values. */
    private Collection<Condition> merged(Collection<Condition> conditions) {
        Map<String, Condition> merged = new LinkedHashMap<>();
        for (Condition each : conditions) {
            Condition condition = each.attribute == null ? read(each.values.get(0)) : each;
            Condition before = merged.get(condition.attribute);
            if (before != null && before.forbids != condition.forbids) {
                throw new InvalidArgumentException("where both asks for and forbids values of '" + condition.attribute
                        + "'; give one kind");
            }
            merged.put(condition.attribute, before == null ? condition : before.with(condition.values));
        }
        return merged.values();
    }

    /** A condition as people type it; a name that holds a sign itself is known by what the items have. */
    private Condition read(String text) {
        Condition first = null;
        Condition known = null;
        for (int i = 0; i < text.length(); i++) {
            char sign = text.charAt(i);
            if (sign != '=' && sign != ':') {
                continue;
            }
            boolean forbids = i > 0 && text.charAt(i - 1) == '!';
            String attribute = text.substring(0, forbids ? i - 1 : i);
            String value = text.substring(i + 1);
            String name = Texts.sameButForCase(attribute, rowsWith.keySet());
            Condition read = new Condition(name == null ? attribute : name, Collections.singletonList(value), forbids);
            first = first == null ? read : first;
            if (name != null && Texts.sameButForCase(value, rowsWith.get(name).keySet()) != null) {
                return read;
            }
            known = known == null && name != null ? read : known;
        }
        if (first == null) {
            throw new InvalidArgumentException(
                    "'" + text + "' is no condition; give ATTRIBUTE=VALUE or ATTRIBUTE!=VALUE; " + known());
        }
        return known == null ? first : known;
    }

    private boolean[] having(String asked, List<String> values) {
        String attribute = called(asked);
        Map<String, Ints> known = rowsWith.get(attribute);
        boolean[] having = new boolean[rowCount];
        for (String value : values) {
            String same = Texts.sameButForCase(value, known.keySet());
            if (same == null) {
                throw new UnknownAttributeException("no item has '" + value + "' as its " + attribute + "; "
                        + NameIndex.someOf(known.keySet(), value, folding));
            }
            Ints rows = known.get(same);
            for (int i = 0; i < rows.size; i++) {
                having[rows.values[i]] = true;
            }
        }
        return having;
    }

    /** What an attribute has to be, or must not be; without an attribute, one text as people type it. */
    static final class Condition {
        final String attribute; // null where the text is still to be read
        final List<String> values;
        final boolean forbids;

        Condition(String attribute, List<String> values, boolean forbids) {
            this.attribute = attribute;
            this.values = values;
            this.forbids = forbids;
        }

        Condition with(List<String> more) {
            List<String> all = new ArrayList<>(values);
            all.addAll(more);
            return new Condition(attribute, all, forbids);
        }
    }
}
