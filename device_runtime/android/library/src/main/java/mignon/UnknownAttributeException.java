package mignon;

/** A filter names an attribute, or a value of it, that no item has. */
public final class UnknownAttributeException extends MignonException {
    private static final long serialVersionUID = 1L;

    UnknownAttributeException(String message) {
        super(message);
    }
}
