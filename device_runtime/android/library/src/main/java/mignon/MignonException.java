package mignon;

/** The base of every error of this library. Each message says what was found, where, and what to do. */
public class MignonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MignonException(String message) {
        super(message);
    }

    MignonException(String message, Throwable cause) {
        super(message, cause);
    }
}
