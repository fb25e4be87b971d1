package mignon;

import java.io.File;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Answers from one {@code .tflite} file made by mignon, offline. Wherever an item is asked for, its id, its name or an
 * alias will do, whatever its case and accents, and a kind of items that share an attribute value counts as one.
 *
 * <p>Threads may share it; results are immutable. No method takes or gives null but where it says so. Every error is a
 * {@link MignonException}, which is unchecked.
 */
public final class Recommender {
    /** The version of this library. */
    public static final String VERSION = "0.1.0";

    private final ModelFile file;
    private final Items items;
    private final Ranker ranker;

    private Recommender(ModelFile file) {
        this.file = file;
        items = new Items(file);
        ranker = new Ranker(items);
    }

    /**
     * Opens, verifies and maps the file at {@code path}, which must not be changed while it is in use: write a new
     * model under another name and rename it.
     *
     * @throws ModelFileException it is missing or cannot be read
     * @throws DamagedFileException it was cut short or altered
     * @throws FileFormatException its parts do not fit together, or mignon did not make it
     * @throws FutureVersionException it is of a later format version
     */
    public static Recommender open(String path) {
        return open(new File(path));
    }

    /** See {@link #open(String)}. */
    public static Recommender open(File file) {
        return new Recommender(new ModelFile(file.getPath(), ModelFile.map(file)));
    }

    /**
     * Opens what lies between the position and the limit of {@code content}, which must not be changed any more, such
     * as an uncompressed asset that was mapped. Errors are those of {@link #open(String)}.
     */
    public static Recommender open(ByteBuffer content) {
        return new Recommender(new ModelFile("the model", content));
    }

    /** Reads all of {@code stream} into memory and leaves it open. Errors are those of {@link #open(String)}. */
    public static Recommender open(InputStream stream) {
        return new Recommender(new ModelFile("the model", ModelFile.readAll(stream, "the model")));
    }

    /** What the file says of itself. */
    public Manifest getManifest() {
        return file.manifest;
    }

    /** The number of items. */
    public int size() {
        return file.table.rows;
    }

    /** The id of the item in a row of the table, from 0: the index by which the signatures of the file know it. */
    public String idOf(int row) {
        if (row < 0 || row >= size()) {
            throw new InvalidArgumentException("row is " + row + "; give one from 0 to " + (size() - 1));
        }
        return items.id(row);
    }

    /**
     * The row of an item in the table, by its id, name or alias.
     *
     * @throws UnknownItemException no item is called so; the error suggests what is alike
     */
    public int row(String item) {
        return items.row(item);
    }

    /** Up to five items or families whose names resemble {@code text}; see {@link #find(String, int)}. */
    public List<Match> find(String text) {
        return find(text, 5);
    }

    /**
     * Items whose name or an alias resembles {@code text}, and families whose value does; best first. Case, accents,
     * articles, plurals and the order of words do not matter.
     *
     * @throws InvalidArgumentException {@code limit} is below 1
     */
    public List<Match> find(String text, int limit) {
        Ranker.checkCount("limit", limit);
        return described(items.match(text, limit));
    }

    /** Up to six suggestions; see {@link #complete(String, int)}. */
    public List<Match> complete(String text) {
        return complete(text, 6);
    }

    /**
     * What somebody who has typed {@code text} so far may mean: as {@code find}, and what begins so, the best known
     * first.
     *
     * @throws InvalidArgumentException {@code limit} is below 1
     */
    public List<Match> complete(String text, int limit) {
        Ranker.checkCount("limit", limit);
        return described(items.complete(text, limit));
    }

    private List<Match> described(List<Items.Scored> found) {
        List<Match> matches = new ArrayList<>();
        for (Items.Scored each : found) {
            matches.add(items.describe(each));
        }
        return Collections.unmodifiableList(matches);
    }

    /**
     * The item or family that {@code text} surely means: its name, or a spelling away from it.
     *
     * @throws UnknownItemException there is none; the error suggests what is alike
     */
    public Match resolve(String text) {
        return identified(items.resolve(text), text);
    }

    /** As {@link #resolve}, as a dislike or what is left out: there a family goes before an item with that alias. */
    public Match resolveUnwanted(String text) {
        return identified(items.resolveUnwanted(text), text);
    }

    private Match identified(Items.Meant found, String text) {
        double score = 1.0;
        if (!items.isExact(found, text)) {
            List<Items.Scored> first = items.match(text, 1);
            score = !first.isEmpty() && first.get(0).meant.equals(found) ? first.get(0).score : 1.0;
        }
        return items.describe(new Items.Scored(found, score));
    }

    /** For each attribute how many items have each value, the most frequent first: what {@code where} can ask. */
    public Map<String, Map<String, Integer>> attributes() {
        return items.attributes().counts();
    }

    /**
     * How many items have each value of one attribute, the most frequent first.
     *
     * @throws UnknownAttributeException no item has it
     */
    public Map<String, Integer> attributes(String attribute) {
        return items.attributes().counts().get(items.attributes().called(attribute));
    }

    /** The attributes of an item with its values of each, those first that many items have. */
    public Map<String, List<String>> attributesOf(String item) {
        return items.attributes().of(items.row(item));
    }

    /** The {@code k} items most like {@code item}; see {@link #similar(String, Options)}. */
    public List<Neighbor> similar(String item, int k) {
        return similar(item, Options.top(k));
    }

    /**
     * The items most like {@code item}, without it; of a family, such as "soup" or "course=soup", its own items that
     * are nearest to its middle. Dislikes and blend do not count.
     *
     * @throws UnknownItemException nothing is called so; the error suggests what is alike
     * @throws UnknownAttributeException a filter names an attribute or a value that no item has
     * @throws InvalidArgumentException k is below 1, or a filter cannot be read
     */
    public List<Neighbor> similar(String item, Options options) {
        return ranker.similar(item, options);
    }

    /** The {@code k} best items for these favorites; see {@link #recommend(Collection, Options)}. */
    public List<Neighbor> recommend(Collection<String> favorites, int k) {
        return recommend(favorites, Options.top(k));
    }

    /**
     * The items nearest to the favorites, none of which comes back; one named twice counts once, a family as one.
     * Without favorites the best known items come back, no two of them much alike. Errors are those of {@code similar},
     * and
     *
     * @throws ContradictoryLikesException an item is liked and disliked, maybe under two names
     */
    public List<Neighbor> recommend(Collection<String> favorites, Options options) {
        return ranker.recommend(favorites, options);
    }

    /**
     * The same with a weight for each favorite: a negative one is a dislike, and 0 only keeps the item from coming
     * back.
     *
     * @throws ContradictoryLikesException an item has two weights, or all weights cancel out
     * @throws InvalidArgumentException a weight is not a finite number
     */
    public List<Neighbor> recommend(Map<String, ? extends Number> favorites, Options options) {
        return ranker.recommend(favorites, options);
    }

    /**
     * The items whose vectors point most nearly where {@code vector} does, as many numbers as the manifest's {@code
     * dims}.
     *
     * @throws InvalidArgumentException it has another length, is zero, or holds what is not finite
     */
    public List<Neighbor> search(float[] vector, Options options) {
        return ranker.search(vector, options);
    }

    /** The vector of an item, of length about 1. */
    public float[] vector(String item) {
        return ranker.direction(items.row(item));
    }

    @Override
    public String toString() {
        Manifest manifest = file.manifest;
        return "Recommender(" + file.path + ": " + manifest.rows + " items x " + manifest.dims + " dims, "
                + manifest.bits + " bits)";
    }
}
