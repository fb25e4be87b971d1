package mignon;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A verified model file. The table stays where it is; entries of the archive are read when they are asked for. */
final class ModelFile {
    static final byte[] IDENTIFIER = {'T', 'F', 'L', '3'};
    static final int DIGEST_LENGTH = 64;
    static final String SEAL = "mignon sha256 ";
    static final String MANIFEST = "manifest.json";
    static final String IDS = "ids.txt";
    static final String NAMES = "names.txt";
    static final String ALIASES = "aliases.tsv";
    static final String ATTRIBUTES = "attributes.tsv";
    static final String VOCABULARY = "vocabulary.tsv";
    static final String VOCABULARY_VECTORS = "vocabulary.int8";
    static final String FAMILIES = "families.tsv";
    static final String POPULARITY = "popularity.uint8";
    static final String FOLDING = "folding.tsv";
    private static final int MOST_MANIFEST_BYTES = 1 << 20;
    private static final String HEX = "0123456789abcdef";
    private static final int AT_ONCE = 1 << 16;

    final String path;
    final Manifest manifest;
    final Table table;
    private final Bytes data;
    private final Map<String, Archive.Entry> entries = new LinkedHashMap<>();

    /** Opens and verifies {@code content}; {@code path} is what messages call it. */
    ModelFile(String path, ByteBuffer content) {
        this.path = path;
        data = new Bytes(content);
        if (data.size == 0) {
            throw new FileFormatException(path + ": is empty; give a .tflite file made by mignon");
        }
        checkDigest();
        long end = readEntries();
        manifest = Manifest.parse(path, text(MANIFEST));
        if (!manifest.tableIsAligned() || !manifest.tableFits(end)) {
            throw new FileFormatException(path + ": a table of " + manifest.rows + " x " + manifest.rowBytes()
                    + " bytes at " + manifest.tableOffset + " does not lie within the " + end
                    + " bytes of the flatbuffer, 16-aligned");
        }
        int start = (int) manifest.tableOffset;
        table = Table.of(path, manifest, data.part(start, start + (int) (manifest.rows * manifest.rowBytes())));
    }

    static ByteBuffer map(File file) {
        try (RandomAccessFile opened = new RandomAccessFile(file, "r")) {
            FileChannel channel = opened.getChannel();
            if (channel.size() > Integer.MAX_VALUE) {
                throw new ModelFileException(
                        file + ": has " + channel.size() + " bytes; this reader takes up to 2,147,483,647");
            }
            return channel.size() == 0 ? ByteBuffer.allocate(0)
                    : channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        } catch (IOException error) {
            throw unreadable(file.getPath(), error);
        }
    }

    static ByteBuffer readAll(InputStream stream, String path) {
        try {
            ByteArrayOutputStream all = new ByteArrayOutputStream(AT_ONCE);
            byte[] some = new byte[AT_ONCE];
            for (int count = stream.read(some); count >= 0; count = stream.read(some)) {
                all.write(some, 0, count);
            }
            return ByteBuffer.wrap(all.toByteArray());
        } catch (IOException error) {
            throw unreadable(path, error);
        }
    }

    private static ModelFileException unreadable(String path, IOException error) {
        return new ModelFileException(path + ": cannot be read (" + error.getMessage()
                + "); give a .tflite file made by mignon", error);
    }

    private void checkDigest() {
        int signed = data.size - DIGEST_LENGTH;
        if (signed < 0) {
            throw Diagnosis.of(path, data);
        }
        StringBuilder digest = new StringBuilder();
        for (byte each : data.sha256(signed)) {
            digest.append(HEX.charAt(each >> 4 & 15)).append(HEX.charAt(each & 15));
        }
        if (!data.holds(signed, digest.toString().getBytes(StandardCharsets.US_ASCII))) {
            throw Diagnosis.of(path, data);
        }
        if (!data.holds(4, IDENTIFIER)) {
            throw new FileFormatException(path + ": is not a TFLite file; give a .tflite file made by mignon");
        }
    }

    /** Gives where the archive starts and the flatbuffer ends. */
    private long readEntries() {
        try {
            List<Archive.Entry> found = Archive.read(data);
            for (Archive.Entry entry : found) {
                entries.put(entry.name, entry);
            }
            return found.get(0).header;
        } catch (Archive.Fault fault) {
            throw new FileFormatException(path + ": the archive at its end cannot be read: " + fault.getMessage());
        }
    }

    boolean has(String entry) {
        return entries.containsKey(entry);
    }

    /** The bytes of one entry of the archive. */
    byte[] data(String entry) {
        Archive.Entry found = entries.get(entry);
        if (found == null) {
            throw new FileFormatException(path + ": entry '" + entry + "' is missing; export the model again");
        }
        if (entry.equals(MANIFEST) && found.size > MOST_MANIFEST_BYTES) {
            throw new FileFormatException(path + ": " + entry + " declares " + found.size + " bytes, more than the "
                    + MOST_MANIFEST_BYTES + " allowed");
        }
        try {
            return Archive.readEntry(data, found);
        } catch (Archive.Fault fault) {
            throw new FileFormatException(path + ": entry '" + entry + "' cannot be read (" + fault.getMessage() + ")");
        }
    }

    /** The bytes of one entry, which are UTF-8. */
    byte[] utf8(String entry) {
        byte[] content = data(entry);
        if (!Utf8.isValid(content)) {
            throw new FileFormatException(path + ": entry '" + entry + "' is not UTF-8");
        }
        return content;
    }

    private String text(String entry) {
        return new String(utf8(entry), StandardCharsets.UTF_8);
    }

    /** The lines of an entry that has one line for each row of the table. */
    Lines lines(String entry) {
        byte[] content = utf8(entry);
        Lines lines = new Lines(content);
        if (lines.size() != manifest.rows || content[content.length - 1] != '\n') {
            throw new FileFormatException(
                    path + ": '" + entry + "' has " + lines.size() + " whole lines for " + manifest.rows + " rows");
        }
        return lines;
    }

    /** The tab-separated records of an entry, of so many fields each. */
    Records records(String entry, int fields) {
        return new Records(this, entry, fields);
    }
}
