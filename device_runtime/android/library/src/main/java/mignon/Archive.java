package mignon;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads the ZIP archive at the end of a file, strictly: what mignon writes and nothing else of the format, in memory.
 *
 * <p>java.util.zip.ZipFile wants a path, extracts what overlaps, and takes any size.
 */
final class Archive {
    /** The archive is not what mignon writes; the message names no file. */
    static final class Fault extends Exception {
        private static final long serialVersionUID = 1L;

        Fault(String message) {
            super(message);
        }
    }

    /** The record that ends the archive, at {@code position}; its comment ends at {@code stop}. */
    static final class End {
        final int position;
        final int entries;
        final long directorySize;
        final long directoryStart;
        final int stop;

        End(Bytes data, int position) {
            this.position = position;
            entries = data.u16(position + 10);
            directorySize = data.u32(position + 12);
            directoryStart = data.u32(position + 16);
            stop = position + END_SIZE + data.u16(position + 20);
        }
    }

    private static final int END_SIZE = 22;
    private static final int RECORD_SIZE = 46;
    private static final int HEADER_SIZE = 30;
    private static final int SHARED_FROM = 6; // of a record: what its header repeats from byte 4 on
    private static final int SHARED_BYTES = 24; // version, flags, method, time, date, CRC-32, two sizes, name's length
    private static final int STORED = 0;
    private static final int DEFLATED = 8;
    private static final int ENCRYPTED_OR_SIZED_LATER = 0b1001;
    private static final long MOST_BYTES = 1L << 31; // stored and unpacked together
    private static final byte[] END_MARK = {'P', 'K', 5, 6};
    private static final byte[] RECORD_MARK = {'P', 'K', 1, 2};
    private static final byte[] HEADER_MARK = {'P', 'K', 3, 4};

    private Archive() {
    }

    /** The last end record, whether it fits or not; null if there is none. */
    static End findEnd(Bytes data) {
        int position = data.lastPlaceOf(END_MARK);
        return position < 0 || position > data.size - END_SIZE ? null : new End(data, position);
    }

