package mignon;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** UTF-8 as bytes, as code points and as Java's strings. */
final class Utf8 {
    private Utf8() {
    }

    static String text(byte[] data, int from, int to) {
        return new String(data, from, to - from, StandardCharsets.UTF_8);
    }

    /** Whether all of {@code data} is UTF-8. */
    static boolean isValid(byte[] data) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(data);
        CharBuffer out = CharBuffer.allocate(1 << 12); // what is read is thrown away
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (!result.isOverflow()) {
                return !result.isError();
            }
            out.clear();
        }
    }

    /** The code points of a text, lone surrogates too. */
    static int[] codePoints(String text) {
        Ints codes = new Ints(text.length());
        for (int i = 0; i < text.length(); ) {
            int code = text.codePointAt(i);
            codes.add(code);
            i += Character.charCount(code);
        }
        return codes.toArray();
    }

    /** The code points of a part of what {@link #isValid} found right, or {@link #encode} wrote. */
    static int[] codePoints(byte[] data, int from, int to) {
        int[] codes = new int[to - from];
        int count = 0;
        for (int i = from; i < to; i += width(data[i])) {
            codes[count++] = codeAt(data, i);
        }
        return count == codes.length ? codes : Arrays.copyOf(codes, count);
    }

    /** Bytes of the letter that starts with {@code first}. */
    static int width(byte first) {
        return first >= 0 ? 1 : (first & 0xE0) == 0xC0 ? 2 : (first & 0xF0) == 0xE0 ? 3 : 4;
    }

    static int codeAt(byte[] data, int i) {
        int first = data[i];
        switch (width(data[i])) {
            case 1:
                return first;
            case 2:
                return (first & 0x1F) << 6 | data[i + 1] & 0x3F;
            case 3:
                return (first & 0x0F) << 12 | (data[i + 1] & 0x3F) << 6 | data[i + 2] & 0x3F;
            default:
                return (first & 0x07) << 18 | (data[i + 1] & 0x3F) << 12 | (data[i + 2] & 0x3F) << 6
                        | data[i + 3] & 0x3F;
        }
    }

    /** A lone surrogate becomes three bytes that are in no file, so that it is equal to nothing. */
    static byte[] encode(int[] codes, int count) {
        byte[] data = new byte[4 * count];
        int size = 0;
        for (int i = 0; i < count; i++) {
            size = append(data, size, codes[i]);
        }
        return Arrays.copyOf(data, size);
    }

    static byte[] encode(String text) {
        int[] codes = codePoints(text);
        return encode(codes, codes.length);
    }

    /** Writes one letter at {@code size}, and gives where the next one belongs. */
    static int append(byte[] data, int size, int code) {
        int end = size;
        if (code < 0x80) {
            data[end++] = (byte) code;
        } else if (code < 0x800) {
            data[end++] = (byte) (0xC0 | code >> 6);
            data[end++] = (byte) (0x80 | code & 0x3F);
        } else if (code < 0x10000) {
            data[end++] = (byte) (0xE0 | code >> 12);
            data[end++] = (byte) (0x80 | code >> 6 & 0x3F);
            data[end++] = (byte) (0x80 | code & 0x3F);
        } else {
            data[end++] = (byte) (0xF0 | code >> 18);
            data[end++] = (byte) (0x80 | code >> 12 & 0x3F);
            data[end++] = (byte) (0x80 | code >> 6 & 0x3F);
            data[end++] = (byte) (0x80 | code & 0x3F);
        }
        return end;
    }
}
