package mignon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON: objects as maps, arrays as lists, whole numbers as Long, others as Double, true, false and null.
 *
 * <p>Android has a reader of its own, the Java platform has none. A whole number beyond a Long becomes the nearest
 * Long, which is out of the range of every field there is.
 */
final class Json {
    /** The text is not JSON. */
    static final class Fault extends Exception {
        private static final long serialVersionUID = 1L;

        Fault(String message) {
            super(message);
        }
    }

    private static final int DEEPEST = 500; // so that no text can exhaust the stack
    private static final int MOST_DIGITS = 18; // that surely fit a Long

    private final String text;
    private int place;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) throws Fault {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.skipSpace();
        if (reader.place < text.length()) {
            throw reader.fault("more after the value");
        }
        return value;
    }

    private Object value(int depth) throws Fault {
        skipSpace();
        if (depth > DEEPEST) {
            throw fault("nested too deeply");
        }
        char next = peek();
        if (next == '{') {
            return object(depth);
        }
        if (next == '[') {
            return array(depth);
        }
        if (next == '"') {
            return string();
        }
        if (next == '-' && text.startsWith("-Infinity", place)) {
            place += 9;
            return Double.NEGATIVE_INFINITY;
        }
        return next == '-' || isDigit(next) ? number() : word();
    }

    private Object word() throws Fault {
        String[] words = {"true", "false", "null", "NaN", "Infinity"};
        Object[] values = {true, false, null, Double.NaN, Double.POSITIVE_INFINITY};
        for (int i = 0; i < words.length; i++) {
            if (text.startsWith(words[i], place)) {
                place += words[i].length();
                return values[i];
            }
        }
        throw fault("no value");
    }

    private Map<String, Object> object(int depth) throws Fault {
        Map<String, Object> found = new LinkedHashMap<>();
        place++;
        skipSpace();
        if (peek() == '}') {
            place++;
            return found;
        }
        while (true) {
            skipSpace();
            if (peek() != '"') {
                throw fault("no name of a field");
            }
            String name = string();
            skipSpace();
            expect(':');
            found.put(name, value(depth + 1));
            skipSpace();
            if (peek() == '}') {
                place++;
                return found;
            }
            expect(',');
        }
    }

    private List<Object> array(int depth) throws Fault {
        List<Object> found = new ArrayList<>();
        place++;
        skipSpace();
        if (peek() == ']') {
            place++;
            return found;
        }
        while (true) {
            found.add(value(depth + 1));
            skipSpace();
            if (peek() == ']') {
                place++;
                return found;
            }
            expect(',');
        }
    }

    private String string() throws Fault {
        StringBuilder found = new StringBuilder();
        place++;
        while (peek() != '"') {
            if (place == text.length()) {
                throw fault("a text without an end");
            }
            char letter = text.charAt(place++);
            if (letter < ' ') {
                throw fault("a control character in a text");
            }
            found.append(letter == '\\' ? escaped() : letter);
        }
        place++;
        return found.toString();
    }

    private char escaped() throws Fault {
        char kind = peek();
        place++;
        if (kind == 'u') {
            int code = 0;
            for (int i = 0; i < 4; i++) {
                int digit = peek() < 128 ? Character.digit(peek(), 16) : -1;
                if (digit < 0) {
                    throw fault("no four digits after \\u");
                }
                code = 16 * code + digit;
                place++;
            }
            return (char) code;
        }
        int known = "\"\\/bfnrt".indexOf(kind);
        if (known < 0) {
            throw fault("an escape that is not known");
        }
        return "\"\\/\b\f\n\r\t".charAt(known);
    }

    private Object number() throws Fault {
        int start = place;
        place += peek() == '-' ? 1 : 0;
        int first = place;
        digits();
        if (text.charAt(first) == '0' && place > first + 1) {
            throw fault("a number that starts with 0");
        }
        int whole = place;
        if (peek() == '.') {
            place++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            place++;
            place += peek() == '+' || peek() == '-' ? 1 : 0;
            digits();
        }
        if (place > whole) {
            return Double.valueOf(text.substring(start, place));
        }
        if (whole - first > MOST_DIGITS) {
            return text.charAt(start) == '-' ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
        return Long.valueOf(text.substring(start, whole));
    }

    private void digits() throws Fault {
        if (!isDigit(peek())) {
            throw fault("no digit");
        }
        while (isDigit(peek())) {
            place++;
        }
    }

    private static boolean isDigit(char letter) {
        return letter >= '0' && letter <= '9';
    }

    private void skipSpace() {
        while (place < text.length() && " \t\n\r".indexOf(text.charAt(place)) >= 0) {
            place++;
        }
    }

    /** The next letter, or NUL, which is no part of JSON, at the end. */
    private char peek() throws Fault {
        return place < text.length() ? text.charAt(place) : '\0';
    }

    private void expect(char letter) throws Fault {
        if (peek() != letter) {
            throw fault("no '" + letter + "'");
        }
        place++;
    }

    private Fault fault(String what) {
        return new Fault(what + " at character " + place);
    }
}