    /** The entries of the archive that ends the file, in the order in which they stand there without a gap. */
    static List<Entry> read(Bytes data) throws Fault {
        End end = findEnd(data);
        if (end == null || end.stop != data.size) {
            throw new Fault("no end of an archive");
        }
        if (end.position != end.directoryStart + end.directorySize) {
            throw new Fault("its directory does not end where it should");
        }
        List<Entry> entries = readDirectory(data, end);
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            checkHeader(data, entry);
            long following = i + 1 < entries.size() ? entries.get(i + 1).header : end.directoryStart;
            if (entry.stop() != following) {
                throw new Fault("'" + entry.name + "' does not end where the next part starts");
            }
        }
        return entries;
    }

    /** The entries that the directory before {@code end} lists. */
    static List<Entry> readDirectory(Bytes data, End end) throws Fault {
        long start = end.position - end.directorySize;
        if (start < 0) {
            throw new Fault("its directory starts before the file");
        }
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long size = 0;
        for (int position = (int) start; position < end.position; ) {
            Entry entry = readRecord(data, position, end.position);
            if (!names.add(entry.name)) {
                throw new Fault("'" + entry.name + "' stands there more than once");
            }
            entries.add(entry);
            size += entry.storedSize + entry.size;
            position = entry.following;
        }
        if (entries.isEmpty() || entries.size() != end.entries) {
            throw new Fault("its directory lists " + entries.size() + " entries and not " + end.entries);
        }
        if (size > MOST_BYTES) {
            throw new Fault("its entries declare " + size + " bytes, more than the " + MOST_BYTES + " allowed");
        }
        return entries;
    }

    private static Entry readRecord(Bytes data, int position, int stop) throws Fault {
        if (position > stop - RECORD_SIZE) {
            throw new Fault("its directory is cut short");
        }
        Entry entry = new Entry(data, position);
        int disk = data.u16(position + 34);
        if (!data.holds(position, RECORD_MARK) || entry.following > stop || disk != 0) {
            throw new Fault("its directory cannot be read");
        }
        byte[] name = data.copy(position + RECORD_SIZE, position + RECORD_SIZE + entry.nameLength);
        if (!Utf8.isValid(name)) {
            throw new Fault("a name in its directory is not UTF-8");
        }
        entry.name = new String(name, StandardCharsets.UTF_8);
        int flags = data.u16(position + 8);
        if (entry.method != STORED && entry.method != DEFLATED || (flags & ENCRYPTED_OR_SIZED_LATER) != 0) {
            throw new Fault("'" + entry.name + "' is stored in a way that is not known here");
        }
        return entry;
    }

    /** Compares the header before the bytes of an entry with what the directory says. */
    static void checkHeader(Bytes data, Entry entry) throws Fault {
        if (entry.stop() > data.size) {
            throw new Fault("'" + entry.name + "' ends beyond the file");
        }
        int header = (int) entry.header;
        byte[] shared = data.copy(entry.record + SHARED_FROM, entry.record + SHARED_FROM + SHARED_BYTES);
        int name = entry.record + RECORD_SIZE;
        boolean same = data.holds(header, HEADER_MARK) && data.holds(header + 4, shared)
                && data.u16(header + 28) == 0 // no extra field
                && data.holds(header + HEADER_SIZE, data.copy(name, name + entry.nameLength));
        if (!same) {
            throw new Fault("the header of '" + entry.name + "' differs from the directory");
        }
    }

    /** The content of an entry whose header was checked, never more than it declares. */
    static byte[] readEntry(Bytes data, Entry entry) throws Fault {
        byte[] content = data.copy((int) entry.start(), (int) entry.stop());
        if (entry.method == DEFLATED) {
            content = inflate(content, entry.size);
        }
        CRC32 crc = new CRC32();
        crc.update(content, 0, content.length);
        if (content.length != entry.size || crc.getValue() != entry.checksum) {
            throw new Fault("it does not fit its size and CRC-32");
        }
        return content;
    }

    private static byte[] inflate(byte[] stored, long size) throws Fault {
        if (size > 1100L * stored.length + 64) { // no deflated byte gives more than 1,032: do not make room for a lie
            throw new Fault("it does not fit its size and CRC-32");
        }
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(stored);
            byte[] content = new byte[(int) size];
            int count = 0;
            while (count < content.length) {
                int more = inflater.inflate(content, count, content.length - count);
                if (more == 0) {
                    break;
                }
                count += more;
            }
            // the end mark may still be unread, and there must be nothing else
            boolean ended = inflater.finished() || inflater.inflate(new byte[1]) == 0 && inflater.finished();
            if (!ended || inflater.getRemaining() != 0 || count != content.length) {
                throw new Fault("its bytes do not end where they should");
            }
            return content;
        } catch (DataFormatException error) {
            throw new Fault(String.valueOf(error.getMessage()));
        } finally {
            inflater.end();
        }
    }

    /** The names of the entries whose header or content does not fit. */
    static List<String> alteredEntries(Bytes data, List<Entry> entries) {
        List<String> altered = new ArrayList<>();
        for (Entry entry : entries) {
            try {
                checkHeader(data, entry);
                readEntry(data, entry);
            } catch (Fault fault) {
                altered.add(entry.name);
            }
        }
        return altered;
    }

    /** One entry, as the directory describes it. */
    static final class Entry {
        String name = "";
        final int record;
        final int method;
        final long checksum;
        final long storedSize;
        final long size;
        final int nameLength;
        final long header;
        final int following;

        Entry(Bytes data, int record) {
            this.record = record;
            method = data.u16(record + 10);
            checksum = data.u32(record + 16);
            storedSize = data.u32(record + 20);
            size = data.u32(record + 24);
            nameLength = data.u16(record + 28);
            header = data.u32(record + 42);
            following = record + RECORD_SIZE + nameLength + data.u16(record + 30) + data.u16(record + 32);
        }

        /** Where its bytes start. */
        long start() {
            return header + HEADER_SIZE + nameLength;
        }

        /** Where its bytes end. */
        long stop() {
            return start() + storedSize;
        }
    }
}
