package mignon;

/** How several tastes among the favorites are served. */
public enum Blend {
    /** Favorites that are near one another are one taste, and the best of each taste come back in turns. */
    EACH,
    /** What is near the sum of all favorites comes back: what the file's own signatures answer. */
    TOGETHER
}
