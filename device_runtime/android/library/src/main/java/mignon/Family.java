package mignon;

/** All items with one value of one attribute. */
final class Family {
    static final char SEPARATOR = '=';

    final String attribute;
    final String value;

    Family(String attribute, String value) {
        this.attribute = attribute;
        this.value = value;
    }

    /** What names it without doubt. */
    String id() {
        return attribute + SEPARATOR + value;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Family && ((Family) other).attribute.equals(attribute)
                && ((Family) other).value.equals(value);
    }

    @Override
    public int hashCode() {
        return 31 * attribute.hashCode() + value.hashCode();
    }
}
