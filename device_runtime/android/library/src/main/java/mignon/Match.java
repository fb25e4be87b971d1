package mignon;

/**
 * An item, or a family of items, whose name resembles what was typed.
 *
 * <p>In Kotlin the fields are properties: {@code match.name}. None is null.
 */
public final class Match {
    /** What a match is. */
    public enum Kind {
        /** One item. */
        ITEM,
        /** All items with one value of an attribute. */
        FAMILY
    }

    /** The id of an item; of a family {@code attribute=value}, which asks for it without doubt. */
    public final String id;
    /** The name of an item, the value of a family. */
    public final String name;
    /** 1 for the same name, from 0.9 what is surely meant, below only alike. */
    public final double score;
    /** An item or a family. */
    public final Kind kind;
    /** How many items a family has; 1 of an item. */
    public final int size;
    /** Whether it is the name itself or a spelling away, and not only alike. */
    public final boolean sure;

    Match(String id, String name, double score, Kind kind, int size) {
        this.id = id;
        this.name = name;
        this.score = score;
        this.kind = kind;
        this.size = size;
        this.sure = score >= Fuzzy.SURE;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Match && ((Match) other).id.equals(id) && ((Match) other).kind == kind
                && Double.compare(((Match) other).score, score) == 0 && ((Match) other).size == size;
    }

    @Override
    public int hashCode() {
        return 31 * id.hashCode() + kind.hashCode();
    }

    @Override
    public String toString() {
        return "Match(" + id + ", " + name + ", " + score + ", " + kind + ", " + size + ", " + sure + ")";
    }
}
