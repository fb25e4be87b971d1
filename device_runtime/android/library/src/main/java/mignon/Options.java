package mignon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/**
 * What is asked of results: how many, which never, what they must be like. Immutable: each method gives other options.
 *
 * <pre>{@code Options.top(5).exclude("blini").where("diet", "vegetarian").whereNot("allergens", "milk")}</pre>
 */
public final class Options {
    private static final int USUAL = 10;
    private static final Options NONE = new Options(
            USUAL, Collections.<String>emptyList(), Collections.<String>emptyList(),
            Collections.<Attributes.Condition>emptyList(), null);

    final int k;
    final List<String> dislikes;
    final List<String> exclude;
    final List<Attributes.Condition> where;
    final Blend blend; // null for what suits the model

    private Options(
            int k, List<String> dislikes, List<String> exclude, List<Attributes.Condition> where, Blend blend) {
        this.k = k;
        this.dislikes = dislikes;
        this.exclude = exclude;
        this.where = where;
        this.blend = blend;
    }

    /** Ten results, of all items. */
    public static Options none() {
        return NONE;
    }

    /** The {@code k} best results, of all items; {@code k} is at least 1. */
    public static Options top(int k) {
        return NONE.k(k);
    }

    /** How many results, at least 1; fewer come back where fewer are eligible. */
    public Options k(int count) {
        return new Options(count, dislikes, exclude, where, blend);
    }

    /**
     * Items or families to keep away from, as by a weight of -1: what is much like one steps back, and neither it nor,
     * of a family, any of its items comes back. They count for {@code recommend} alone.
     */
    public Options dislikes(String... items) {
        return dislikes(Arrays.asList(items));
    }

    /** See {@link #dislikes(String...)}. */
    public Options dislikes(Collection<String> items) {
        return new Options(k, joined(dislikes, items), exclude, where, blend);
    }

    /** Items that must not come back; of a family none of its items. */
    public Options exclude(String... items) {
        return exclude(Arrays.asList(items));
    }

    /** See {@link #exclude(String...)}. */
    public Options exclude(Collection<String> items) {
        return new Options(k, dislikes, joined(exclude, items), where, blend);
    }

    /** Results must have one of {@code values}, whatever its case. Several conditions must all be met. */
    public Options where(String attribute, String value, String... values) {
        List<String> all = new ArrayList<>();
        all.add(value);
        all.addAll(Arrays.asList(values));
        return where(attribute, all);
    }

    /** See {@link #where(String, String, String...)}; of no values nothing comes back. */
    public Options where(String attribute, Collection<String> values) {
        return with(checked(attribute, values, false));
    }

    /** Results must have none of {@code values}. */
    public Options whereNot(String attribute, String value, String... values) {
        List<String> all = new ArrayList<>();
        all.add(value);
        all.addAll(Arrays.asList(values));
        return whereNot(attribute, all);
    }

    /** See {@link #whereNot(String, String, String...)}. */
    public Options whereNot(String attribute, Collection<String> values) {
        return with(checked(attribute, values, true));
    }

    /** A condition as people type it: {@code course=soup}, {@code course:soup}, {@code course!=soup}. */
    public Options where(String condition) {
        return with(new Attributes.Condition(
                null, joined(Collections.<String>emptyList(), Collections.singletonList(condition)), false));
    }

    /** How several tastes are served; null for what suits the model: EACH, or TOGETHER where it learned from likes. */
    public Options blend(Blend how) {
        return new Options(k, dislikes, exclude, where, how);
    }

    private Options with(Attributes.Condition condition) {
        List<Attributes.Condition> all = new ArrayList<>(where);
        all.add(condition);
        return new Options(k, dislikes, exclude, Collections.unmodifiableList(all), blend);
    }

    private static Attributes.Condition checked(String attribute, Collection<String> values, boolean forbids) {
        if (attribute == null) {
            throw new InvalidArgumentException("a condition names the attribute null; give its name");
        }
        return new Attributes.Condition(attribute, joined(Collections.<String>emptyList(), values), forbids);
    }

    private static List<String> joined(List<String> some, Collection<String> more) {
        if (more == null || more.contains(null)) {
            throw new InvalidArgumentException("null is no item and no value; leave it away");
        }
        List<String> all = new ArrayList<>(some);
        all.addAll(more);
        return Collections.unmodifiableList(all);
    }
}
