package mignon;

import java.util.LinkedHashMap;
import java.util.Map;

/** The vectors of attribute values: where the items with a value stand together. */
final class Vocabulary {
    private final Map<String, Map<String, Integer>> placeOf = new LinkedHashMap<>();
    private final byte[] entries;
    private final int dims;

    Vocabulary(ModelFile model) {
        dims = (int) model.manifest.dims;
        entries = model.data(ModelFile.VOCABULARY_VECTORS);
        int count = 0;
        for (Records values = model.records(ModelFile.VOCABULARY, 2); values.next(); count++) {
            placeOf.computeIfAbsent(values.text(0), name -> new LinkedHashMap<>()).put(values.text(1), count);
        }
        if (entries.length != (long) count * dims) {
            throw new FileFormatException(model.path + ": '" + ModelFile.VOCABULARY_VECTORS + "' has " + entries.length
                    + " bytes for the " + count + " lines of '" + ModelFile.VOCABULARY + "' and " + dims + " dims");
        }
    }

    /** The vector of a value; null where the model was trained without it. */
    long[] find(Family family) {
        String attribute = Texts.sameButForCase(family.attribute, placeOf.keySet());
        String value = attribute == null ? null
                : Texts.sameButForCase(family.value, placeOf.get(attribute).keySet());
        if (value == null) {
            return null;
        }
        long[] vector = new long[dims];
        int start = placeOf.get(attribute).get(value) * dims;
        for (int i = 0; i < dims; i++) {
            vector[i] = entries[start + i];
        }
        return vector;
    }
}
