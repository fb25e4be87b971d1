package mignon;

import java.util.List;

/** An item is liked and disliked, or has two weights, maybe under two names, or all weights cancel out. */
public final class ContradictoryLikesException extends InvalidArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> items;

    ContradictoryLikesException(String message, List<String> items) {
        super(message);
        this.items = Immutable.copy(items);
    }

    /** The names of the items that contradict themselves or one another. */
    public List<String> getItems() {
        return items;
    }
}
