package mignon;

/** The model file is missing, cannot be read, or is not what it should be. */
public class ModelFileException extends MignonException {
    private static final long serialVersionUID = 1L;

    ModelFileException(String message) {
        super(message);
    }

    ModelFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
