package mignon;

/** Goes through the lines of an entry whose fields are separated by tabs, without an object for each. */
final class Records {
    private static final int SHOWN = 80;

    final byte[] data;
    private final ModelFile model;
    private final String entry;
    private final int[] ends;
    private int line;
    private int place;
    private int start;

    Records(ModelFile model, String entry, int fields) {
        this.model = model;
        this.entry = entry;
        data = model.utf8(entry);
        ends = new int[fields];
    }

    /** Goes on to the next line that ends with a line break; false where there is none. */
    boolean next() {
        start = place;
        int field = 0;
        for (; place < data.length && data[place] != '\n'; place++) {
            if (data[place] == '\t') {
                if (field < ends.length) {
                    ends[field] = place;
                }
                field++;
            }
        }
        if (place >= data.length) {
            return false;
        }
        line++;
        if (field != ends.length - 1) {
            throw fault("does not have " + ends.length + " fields");
        }
        ends[field] = place++;
        return true;
    }

    int from(int field) {
        return field == 0 ? start : ends[field - 1] + 1;
    }

    int to(int field) {
        return ends[field];
    }

    String text(int field) {
        return Utf8.text(data, from(field), to(field));
    }

    /** The first field as a row of the table. */
    int row() {
        long row = from(0) < to(0) && to(0) - from(0) <= 10 ? 0 : Long.MAX_VALUE;
        for (int i = from(0); i < to(0) && row < model.manifest.rows; i++) {
            row = data[i] >= '0' && data[i] <= '9' ? 10 * row + data[i] - '0' : Long.MAX_VALUE;
        }
        if (row >= model.manifest.rows) {
            throw fault("does not start with a row");
        }
        return (int) row;
    }

    FileFormatException fault(String what) {
        String shown = Utf8.text(data, start, Math.max(start, Math.min(place, start + SHOWN)));
        return new FileFormatException(
                model.path + ": '" + entry + "', line " + line + " " + what + ": '" + shown + "'");
    }
}
