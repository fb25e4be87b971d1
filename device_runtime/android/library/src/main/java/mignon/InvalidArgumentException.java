package mignon;

/**
 * An argument is out of its range or says nothing: k below 1, a weight that is not finite, a filter that cannot be
 * read.
 */
public class InvalidArgumentException extends MignonException {
    private static final long serialVersionUID = 1L;

    InvalidArgumentException(String message) {
        super(message);
    }
}
