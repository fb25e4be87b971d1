package mignon;

/** The file is whole, but its parts do not fit together, or it was not made by mignon. */
public class FileFormatException extends ModelFileException {
    private static final long serialVersionUID = 1L;

    FileFormatException(String message) {
        super(message);
    }
}
