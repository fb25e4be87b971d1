package mignon;

import java.util.function.Supplier;

/** A value that is made when it is first asked for, once, whichever thread asks. An error is met by each who asks. */
final class Lazy<T> {
    private Supplier<T> make;
    private volatile T value;

    Lazy(Supplier<T> make) {
        this.make = make;
    }

    T get() {
        T found = value;
        if (found == null) {
            synchronized (this) {
                found = value;
                if (found == null) {
                    found = make.get();
                    value = found;
                    make = null; // what it was made from may be large
                }
            }
        }
        return found;
    }

    boolean isMade() {
        return value != null;
    }
}
