package mignon;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Times a file: {@code java mignon.Bench FILE}; prints one line of JSON.
 *
 * <p>recommend_us is the whole job of eight favorites and ten results, read_us what adding up the bytes of a table of
 * this size takes, from an array; times are those of the quickest of many calls. memory is the bytes of the heap that
 * the opened file and its answers hold, in which the mapped table is not; memory_of_names what the first search by name
 * adds.
 */
public final class Bench {
    private static final int MOST_CALLS = 5000;
    private static final int ENTRIES = 2_000_000_000; // of tables, read in all
    private static final int FAVORITES = 8;
    private static final int RESULTS = 10;
    private static int sink; // so that nothing that is timed can be left out

    public static void main(String[] arguments) {
        if (arguments.length != 1) {
            System.err.println("usage: java mignon.Bench FILE");
            System.exit(2);
        }
        File file = new File(arguments[0]);
        double open = best(() -> sink += Recommender.open(file).size(), () -> { }, 40)[0];
        long before = usedHeap();
        Recommender meals = Recommender.open(file);
        ask(meals, new Random(0));
        long memory = usedHeap() - before;
        meals.find("pancaik", 5);
        long names = usedHeap() - before - memory;
        byte[] table = new byte[(int) (meals.size() * meals.getManifest().columns)];
        new Random(2).nextBytes(table);
        Random random = new Random(1);
        int calls = Math.max(100, Math.min(MOST_CALLS, ENTRIES / table.length));
        double[] recommend = best(() -> ask(meals, random), () -> sink += read(table), calls);
        double find = best(() -> sink += meals.find("pancaik", 5).size(), () -> { }, 500)[0];
        System.out.println("{\"open_ms\": " + round(open / 1e6) + ", \"recommend_us\": " + round(recommend[0] / 1e3)
                + ", \"memory\": " + memory + ", \"memory_of_names\": " + names + ", \"find_us\": "
                + round(find / 1e3) + ", \"read_us\": " + round(recommend[1] / 1e3) + "}");
        if (sink == 0) {
            System.err.println(sink);
        }
    }

    private static void ask(Recommender meals, Random random) {
        List<String> favorites = new ArrayList<>();
        for (int i = 0; i < FAVORITES; i++) {
            favorites.add(meals.idOf(random.nextInt(meals.size())));
        }
        sink += meals.recommend(favorites, Options.top(RESULTS).blend(Blend.TOGETHER)).size();
    }

    private static int read(byte[] table) {
        int sum = 0;
        for (byte entry : table) {
            sum += entry;
        }
        return sum;
    }

    /** Nanoseconds of the quickest call of each, in turns, so that other work falls on both. */
    private static double[] best(Runnable one, Runnable other, int calls) {
        double[] best = {Double.MAX_VALUE, Double.MAX_VALUE};
        for (int call = 0; call < calls; call++) {
            best[0] = Math.min(best[0], time(one));
            best[1] = Math.min(best[1], time(other));
        }
        return best;
    }

    private static double time(Runnable call) {
        long start = System.nanoTime();
        call.run();
        return System.nanoTime() - start;
    }

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static double round(double value) {
        return Math.rint(value * 10) / 10;
    }
}
