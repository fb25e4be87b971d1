package mignon;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** Texts compared whatever their case, and in the order of their code points. */
final class Texts {
    /** By code points; String.compareTo orders those beyond U+FFFF before some others. */
    static final Comparator<String> BY_CODE_POINT = new Comparator<String>() {
        @Override
        public int compare(String one, String other) {
            int[] a = Utf8.codePoints(one);
            int[] b = Utf8.codePoints(other);
            for (int i = 0; i < a.length && i < b.length; i++) {
                if (a[i] != b[i]) {
                    return Integer.compare(a[i], b[i]);
                }
            }
            return Integer.compare(a.length, b.length);
        }
    };

    private Texts() {
    }

    /** Small letters, as near to Unicode's case folding as the platform comes. */
    static String caseFolded(String text) {
        StringBuilder small = new StringBuilder();
        for (int code : Utf8.codePoints(text.toUpperCase(Locale.ROOT))) {
            small.appendCodePoint(Character.toLowerCase(code));
        }
        return small.toString();
    }

    /**
     * The one of {@code known} that is {@code text}, or else the first that is it but for case and spaces around it.
     */
    static String sameButForCase(String text, Collection<String> known) {
        if (known.contains(text)) {
            return text;
        }
        String plain = caseFolded(text.trim());
        for (String name : known) {
            if (caseFolded(name).equals(plain)) {
                return name;
            }
        }
        return null;
    }
}
