package mignon;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Test;

public class RecommenderTest {
    private final Recommender meals = Recommender.open(Stored.file("meals-8"));

    private static List<String> ids(List<Neighbor> neighbors) {
        List<String> ids = new ArrayList<>();
        for (Neighbor neighbor : neighbors) {
            ids.add(neighbor.id);
        }
        return ids;
    }

    @Test
    public void everyWayToOpenGivesTheSameAnswers() throws Exception {
        byte[] file = Stored.bytes("meals-8");
        ByteBuffer direct = ByteBuffer.allocateDirect(file.length + 7);
        direct.position(5);
        direct.put(file).flip().position(5); // the file starts in the middle of the buffer
        List<Neighbor> expected = meals.similar("crepes", 10);
        assertEquals(expected, Recommender.open(direct).similar("crepes", 10));
        assertEquals(expected, Recommender.open(direct.asReadOnlyBuffer()).similar("crepes", 10));
        assertEquals(expected, Recommender.open(ByteBuffer.wrap(file)).similar("crepes", 10));
        assertEquals(expected, Recommender.open(new ByteArrayInputStream(file)).similar("crepes", 10));
        assertEquals(expected, Recommender.open(Stored.file("meals-8").getPath()).similar("crepes", 10));
    }

    @Test
    public void aMissingFileAndAFolderAreTold() {
        assertThrows(ModelFileException.class, () -> Recommender.open("no such file.tflite"));
        assertThrows(ModelFileException.class, () -> Recommender.open(Stored.folder()));
    }

    @Test
    public void theManifestSaysWhatTheFileHolds() {
        assertEquals(60, meals.size());
        assertEquals(16, meals.getManifest().dims);
        assertEquals(8, meals.getManifest().bits);
        assertEquals("CC BY 4.0", meals.getManifest().license);
    }

    @Test
    public void namesAliasesAndTyposAreResolved() {
        assertEquals("crepes", meals.resolve("crepes").id);
        assertEquals(1.0, meals.resolve("Crêpes").score, 0);
        assertEquals("crepes", meals.resolve("CREPE").id);
        assertEquals(Match.Kind.FAMILY, meals.resolve("course=soup").kind);
        assertTrue(meals.resolve("course=soup").size > 1);
    }

    @Test
    public void anUnknownItemIsToldWithSuggestions() {
        UnknownItemException error = assertThrows(
                UnknownItemException.class, () -> meals.similar("panckakse of some sort", 3));
        assertEquals("panckakse of some sort", error.getAsked());
        assertTrue(error.getMessage(), error.getMessage().startsWith("no item is called 'panckakse of some sort'"));
        error = assertThrows(UnknownItemException.class, () -> meals.row("pancak soup"));
        assertFalse(error.getSuggestions().isEmpty());
    }

    @Test
    public void wrongArgumentsAreTold() {
        assertThrows(InvalidArgumentException.class, () -> meals.similar("crepes", 0));
        assertThrows(InvalidArgumentException.class, () -> meals.find("crepes", -1));
        assertThrows(InvalidArgumentException.class, () -> meals.similar(null, 3));
        assertThrows(InvalidArgumentException.class, () -> meals.similar("crepes", Options.top(3).where("soup")));
        assertThrows(UnknownAttributeException.class,
                () -> meals.similar("crepes", Options.top(3).where("coarse", "soup")));
        assertThrows(UnknownAttributeException.class,
                () -> meals.similar("crepes", Options.top(3).where("course", "soupp")));
        assertThrows(InvalidArgumentException.class,
                () -> meals.similar("crepes", Options.none().where("course=soup").where("course!=salad")));
        Map<String, Double> infinite = Collections.singletonMap("crepes", Double.POSITIVE_INFINITY);
        assertThrows(InvalidArgumentException.class, () -> meals.recommend(infinite, Options.none()));
        assertThrows(InvalidArgumentException.class, () -> meals.search(new float[16], Options.none()));
        assertThrows(InvalidArgumentException.class, () -> meals.search(new float[] {1}, Options.none()));
    }

    @Test
    public void contradictionsAreTold() {
        ContradictoryLikesException error = assertThrows(ContradictoryLikesException.class,
                () -> meals.recommend(Arrays.asList("crepes"), Options.none().dislikes("Crêpes")));
        assertEquals(Arrays.asList("Crêpes"), error.getItems());
    }

