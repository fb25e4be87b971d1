package mignon;

import java.util.Arrays;

/**
 * All that depends on what a model was trained for: its queries, its scores, and what is alike.
 *
 * <p>A model of attributes asks for what is like the sum of the favorites. A model of what people like (which has a
 * preference) asks for what goes with them: score = (sum of their rows * signs) . row + bias, where the bias is the
 * last column, whose entry in the query is set by the number of favorites.
 */
final class Objective {
    private static final int ROWS_OF_PAIRS = 256;
    private static final double LEAST_SHORTENING = 0.5;
    private static final double ROUNDING = 1e-9;

    /** Whether what is recommended for one item is what is most like it. */
    final boolean bestIsAlike;
    final int dims;
    private final Table table;
    private final double scale;
    private final Manifest.Rule rule;
    private final Lazy<Double> alikeFrom = new Lazy<>(this::findAlikeFrom);
    private final Lazy<double[]> inverseLengths = new Lazy<>(this::findInverseLengths);

    Objective(ModelFile model) {
        table = model.table;
        dims = (int) model.manifest.dims;
        scale = model.manifest.scale;
        rule = model.manifest.preference;
        bestIsAlike = rule == null;
    }

    /** The query of favorites with these weights; null stands for 1 each. Zero where they cancel out. */
    long[] query(long[][] vectors, double[] weights) {
        double[] some = weights;
        if (some == null) {
            some = new double[vectors.length];
            Arrays.fill(some, 1.0);
        }
        if (bestIsAlike) {
            return Numbers.weightedSum(vectors, some, null);
        }
        long[][] signed = new long[vectors.length][];
        for (int i = 0; i < vectors.length; i++) {
            signed[i] = vectors[i].clone();
            for (int column = dims - (int) rule.negativeColumns; column < dims; column++) {
                signed[i][column] = -signed[i][column];
            }
            signed[i][dims] = 0;
        }
        return Numbers.weightedSum(signed, some, rule);
    }

    /** The query for what points where {@code vector} does: without a bias. */
    long[] queryTowards(long[] vector) {
        long[] query = vector.clone();
        if (!bestIsAlike) {
            query[dims] = 0;
        }
        return query;
    }

    /** What integer scores of the query are multiplied by; the bias does not count. */
    float cosineFactor(long[] query) {
        return Numbers.cosineFactor(Numbers.squareOf(query, dims), scale);
    }

    /** What ranks by how alike rows are is divided by; see {@link #lengths}. */
    double alikeNorm(long[] query) {
        return Math.sqrt(Math.max(1.0, Numbers.squareOf(query, query.length)));
    }

    /** What scores are multiplied by to rank by how alike rows are: of each row, or null where all are as long. */
    double[] inverseLengths() {
        return bestIsAlike ? null : inverseLengths.get();
    }

    /** How long a row is where it points. */
    double length(int row) {
        return bestIsAlike ? 1 / scale : lengthOf(row);
    }

    /** The cosine from which on rows are alike: what three in a hundred pairs reach; in a thousand, of likes. */
    double alikeFrom() {
        return alikeFrom.get();
    }

    private double findAlikeFrom() {
        int count = Math.min(ROWS_OF_PAIRS, table.rows);
        double[][] some = new double[count][];
        for (int i = 0; i < count; i++) {
            some[i] = Numbers.wide(table.row((int) ((long) i * table.rows / count)), dims);
        }
        double[] cosines = new double[count * (count - 1) / 2];
        int size = 0;
        for (int i = 0; i < count; i++) {
            for (int j = i + 1; j < count; j++) {
                cosines[size++] = cosine(some[i], some[j]);
            }
        }
        Arrays.sort(cosines);
        return size == 0 ? 1.0 : cosines[size - 1 - size * (bestIsAlike ? 30 : 3) / 1000];
    }

    /** The cosine of two vectors of whole numbers. */
    static double cosine(double[] one, double[] other) {
        int count = one.length;
        double squares = Numbers.dot(one, one, count) * Numbers.dot(other, other, count);
        return Numbers.dot(one, other, count) / Math.sqrt(Math.max(squares, 1.0));
    }

    private double lengthOf(int row) {
        double square = 0;
        for (int column = 0; column < dims; column++) {
            square += table.entry(row, column) * table.entry(row, column);
        }
        return Math.sqrt(square);
    }

    private double[] findInverseLengths() {
        double[] inverse = new double[table.rows];
        for (int row = 0; row < table.rows; row++) {
            double length = lengthOf(row);
            inverse[row] = length > 0 ? 1.0 / length : 0.0;
        }
        return inverse;
    }

    /** How widely each row is liked, by its bias; null where the table does not say it. */
    int[] popularity() {
        if (bestIsAlike) {
            return null;
        }
        int[] known = new int[table.rows];
        for (int row = 0; row < table.rows; row++) {
            known[row] = table.entry(row, dims) + 128;
        }
        return known;
    }

    /** The row in the middle of some rows; in a model of likes their mean, halves rounded up. */
    long[] middle(int[] rows) {
        long[] total = new long[table.columns];
        for (int row : rows) {
            for (int column = 0; column < total.length; column++) {
                total[column] += table.entry(row, column);
            }
        }
        if (bestIsAlike) {
            return rowTowards(total);
        }
        for (int column = 0; column < total.length; column++) {
            total[column] = (byte) Math.floorDiv(2 * total[column] + rows.length, 2L * rows.length);
        }
        return total;
    }

    /** In a model of attributes, the row that points where {@code vector} [dims] does, no longer than 1 / scale. */
    long[] rowTowards(long[] vector) {
        double[] wide = Numbers.wide(vector, dims);
        double length = Math.sqrt(Numbers.dot(wide, wide, dims));
        if (length == 0) {
            throw new InvalidArgumentException("the items that it is placed by cancel one another out; give others");
        }
        double radius = 1 / scale;
        double step = 1.0 - 0.002 - 1.0; // as numpy.arange steps
        long[] row = new long[dims];
        for (int tries = 0; 1.0 + tries * step > LEAST_SHORTENING; tries++) {
            double factor = (1.0 + tries * step) * radius;
            double square = 0;
            for (int i = 0; i < dims; i++) {
                double entry = Math.rint(wide[i] / length * factor);
                row[i] = (long) Math.max(-Numbers.LARGEST_ENTRY, Math.min(Numbers.LARGEST_ENTRY, entry));
                square += row[i] * row[i];
            }
            if (square <= radius * radius * (1 + ROUNDING)) {
                break;
            }
        }
        return row;
    }
}
