package mignon;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.CRC32;

/** Says which part of a file was altered whose digest does not fit. */
final class Diagnosis {
    private static final String AGAIN = "copy or export it again";
    private static final String FOREIGN = "give a .tflite file made by mignon";
    private static final String DIRECTORY = "directory";

    private final String path;
    private final Bytes data;

    private Diagnosis(String path, Bytes data) {
        this.path = path;
        this.data = data;
    }

    /** The error to throw for a file whose digest does not fit: it names what was altered. */
    static ModelFileException of(String path, Bytes data) {
        return new Diagnosis(path, data).find();
    }

    private ModelFileException find() {
        byte[] seal = ModelFile.SEAL.getBytes(StandardCharsets.US_ASCII);
        boolean sealed = data.holds(data.size - ModelFile.DIGEST_LENGTH - seal.length, seal);
        Archive.End end = Archive.findEnd(data);
        if (!sealed && data.lastPlaceOf(ModelFile.MANIFEST.getBytes(StandardCharsets.US_ASCII)) < 0) {
            if (!data.holds(4, ModelFile.IDENTIFIER)) {
                return new FileFormatException(path + ": is not a TFLite file; " + FOREIGN);
            }
            if (end != null) {
                return new FileFormatException(path + ": its archive has no " + ModelFile.MANIFEST
                        + ", so it was not made by mignon; " + FOREIGN);
            }
        }
        if (end == null || end.stop != data.size) {
            return sealed ? altered(Collections.singletonList(DIRECTORY)) : ofAnotherLength(end);
        }
        List<Archive.Entry> entries;
        try {
            entries = Archive.readDirectory(data, end);
        } catch (Archive.Fault fault) {
            return altered(Collections.singletonList(DIRECTORY));
        }
        ModelFileException moved = findMoved(end, entries);
        return moved != null ? moved : findAltered(entries);
    }

    private DamagedFileException ofAnotherLength(Archive.End end) {
        if (end != null && end.stop < data.size) {
            return tooMany(data.size - end.stop, "after its end");
        }
        return new DamagedFileException(path + ": breaks off after " + data.size
                + " bytes, before its digest, or was not made by mignon; " + AGAIN, null);
    }

    private DamagedFileException tooMany(long count, String where) {
        return new DamagedFileException(path + ": has " + count + " bytes too many " + where + "; " + AGAIN, null);
    }

    /** The error where the directory does not stand where its end record says, else null. */
    private DamagedFileException findMoved(Archive.End end, List<Archive.Entry> entries) {
        long start = end.position - end.directorySize;
        long missing = end.directoryStart - start;
        if (missing == 0) {
            return null;
        }
        if (entries.get(entries.size() - 1).stop() == start) {
            return altered(Collections.singletonList(DIRECTORY));
        }
        String where = "before the directory of its archive";
        return missing < 0 ? tooMany(-missing, where)
                : new DamagedFileException(path + ": lacks " + missing + " bytes " + where + "; " + AGAIN, null);
    }

    private ModelFileException findAltered(List<Archive.Entry> entries) {
        List<String> altered = Archive.alteredEntries(data, entries);
        Archive.Entry entry = null;
        for (Archive.Entry each : entries) {
            entry = each.name.equals(ModelFile.MANIFEST) ? each : entry;
        }
        if (entry == null) {
            return altered(Collections.singletonList(DIRECTORY));
        }
        if (altered.contains(ModelFile.MANIFEST)) {
            return altered(altered);
        }
        Manifest manifest;
        try {
            String text = new String(Archive.readEntry(data, entry), StandardCharsets.UTF_8);
            manifest = Manifest.parse(path, text);
        } catch (ModelFileException error) { // of a later version, above all
            return error;
        } catch (Archive.Fault fault) {
            return altered(Collections.singletonList(ModelFile.MANIFEST));
        }
        List<String> parts = alteredInFlatbuffer(manifest, entries.get(0).header);
        parts.addAll(altered);
        if (!parts.isEmpty()) {
            return altered(parts);
        }
        if (manifest.graphCrc32 == null) {
            return new DamagedFileException(
                    path + ": its digest does not fit its " + data.size + " bytes; " + AGAIN, null);
        }
        return new DamagedFileException(path + ": the digest at its end was altered, or bytes that carry nothing: "
                + "table, graph and catalog fit their own checksums; " + AGAIN, "digest");
    }

    private List<String> alteredInFlatbuffer(Manifest manifest, long end) {
        List<String> altered = new ArrayList<>();
        if (manifest.graphCrc32 == null || !manifest.tableFits(end)) {
            return altered;
        }
        int start = (int) manifest.tableOffset;
        int stop = start + (int) (manifest.rows * manifest.rowBytes());
        CRC32 table = new CRC32();
        data.updateCrc(table, start, stop);
        CRC32 graph = new CRC32();
        data.updateCrc(graph, 0, start);
        data.updateCrc(graph, stop, (int) end);
        if (!Long.valueOf(table.getValue()).equals(manifest.tableCrc32)) {
            altered.add("table");
        }
        if (graph.getValue() != manifest.graphCrc32) {
            altered.add("graph");
        }
        return altered;
    }

    /** About the first part, naming all. */
    private DamagedFileException altered(List<String> parts) {
        StringBuilder named = new StringBuilder();
        for (String part : parts) {
            named.append(named.length() == 0 ? "" : " and ").append(inWords(part));
        }
        String were = parts.size() == 1 ? "was" : "were";
        return new DamagedFileException(
                path + ": " + named + " " + were + " altered since export; " + AGAIN, parts.get(0));
    }

    private static String inWords(String part) {
        switch (part) {
            case "table":
            case "graph":
                return "its " + part;
            case DIRECTORY:
                return "the directory of its archive";
            default:
                return "'" + part + "'";
        }
    }
}
