package mignon;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/** Lists that nobody changes; List.of and String.join are newer than the oldest Android that this library runs on. */
final class Immutable {
    private Immutable() {
    }

    static <T> List<T> copy(Collection<? extends T> values) {
        return Collections.unmodifiableList(new ArrayList<T>(values));
    }

    static String joined(Collection<String> texts) {
        StringBuilder all = new StringBuilder();
        for (String text : texts) {
            all.append(all.length() == 0 ? "" : ", ").append(text);
        }
        return all.toString();
    }
}
