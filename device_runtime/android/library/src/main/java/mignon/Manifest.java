package mignon;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What the file says of itself. In Kotlin the fields are properties. */
public final class Manifest {
    static final int FORMAT_VERSION = 1;
    private static final long MOST_OF_ANYTHING = 1L << 53; // a whole number that every language reads from JSON
    private static final int LARGEST_BIAS_ENTRY = 1 << 20;
    private static final int ALIGNMENT = 16;

    /** The name of the model. */
    public final String name;
    /** The number of items. */
    public final long rows;
    /** The numbers in the vector of an item. */
    public final long dims;
    /** The entries in a row of the table: {@code dims}, and one for the bias in a model of what people like. */
    public final long columns;
    /** Of an entry: 8 or 4. */
    public final long bits;
    /** What one step of the table is worth: a row times {@code scale} has a norm of about 1, never above it. */
    public final double scale;
    /** What the model learned: {@code attributes} or {@code interactions}. */
    public final String objective;
    /** Of the data of the catalog. */
    public final String license;

    final long tableOffset;
    final Rule preference; // null in a model of attributes
    final Long tableCrc32; // null where the file does not say it
    final Long graphCrc32;

    /** How a model of what people like turns favorites into a query. */
    static final class Rule {
        final double entry;
        final double power;
        final long negativeColumns;

        Rule(double entry, double power, long negativeColumns) {
            this.entry = entry;
            this.power = power;
            this.negativeColumns = negativeColumns;
        }

        /** The query's entry in the bias column for so many favorites or so much weight, before it is rounded. */
        double biasEntry(double count) {
            return entry * Math.pow(count, power);
        }
    }

    private Manifest(Reader from) {
        preference = from.rule();
        rows = from.whole("rows");
        dims = from.whole("dims");
        columns = from.whole("columns");
        bits = from.whole("bits");
        tableOffset = from.whole("table_offset");
        name = from.text("name");
        objective = from.text("objective");
        license = from.text("license");
        scale = from.number("scale");
        from.check("quality", from.raw.get("quality") instanceof Map, "dict");
        tableCrc32 = from.checksum("table_crc32");
        graphCrc32 = from.checksum("graph_crc32");
        checkShape(from);
    }

    /**
     * Reads the manifest in {@code text}, which stands in the file called {@code path}.
     *
     * @throws FutureVersionException it is of a later format version
     * @throws FileFormatException it is not a manifest, or contradicts itself
     */
    static Manifest parse(String path, String text) {
        Object raw;
        try {
            raw = Json.parse(text);
        } catch (Json.Fault fault) {
            throw new FileFormatException(
                    path + ": " + ModelFile.MANIFEST + " is not JSON (" + fault.getMessage() + ")");
        }
        if (!(raw instanceof Map)) {
            throw new FileFormatException(path + ": " + ModelFile.MANIFEST + " is not a JSON object");
        }
        Reader reader = new Reader(path, (Map<?, ?>) raw);
        reader.checkVersion();
        reader.checkFields();
        return new Manifest(reader);
    }

    /** Bytes of a row of the table as stored. */
    long rowBytes() {
        return columns * bits / 8;
    }

    /** Whether the table lies within the {@code end} bytes of the flatbuffer. */
    boolean tableFits(long end) {
        return tableOffset <= end && rowBytes() <= (end - tableOffset) / rows;
    }

    boolean tableIsAligned() {
        return tableOffset % ALIGNMENT == 0;
    }

