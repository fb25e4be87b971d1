package mignon;

/** The arithmetic that every reader follows, to the bit: sums in integers, or in double and in a given order. */
final class Numbers {
    static final int LARGEST_ENTRY = 127;
    private static final double EXACT_IN_FLOAT = 1 << 24;
    private static final double EXACT_IN_DOUBLE = 1L << 53;
    private static final double ROUNDING = 1e-9; // a sum this small beside what was added is zero but for rounding
    private static final int IN_ORDER = 8; // fewer numbers are added one by one
    private static final int AT_ONCE = 128;

    private Numbers() {
    }

    static double dot(double[] a, double[] b, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    static double squareOf(long[] vector, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += (double) vector[i] * vector[i];
        }
        return sum;
    }

    static double[] wide(long[] vector, int count) {
        double[] wide = new double[count];
        for (int i = 0; i < count; i++) {
            wide[i] = vector[i];
        }
        return wide;
    }

    static boolean isZero(long[] vector) {
        for (long each : vector) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }

    /** {@code vector}, rounded to the finest integers whose scores float32 still holds exactly. */
    static long[] lengthened(double[] vector) {
        int count = vector.length;
        double length = Math.sqrt(dot(vector, vector, count));
        long[] query = new long[count];
        if (length == 0) {
            return query;
        }
        double reach = EXACT_IN_FLOAT / (LARGEST_ENTRY * Math.sqrt(count)) - Math.sqrt(count);
        for (int i = 0; i < count; i++) {
            query[i] = (long) Math.rint(vector[i] * (reach / length));
        }
        return query;
    }

    /**
     * The weighted sum of vectors. Whole weights give the sum itself, if double holds all scores; others are
     * lengthened.
     *
     * @param rule what sets the last entry by the sum of the sizes of the weights; null where there is no bias
     */
    static long[] weightedSum(long[][] vectors, double[] weights, Manifest.Rule rule) {
        int columns = vectors[0].length;
        double[] sizes = new double[weights.length];
        boolean whole = true;
        double greatest = 0;
        for (int i = 0; i < weights.length; i++) {
            sizes[i] = Math.abs(weights[i]);
            greatest = Math.max(greatest, sizes[i]);
            whole &= weights[i] == Math.rint(weights[i]);
        }
        double count = sum(sizes, 0, sizes.length);
        whole &= count * (LARGEST_ENTRY * LARGEST_ENTRY) * columns < EXACT_IN_DOUBLE;
        double unit = whole ? 1.0 : greatest;
        double[] total = new double[columns];
        double largest = 0;
        for (int column = 0; column < columns; column++) {
            for (int i = 0; i < weights.length; i++) {
                total[column] += (whole ? weights[i] : weights[i] / unit) * vectors[i][column];
            }
            largest = Math.max(largest, Math.abs(total[column]));
        }
        if (largest <= (whole ? 0 : ROUNDING * count / unit)) {
            return new long[columns];
        }
        if (rule != null) {
            double bias = rule.biasEntry(count) / unit;
            total[columns - 1] = whole ? Math.rint(bias) : bias;
        }
        return whole ? integers(total) : lengthened(total);
    }

    private static long[] integers(double[] wide) {
        long[] integers = new long[wide.length];
        for (int i = 0; i < wide.length; i++) {
            integers[i] = (long) wide[i];
        }
        return integers;
    }

    /** Integer scores by this factor are cosines, each step rounded to float32. */
    static float cosineFactor(double square, double scale) {
        float norm = (float) Math.sqrt((float) Math.max(1.0, square));
        return (float) scale / norm;
    }

    /** Rounded to four decimals, so that a tie is one on every processor. */
    static double rounded(double score) {
        return Math.rint(score * 1e4) / 1e4;
    }

    /** The sum in the order in which numpy adds: eight sums side by side, and halves of what is long. */
    static double sum(double[] values, int from, int count) {
        if (count < IN_ORDER) {
            double sum = 0;
            for (int i = from; i < from + count; i++) {
                sum += values[i];
            }
            return sum;
        }
        if (count > AT_ONCE) {
            int half = count / 2 - count / 2 % IN_ORDER;
            return sum(values, from, half) + sum(values, from + half, count - half);
        }
        double[] r = new double[IN_ORDER];
        int i = 0;
        for (; i < count - count % IN_ORDER; i++) {
            r[i % IN_ORDER] += values[from + i];
        }
        double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
        for (; i < count; i++) {
            sum += values[from + i];
        }
        return sum;
    }
}
