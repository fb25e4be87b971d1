package mignon;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32;

/** All bytes of a file, read by their place and never beyond the end; threads may share it. */
final class Bytes {
    private static final int AT_ONCE = 1 << 16;

    final int size;
    private final ByteBuffer data;

    /** From the position of {@code data} to its limit, which nobody may change from now on. */
    Bytes(ByteBuffer data) {
        this.data = data.slice().asReadOnlyBuffer();
        this.data.order(ByteOrder.LITTLE_ENDIAN);
        this.size = this.data.limit();
    }

    int u16(int place) {
        return data.getShort(place) & 0xFFFF;
    }

    long u32(int place) {
        return data.getInt(place) & 0xFFFFFFFFL;
    }

    byte[] copy(int from, int to) {
        byte[] copied = new byte[to - from];
        part(from, to).get(copied);
        return copied;
    }

    /** A view of its own, with a position of its own, in little-endian order. */
    ByteBuffer part(int from, int to) {
        ByteBuffer view = data.duplicate();
        view.limit(to);
        view.position(from);
        return view.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    boolean holds(int place, byte[] wanted) {
        if (place < 0 || place > size - wanted.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (data.get(place + i) != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    /** Where {@code wanted} stands for the last time; -1 if nowhere. */
    int lastPlaceOf(byte[] wanted) {
        for (int place = size - wanted.length; place >= 0; place--) {
            if (data.get(place) == wanted[0] && holds(place, wanted)) {
                return place;
            }
        }
        return -1;
    }

    byte[] sha256(int to) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(part(0, to));
            return digest.digest();
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("every Java and every Android has SHA-256", error);
        }
    }

    /** Goes on with the CRC-32 of a part; CRC32.update(ByteBuffer) is newer than the oldest Android. */
    void updateCrc(CRC32 crc, int from, int to) {
        byte[] some = new byte[Math.min(AT_ONCE, Math.max(1, to - from))];
        ByteBuffer view = part(from, to);
        while (view.hasRemaining()) {
            int count = Math.min(some.length, view.remaining());
            view.get(some, 0, count);
            crc.update(some, 0, count);
        }
    }
}