    @Test
    public void conditionsAsTextsAndAsValuesMeanTheSame() {
        Options texts = Options.top(60).where("course=soup").where("course:salad");
        Options values = Options.top(60).where("course", "soup", "salad");
        Options shouted = Options.top(60).where("COURSE", "Soup", "SALAD");
        List<Neighbor> expected = meals.similar("crepes", values);
        assertFalse(expected.isEmpty());
        assertEquals(expected, meals.similar("crepes", texts));
        assertEquals(expected, meals.similar("crepes", shouted));
        List<String> others = ids(meals.similar("crepes", Options.top(60).whereNot("course", "soup", "salad")));
        assertEquals(59, others.size() + expected.size());
        assertTrue(Collections.disjoint(others, ids(expected)));
    }

    @Test
    public void resultsAndOptionsAreImmutable() {
        List<Neighbor> found = meals.similar("crepes", 3);
        assertThrows(UnsupportedOperationException.class, () -> found.remove(0));
        assertThrows(UnsupportedOperationException.class, () -> meals.attributes().clear());
        assertThrows(UnsupportedOperationException.class, () -> meals.attributes("course").clear());
        assertThrows(UnsupportedOperationException.class, () -> meals.attributesOf("crepes").clear());
        Options options = Options.top(3);
        options.exclude(found.get(0).id);
        assertEquals(found, meals.similar("crepes", options));
    }

    @Test
    public void anItemIsFoundByItsOwnVector() {
        assertEquals("crepes", meals.search(meals.vector("crepes"), Options.top(1)).get(0).id);
        assertEquals(meals.row("crepes"), meals.row(meals.idOf(meals.row("crepes"))));
    }

    @Test
    public void whatIsTypedIsCompleted() {
        List<Match> found = meals.complete("bor");
        assertEquals("borscht", found.get(0).id);
        assertTrue(meals.complete("").isEmpty());
    }

    @Test
    public void noTextDoesHarm() {
        StringBuilder longest = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            longest.append(i % 7 == 0 ? " " : "a");
        }
        String[] texts = {"", " ", "\0", "\n\t", "\uD800", "\uDC00 x", "crepes\uD800", "🍕", longest.toString(), "=",
            "a=", "|", "é", "e\u0301", "ﬁ", "한국어", "\uFFFF", "(.*", "%s"};
        for (String text : texts) {
            meals.find(text, 3);
            meals.complete(text, 3);
            try {
                meals.similar(text, 3);
            } catch (UnknownItemException expected) {
                assertEquals(text, expected.getAsked());
            }
        }
    }

    @Test
    public void asManyResultsAsThereAreComeBackForAnyCount() {
        assertEquals(59, meals.similar("crepes", Integer.MAX_VALUE).size());
        assertEquals(60, meals.recommend(Collections.emptyList(), Integer.MAX_VALUE).size());
        assertTrue(meals.find("soup", Integer.MAX_VALUE).size() > 1);
        List<String> all = ids(meals.recommend(Collections.emptyList(), 60));
        assertTrue(meals.recommend(all, 10).isEmpty());
    }

    @Test
    public void hugeWeightsAreSummedBesideSmallOnes() {
        Map<String, Double> weights = new HashMap<>();
        weights.put("crepes", 1e8); // beyond what two lanes of a long hold
        weights.put("borscht", 1.0);
        List<String> huge = ids(meals.recommend(weights, Options.top(5).blend(Blend.TOGETHER)));
        assertEquals(ids(meals.recommend(Arrays.asList("crepes"), Options.top(5).exclude("borscht"))), huge);
    }

    @Test
    public void threadsThatAskFirstTogetherGetTheSame() throws Exception {
        Callable<List<Object>> ask = () -> {
            List<Object> answers = new ArrayList<>();
            List<String> liked = Arrays.asList("soup", "tiramisu", "borscht");
            answers.addAll(meals.recommend(liked, Options.top(9).dislikes("blini")));
            answers.addAll(meals.find("pancaik", 5));
            answers.add(meals.attributes());
            return answers;
        };
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<Future<List<Object>>> all = threads.invokeAll(Collections.nCopies(32, ask));
        threads.shutdown();
        for (Future<List<Object>> each : all) {
            assertEquals(all.get(0).get(), each.get());
        }
    }
}
