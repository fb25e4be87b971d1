package mignon;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/** The stored files of the conformance set, and the same with other bytes under a digest that fits. */
final class Stored {
    private static final File FOLDER = new File(System.getProperty("golden", "tests/golden"));
    private static final int SIGNED = 64; // hexadecimal digits at the end

    private Stored() {
    }

    static File folder() {
        return FOLDER;
    }

    static File file(String name) {
        return new File(FOLDER, "files/" + name + ".tflite");
    }

    static byte[] bytes(String name) throws IOException {
        try (InputStream stream = new FileInputStream(file(name))) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int each = stream.read(); each >= 0; each = stream.read()) {
                all.write(each);
            }
            return all.toByteArray();
        }
    }

    static Recommender open(byte[] file) {
        return Recommender.open(ByteBuffer.wrap(file));
    }

    /** The same bytes with a digest that fits them. */
    static byte[] sealed(byte[] file) throws Exception {
        byte[] sealed = file.clone();
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(sealed, 0, sealed.length - SIGNED);
        StringBuilder text = new StringBuilder();
        for (byte each : digest.digest()) {
            text.append(String.format("%02x", each));
        }
        System.arraycopy(text.toString().getBytes(StandardCharsets.US_ASCII), 0, sealed, file.length - SIGNED, SIGNED);
        return sealed;
    }

    /** The file with other entries: what {@code changes} has under a name replaces what was there, or is added. */
    static byte[] with(byte[] file, Map<String, byte[]> changes) throws Exception {
        Bytes data = new Bytes(ByteBuffer.wrap(file));
        List<Archive.Entry> entries = Archive.read(data);
        Map<String, byte[]> contents = new java.util.LinkedHashMap<>();
        for (Archive.Entry entry : entries) {
            contents.put(entry.name, Archive.readEntry(data, entry));
        }
        contents.putAll(changes);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream directory = new ByteArrayOutputStream();
        out.write(file, 0, (int) entries.get(0).header);
        for (Map.Entry<String, byte[]> each : contents.entrySet()) {
            byte[] shared = shared(each.getKey(), each.getValue());
            ByteBuffer record = little(46).putInt(0x02014B50).putShort((short) 20).put(shared);
            directory.write(record.putInt(42, out.size()).array());
            directory.write(each.getKey().getBytes(StandardCharsets.UTF_8));
            out.write(little(30).putInt(0x04034B50).put(shared).array());
            out.write(each.getKey().getBytes(StandardCharsets.UTF_8));
            out.write(each.getValue());
        }
        String comment = ModelFile.SEAL + new String(new char[SIGNED]).replace('\0', '0');
        ByteBuffer end = little(22).putInt(0, 0x06054B50).putShort(8, (short) contents.size())
                .putShort(10, (short) contents.size()).putInt(12, directory.size()).putInt(16, out.size())
                .putShort(20, (short) comment.length());
        out.write(directory.toByteArray());
        out.write(end.array());
        out.write(comment.getBytes(StandardCharsets.US_ASCII));
        return sealed(out.toByteArray());
    }

    /** What a record of the directory and the header before the bytes both say of an entry that is stored as it is. */
    private static byte[] shared(String name, byte[] content) {
        CRC32 crc = new CRC32();
        crc.update(content);
        return little(24).putShort((short) 20).putShort((short) 0x800).putShort((short) 0).putInt(0x00210000)
                .putInt((int) crc.getValue()).putInt(content.length).putInt(content.length)
                .putShort((short) name.getBytes(StandardCharsets.UTF_8).length).array();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
