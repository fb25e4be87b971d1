package mignon;

/** The file was made by a later mignon, in a format that is not known here. Take a later version of this library. */
public final class FutureVersionException extends FileFormatException {
    private static final long serialVersionUID = 1L;

    FutureVersionException(String message) {
        super(message);
    }
}