    private void checkShape(Reader from) {
        long[] values = {rows, dims, columns, tableOffset};
        String[] fields = {"rows", "dims", "columns", "table_offset"};
        for (int i = 0; i < values.length; i++) {
            if (values[i] < (i == 3 ? 0 : 1) || values[i] >= MOST_OF_ANYTHING) {
                throw from.fault("gives " + fields[i] + " as " + values[i] + ", which is out of range");
            }
        }
        if (bits != 4 && bits != 8 || columns * bits % 8 != 0) {
            throw from.fault("gives " + columns + " columns of " + bits + " bits");
        }
        if (columns != dims + (preference == null ? 0 : 1)) {
            throw from.fault("gives " + columns + " columns for " + dims + " dims");
        }
        if (preference != null && preference.negativeColumns > dims) {
            throw from.fault("gives more negative_columns than the " + dims + " dims");
        }
        if (!(scale > 0 && scale < 1)) {
            throw from.fault("gives scale as " + scale + ", not a number between 0 and 1");
        }
    }

    /** Fields by name and kind, as a JSON object has them. */
    private static final class Reader {
        private static final String[] REQUIRED = {
            "format_version", "name", "rows", "dims", "columns", "bits", "scale", "table_offset", "objective",
            "quality", "license"
        };
        private static final Set<String> RULE = new HashSet<>(Arrays.asList("entry", "power", "negative_columns"));

        final String path;
        final Map<?, ?> raw;

        Reader(String path, Map<?, ?> raw) {
            this.path = path;
            this.raw = raw;
        }

        FileFormatException fault(String what) {
            return new FileFormatException(path + ": " + ModelFile.MANIFEST + " " + what);
        }

        void checkVersion() {
            Object version = raw.get("format_version");
            if (Long.valueOf(FORMAT_VERSION).equals(version)) {
                return;
            }
            String message = path + ": format version " + shown(version) + "; this reader knows version "
                    + FORMAT_VERSION;
            if (version instanceof Long && (Long) version > FORMAT_VERSION) {
                throw new FutureVersionException(message + "; install a later one");
            }
            throw new FileFormatException(message + "; export it again");
        }

        void checkFields() {
            for (String field : REQUIRED) {
                if (!raw.containsKey(field)) {
                    throw fault("has no '" + field + "'; export the model again");
                }
            }
        }

        void check(String field, boolean right, String kind) {
            if (!right) {
                throw fault("gives " + field + " as " + shown(raw.get(field)) + ", not as " + kind);
            }
        }

        long whole(String field) {
            check(field, raw.get(field) instanceof Long, "int");
            return (Long) raw.get(field);
        }

        String text(String field) {
            check(field, raw.get(field) instanceof String, "str");
            return (String) raw.get(field);
        }

        double number(String field) {
            check(field, raw.get(field) instanceof Double, "float");
            return (Double) raw.get(field);
        }

        /** Null where there is none; one that is no whole number fits nothing. */
        Long checksum(String field) {
            Object value = raw.get(field);
            return value == null ? null : value instanceof Long ? (Long) value : Long.valueOf(-1);
        }

        Rule rule() {
            if (raw.get("preference") == null) {
                return null;
            }
            if (!(raw.get("preference") instanceof Map)
                    || !((Map<?, ?>) raw.get("preference")).keySet().equals(RULE)) {
                throw fault("gives a preference without its entry, power, negative_columns");
            }
            Map<?, ?> rule = (Map<?, ?>) raw.get("preference");
            Object entry = rule.get("entry");
            if (!(entry instanceof Double) || !(Math.abs((Double) entry) < LARGEST_BIAS_ENTRY)) {
                throw fault("gives the preference's entry as " + shown(entry));
            }
            Object power = rule.get("power");
            if (!(power instanceof Double) || !((Double) power >= 0 && (Double) power <= 1)) {
                throw fault("gives the preference's power as " + shown(power));
            }
            Object negative = rule.get("negative_columns");
            if (!(negative instanceof Long) || (Long) negative < 0 || (Long) negative >= MOST_OF_ANYTHING) {
                throw fault("gives negative_columns as " + shown(negative));
            }
            return new Rule((Double) entry, (Double) power, (Long) negative);
        }

        private static String shown(Object value) {
            String text = String.valueOf(value);
            return text.length() > 40 ? text.substring(0, 40) : text;
        }
    }
}
