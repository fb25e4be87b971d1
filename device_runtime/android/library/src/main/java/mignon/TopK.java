package mignon;

/** Keeps the k greatest scores of rows that are offered in ascending order; of equal ones the lower row. */
final class TopK {
    private final int k;
    private final double[] scores; // a heap whose first is the worst
    private final int[] rows;
    private int size;

    TopK(int k) {
        this.k = k;
        scores = new double[k];
        rows = new int[k];
    }

    /** What a score has to exceed. */
    double bound() {
        return size < k ? Double.NEGATIVE_INFINITY : k == 0 ? Double.POSITIVE_INFINITY : scores[0];
    }

    void offer(double score, int row) {
        if (!(score > bound())) {
            return;
        }
        if (size < k) {
            int place = size++;
            while (place > 0 && isWorse(score, row, (place - 1) / 2)) {
                move((place - 1) / 2, place);
                place = (place - 1) / 2;
            }
            put(place, score, row);
        } else {
            sink(score, row);
        }
    }

    /** Takes what is kept, the best first; nothing is kept then. */
    Best take() {
        Best best = new Best(size);
        while (size > 0) {
            int last = --size;
            best.rows[last] = rows[0];
            best.scores[last] = scores[0];
            if (last > 0) {
                sink(scores[last], rows[last]);
            }
        }
        return best;
    }

    private void sink(double score, int row) {
        int place = 0;
        while (true) {
            int child = 2 * place + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && isWorse(scores[child + 1], rows[child + 1], child)) {
                child++;
            }
            if (isWorse(score, row, child)) {
                break;
            }
            move(child, place);
            place = child;
        }
        put(place, score, row);
    }

    private boolean isWorse(double score, int row, int than) {
        return score < scores[than] || score == scores[than] && row > rows[than];
    }

    private void move(int from, int to) {
        put(to, scores[from], rows[from]);
    }

    private void put(int place, double score, int row) {
        scores[place] = score;
        rows[place] = row;
    }

    /** Rows and their scores, the best first. */
    static final class Best {
        final int[] rows;
        final double[] scores;

        Best(int size) {
            rows = new int[size];
            scores = new double[size];
        }
    }
}
