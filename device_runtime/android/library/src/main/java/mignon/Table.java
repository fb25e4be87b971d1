package mignon;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The integers of all rows, and the products of them and a query, which are exact.
 *
 * <p>Rows of 8 bits stay in the file. Rows of 4 bits are unpacked, once, to a byte for each entry.
 */
final class Table {
    /** As many rows as stay in a processor's nearest cache with their sums. */
    static final int ROWS_AT_ONCE = 1024;

    private static final int GROUP = 8; // bytes of a row that are read at once
    private static final long LANES = 0x000000FF000000FFL;
    private static final long SIGNS = 0x8080808080808080L;
    private static final int OFFSET = 128; // what turning the sign bit adds to an entry
    private static final int LARGEST_BYTE = 255;
    private static final long MOST_IN_A_LANE = Integer.MAX_VALUE;

    final int rows;
    final int columns;
    private final ByteBuffer data;

    private Table(int rows, int columns, ByteBuffer data) {
        this.rows = rows;
        this.columns = columns;
        this.data = data;
    }

    /** {@code stored} is in little-endian order, and as long as the manifest says. */
    static Table of(String path, Manifest manifest, ByteBuffer stored) {
        int rows = (int) manifest.rows;
        if (manifest.columns > Integer.MAX_VALUE / manifest.rows) {
            throw new ModelFileException(path + ": a table of " + manifest.rows + " x " + manifest.columns
                    + " entries; this reader takes up to 2,147,483,647");
        }
        int columns = (int) manifest.columns;
        return new Table(rows, columns, manifest.bits == 8 ? stored : unpacked(stored));
    }

    private static ByteBuffer unpacked(ByteBuffer stored) {
        byte[] entries = new byte[2 * stored.limit()];
        for (int i = 0; i < stored.limit(); i++) {
            int pair = stored.get(i);
            entries[2 * i] = (byte) (pair << 28 >> 28);
            entries[2 * i + 1] = (byte) (pair >> 4);
        }
        return ByteBuffer.wrap(entries).order(stored.order());
    }

    int entry(int row, int column) {
        return data.get(row * columns + column);
    }

    /** The integers of one row. */
    long[] row(int row) {
        long[] entries = new long[columns];
        for (int i = 0; i < columns; i++) {
            entries[i] = entry(row, i);
        }
        return entries;
    }

    /** What is needed for one scan, so that threads share nothing. */
    static final class Scratch {
        final double[] scores = new double[ROWS_AT_ONCE];
        private final long[] sums = new long[ROWS_AT_ONCE];
    }

    /** Sets {@code scratch.scores} to the products of {@code query} and up to ROWS_AT_ONCE rows. */
    void score(long[] query, int first, int count, Scratch scratch) {
        long size = 0;
        for (long entry : query) {
            size += Math.abs(entry);
        }
        if (size <= MOST_IN_A_LANE / LARGEST_BYTE) {
            scoreByLanes(query, first, count, scratch);
        } else {
            scoreOneByOne(query, first, count, scratch);
        }
    }

    /**
     * Two entries by one multiplication: bytes a and b, made positive, lie 32 bits apart, as do their entries of the
     * query, the other way round; so the upper half of the product of both is the sum that is wanted. This takes two
     * thirds of the time of a product for each entry, and reads a mapped file as fast as an array.
     */
    private void scoreByLanes(long[] query, int first, int count, Scratch scratch) {
        long[] sums = scratch.sums;
        Arrays.fill(sums, 0, count, 0L);
        int start = first * columns;
        int whole = columns - columns % GROUP;
        long added = 0;
        for (int column = 0; column < whole; column += GROUP) {
            addGroup(sums, count, start + column, query, column);
            for (int i = column; i < column + GROUP; i++) {
                added += OFFSET * query[i];
            }
        }
        for (int column = whole; column < columns; column++) {
            long entry = query[column];
            for (int row = 0; row < count; row++) {
                sums[row] += data.get(start + row * columns + column) * entry << 32;
            }
        }
        for (int row = 0; row < count; row++) {
            long sum = sums[row];
            scratch.scores[row] = (sum - (int) sum >> 32) - added; // the lower half may be negative, and borrow
        }
    }

    private void addGroup(long[] sums, int count, int start, long[] query, int column) {
        long a = (query[column] << 32) + query[column + 4];
        long b = (query[column + 1] << 32) + query[column + 5];
        long c = (query[column + 2] << 32) + query[column + 6];
        long d = (query[column + 3] << 32) + query[column + 7];
        for (int row = 0; row < count; row++) {
            long bytes = data.getLong(start + row * columns) ^ SIGNS;
            sums[row] += (bytes & LANES) * a + (bytes >>> 8 & LANES) * b + (bytes >>> 16 & LANES) * c
                    + (bytes >>> 24 & LANES) * d;
        }
    }

    private void scoreOneByOne(long[] query, int first, int count, Scratch scratch) {
        int place = first * columns;
        for (int row = 0; row < count; row++) {
            long sum = 0;
            for (int column = 0; column < columns; column++) {
                sum += data.get(place++) * query[column];
            }
            scratch.scores[row] = sum;
        }
    }
}
