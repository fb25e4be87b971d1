package mignon;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Asks the stored files all stored questions: {@code java mignon.Conformance tests/golden}. */
public final class Conformance {
    final List<String> failed = new ArrayList<>();
    int cases;

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1 || !new File(arguments[0], "cases").isDirectory()) {
            System.err.println("usage: java mignon.Conformance FOLDER, one with files, cases and damaged");
            System.exit(2);
        }
        Conformance conformance = new Conformance();
        conformance.run(new File(arguments[0]));
        StringBuilder names = new StringBuilder();
        for (String name : conformance.failed) {
            names.append(names.length() == 0 ? "" : ", ").append('"').append(name).append('"');
        }
        int passed = conformance.cases - conformance.failed.size();
        System.out.println("{\"reader\": \"java\", \"version\": \"" + Recommender.VERSION + "\", \"cases\": "
                + conformance.cases + ", \"passed\": " + passed + ", \"failed\": [" + names + "]}");
        System.exit(conformance.failed.isEmpty() ? 0 : 1);
    }

    void run(File folder) throws IOException, Json.Fault {
        run(folder, "");
        File earlier = new File(folder, "earlier"); // files of earlier versions open for ever
        if (earlier.isDirectory()) {
            run(earlier, "earlier/");
        }
    }

    private void run(File folder, String where) throws IOException, Json.Fault {
        File[] files = new File(folder, "cases").listFiles((in, name) -> name.endsWith(".jsonl"));
        java.util.Arrays.sort(files);
        for (File file : files) {
            String name = file.getName().replace(".jsonl", "");
            File model = new File(folder, "files/" + name + ".tflite");
            Recommender asked = model.exists() ? Recommender.open(model) : null;
            int line = 0;
            for (Map<?, ?> each : read(file)) {
                line++;
                cases++;
                String fault = asked == null ? open(folder, each) : ask(asked, each);
                if (fault != null) {
                    failed.add(where + name + ":" + line);
                    System.err.println(where + name + ":" + line + ": " + fault);
                }
            }
        }
    }

    private static List<Map<?, ?>> read(File file) throws IOException, Json.Fault {
        List<Map<?, ?>> lines = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(new FileInputStream(file), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add((Map<?, ?>) Json.parse(line));
            }
        }
        return lines;
    }

    /** Opens a damaged file; gives what is wrong with how it was refused, or null. */
    private static String open(File folder, Map<?, ?> expected) {
        try {
            Recommender.open(new File(folder, "damaged/" + expected.get("file")));
            return "was not refused";
        } catch (ModelFileException error) {
            boolean damaged = error instanceof DamagedFileException;
            String kind = error instanceof FutureVersionException ? "later version" : damaged ? "damaged" : "foreign";
            Object part = damaged ? ((DamagedFileException) error).getPart() : null;
            boolean right = kind.equals(expected.get("error")) && java.util.Objects.equals(part, expected.get("part"));
            return right ? null : "is " + kind + ", part " + part + ": " + error.getMessage();
        }
    }

    /** Asks one question; gives what is wrong with the answer, or null. */
    private static String ask(Recommender meals, Map<?, ?> asked) {
        List<String> ids = new ArrayList<>();
        List<Object> bits = new ArrayList<>();
        String error = null;
        try {
            answer(meals, asked, ids, bits);
        } catch (UnknownItemException unknown) {
            error = "unknown item";
        } catch (UnknownAttributeException unknown) {
            error = "unknown attribute";
        } catch (InvalidArgumentException | IllegalArgumentException | ClassCastException invalid) {
            error = "invalid argument"; // the last two: of a kind that Java's compiler does not let anybody pass
        }
        if (error != null || asked.containsKey("error")) {
            return error != null && error.equals(asked.get("error")) ? null : "error: " + error;
        }
        boolean right = ids.equals(asked.get("ids")) && (!asked.containsKey("bits") || bits.equals(asked.get("bits")));
        return right ? null : "answers " + ids + " " + bits;
    }

    private static void answer(Recommender meals, Map<?, ?> asked, List<String> ids, List<Object> bits) {
        Object call = asked.get("call");
        if (call.equals("find") || call.equals("complete")) {
            int limit = asked.containsKey("k") ? count(asked.get("k")) : 1;
            String text = (String) asked.get("text");
            for (Match match : call.equals("find") ? meals.find(text, limit) : meals.complete(text, limit)) {
                ids.add(match.id);
                bits.add((long) Float.floatToIntBits((float) match.score));
            }
            return;
        }
        Options options = options(asked);
        List<Neighbor> found = call.equals("similar")
                ? meals.similar((String) asked.get("item"), options)
                : recommend(meals, asked.get("items"), options);
        for (Neighbor neighbor : found) {
            ids.add(neighbor.id);
            bits.add((long) Float.floatToIntBits(neighbor.score));
        }
    }

    @SuppressWarnings("unchecked")
    private static List<Neighbor> recommend(Recommender meals, Object items, Options options) {
        return items instanceof Map ? meals.recommend((Map<String, Number>) items, options)
                : meals.recommend((List<String>) items, options);
    }

    private static Options options(Map<?, ?> asked) {
        Options options = Options.top(asked.containsKey("k") ? count(asked.get("k")) : 1);
        options = options.dislikes(texts(asked.get("dislikes"))).exclude(texts(asked.get("exclude")));
        if (asked.get("blend") != null) {
            options = options.blend(Blend.valueOf(((String) asked.get("blend")).toUpperCase(Locale.ROOT)));
        }
        Object where = asked.get("where");
        if (!(where instanceof Map)) {
            for (String condition : texts(where)) {
                options = options.where(condition);
            }
            return options;
        }
        for (Map.Entry<?, ?> each : ((Map<?, ?>) where).entrySet()) {
            String attribute = (String) each.getKey();
            options = each.getValue() instanceof Map
                    ? options.whereNot(attribute, texts(((Map<?, ?>) each.getValue()).get("not")))
                    : options.where(attribute, texts(each.getValue()));
        }
        return options;
    }

    private static int count(Object k) {
        return (int) Math.min((Long) k, Integer.MAX_VALUE);
    }

    @SuppressWarnings("unchecked")
    private static List<String> texts(Object value) {
        return value == null ? Collections.<String>emptyList()
                : value instanceof String ? Collections.singletonList((String) value) : (List<String>) value;
    }
}
