package mignon;

/** The file was cut short or altered: its digest does not fit its bytes. Copy or export it again. */
public final class DamagedFileException extends ModelFileException {
    private static final long serialVersionUID = 1L;

    private final String part;

    DamagedFileException(String message, String part) {
        super(message);
        this.part = part;
    }

    /**
     * The first part that was altered: {@code table}, {@code graph} (the rest of the flatbuffer), an entry of the
     * archive such as {@code names.txt}, {@code directory} (of the archive) or {@code digest}; null where bytes are
     * missing or too many.
     */
    public String getPart() {
        return part;
    }
}
