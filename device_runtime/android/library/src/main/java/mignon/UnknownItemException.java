package mignon;

import java.util.List;

/** No item and no family has this id, name or alias, nor one a spelling away. */
public final class UnknownItemException extends MignonException {
    private static final long serialVersionUID = 1L;

    private final String asked;
    private final transient List<String> suggestions;

    UnknownItemException(String asked, List<String> suggestions) {
        super(suggestions.isEmpty()
                ? "no item is called '" + asked + "'; find() searches the names"
                : "no item is called '" + asked + "'; did you mean " + Immutable.joined(suggestions) + "?");
        this.asked = asked;
        this.suggestions = Immutable.copy(suggestions);
    }

    /** What was asked for. */
    public String getAsked() {
        return asked;
    }

    /** Up to three names, or ids of families, that are like it; the best first. */
    public List<String> getSuggestions() {
        return suggestions;
    }
}
