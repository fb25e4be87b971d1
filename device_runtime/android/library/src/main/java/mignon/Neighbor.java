package mignon;

/**
 * An item near a query, or recommended.
 *
 * <p>In Kotlin the fields are properties: {@code neighbor.name}. None is null.
 */
public final class Neighbor {
    /** The id of the item. */
    public final String id;
    /** Its name. */
    public final String name;
    /**
     * The cosine, from -1 to 1. In a model of what people like, {@code recommend} gives another score: how well the
     * item goes with the favorites. It has no bounds; its order alone counts.
     */
    public final float score;

    Neighbor(String id, String name, float score) {
        this.id = id;
        this.name = name;
        this.score = score;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Neighbor && ((Neighbor) other).id.equals(id) && ((Neighbor) other).name.equals(name)
                && Float.compare(((Neighbor) other).score, score) == 0;
    }

    @Override
    public int hashCode() {
        return 31 * id.hashCode() + Float.floatToIntBits(score);
    }

    @Override
    public String toString() {
        return "Neighbor(" + id + ", " + name + ", " + score + ")";
    }
}
