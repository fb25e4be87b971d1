package mignon;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import org.junit.Test;

/** Nothing that is wrong with a file gets by as another error than one of this library, or is read beyond its end. */
public class DamageTest {
    private static final String[] ENTRIES = {"ids.txt", "names.txt", "aliases.tsv", "attributes.tsv", "vocabulary.tsv",
        "vocabulary.int8", "families.tsv", "popularity.uint8", "folding.tsv", "manifest.json"};

    /** Opens a file and asks it all kinds of questions; whatever is no error of this library fails the test. */
    private static boolean answers(byte[] file) {
        try {
            Recommender meals = Stored.open(file);
            meals.find("pancaik", 5);
            meals.complete("s", 5);
            meals.attributes();
            meals.attributesOf(meals.idOf(meals.size() / 2));
            meals.recommend(Arrays.asList(meals.idOf(0), "course=soup"), Options.top(5).dislikes(meals.idOf(9)));
            meals.recommend(Collections.emptyList(), Options.top(5).where("course=soup").exclude("course=salad"));
            meals.similar("course=soup", 100);
            return true;
        } catch (MignonException expected) {
            assertTrue(expected.getMessage().length() > 10);
            return false;
        }
    }

    @Test
    public void aFileCutShortAnywhereIsRefused() throws Exception {
        byte[] file = Stored.bytes("likes");
        for (int length = 0; length < file.length; length += length < 200 || length > file.length - 200 ? 1 : 397) {
            byte[] cut = Arrays.copyOf(file, length);
            assertThrows(ModelFileException.class, () -> Stored.open(cut));
            if (length >= 64) {
                byte[] sealed = Stored.sealed(cut);
                assertThrows(ModelFileException.class, () -> Stored.open(sealed));
            }
        }
    }

    @Test
    public void aFlippedBitIsRefusedEvenWhereTheDigestFits() throws Exception {
        Random random = new Random(1);
        byte[] file = Stored.bytes("meals-4");
        int start = new Bytes(java.nio.ByteBuffer.wrap(file)).lastPlaceOf(new byte[] {'P', 'K', 1, 2}) - 4000;
        for (int i = 0; i < 200; i++) {
            byte[] flipped = file.clone();
            int place = i % 3 == 0 ? random.nextInt(file.length) : start + random.nextInt(file.length - start);
            flipped[place] ^= (byte) (1 << random.nextInt(8));
            assertThrows(DamagedFileException.class, () -> Stored.open(flipped));
            answers(Stored.sealed(flipped));
        }
    }

    @Test
    public void anAlteredEntryIsToldOrAnswersAsItSays() throws Exception {
        Random random = new Random(2);
        for (String model : new String[] {"meals-8", "likes"}) {
            byte[] file = Stored.bytes(model);
            Bytes data = new Bytes(java.nio.ByteBuffer.wrap(file));
            assertTrue(answers(Stored.with(file, Collections.<String, byte[]>emptyMap())));
            for (String entry : ENTRIES) {
                byte[] content = new byte[] {'x', '\t', 'y', '\n'};
                for (Archive.Entry each : Archive.read(data)) {
                    content = each.name.equals(entry) ? Archive.readEntry(data, each) : content;
                }
                for (int i = 0; i < 10; i++) {
                    answers(Stored.with(file, Collections.singletonMap(entry, altered(content, random))));
                }
            }
        }
    }

    private static byte[] altered(byte[] content, Random random) {
        byte[] altered = content.clone();
        int place = content.length == 0 ? 0 : random.nextInt(content.length);
        byte[] odd = {0, '\n', '\t', '|', '9', '-', '"', '{', (byte) 0xC3, (byte) 0xFF, '=', '.'};
        switch (content.length == 0 ? 3 : random.nextInt(5)) {
            case 0:
                return Arrays.copyOf(content, place);
            case 1:
                altered[place] = odd[random.nextInt(odd.length)];
                return altered;
            case 2: // one byte less
                System.arraycopy(content, place + 1, altered, place, content.length - place - 1);
                return Arrays.copyOf(altered, content.length - 1);
            case 3: // one byte more
                altered = Arrays.copyOf(content, content.length + 1);
                System.arraycopy(content, place, altered, place + 1, content.length - place);
                altered[place] = odd[random.nextInt(odd.length)];
                return altered;
            default:
                return new byte[0];
        }
    }

    private static byte[] withManifest(String from, String to) throws Exception {
        byte[] file = Stored.bytes("meals-8");
        Bytes data = new Bytes(java.nio.ByteBuffer.wrap(file));
        for (Archive.Entry each : Archive.read(data)) {
            if (each.name.equals("manifest.json")) {
                String text = new String(Archive.readEntry(data, each), StandardCharsets.UTF_8);
                String changed = text.replaceFirst(from, to);
                assertTrue(from, !changed.equals(text));
                return Stored.with(file, Collections.singletonMap(
                        "manifest.json", changed.getBytes(StandardCharsets.UTF_8)));
            }
        }
        throw new AssertionError("no manifest");
    }

    @Test
    public void aManifestThatLiesIsRefused() throws Exception {
        String[][] lies = {
            {"\"rows\": 60", "\"rows\": 9007199254740991"}, {"\"rows\": 60", "\"rows\": 4611686018427387904"},
            {"\"rows\": 60", "\"rows\": 99999999999999999999999"}, {"\"rows\": 60", "\"rows\": -60"},
            {"\"rows\": 60", "\"rows\": 60.0"}, {"\"rows\": 60", "\"rows\": true"}, {"\"bits\": 8", "\"bits\": 5"},
            {"\"columns\": 16", "\"columns\": 2147483648"}, {"\"dims\": 16", "\"dims\": 15"},
            {"\"table_offset\": \\d+", "\"table_offset\": 9007199254740976"},
            {"\"table_offset\": \\d+", "\"table_offset\": 8"}, {"\"scale\": [0-9.]+", "\"scale\": NaN"},
            {"\"scale\": [0-9.]+", "\"scale\": 1"}, {"\\{", "[\\{"}, {"\\}\\s*$", ""}, {"\"name\"", "\"nom\""},
            {"\"quality\": \\{", "\"quality\": 3, \"q\": \\{"}, {"\"rows\": 60", "\"rows\": 59"},
        };
        for (String[] lie : lies) {
            byte[] file = withManifest(lie[0], lie[1]);
            assertTrue(lie[1], !answers(file));
        }
        assertThrows(FutureVersionException.class,
                () -> Stored.open(withManifest("\"format_version\": 1", "\"format_version\": 2")));
    }

    @Test
    public void anEntryOfMoreBytesThanItsOwnIsRefused() throws Exception {
        byte[] file = Stored.bytes("meals-8");
        Bytes data = new Bytes(java.nio.ByteBuffer.wrap(file));
        Archive.Entry names = null;
        for (Archive.Entry each : Archive.read(data)) {
            names = each.name.equals("names.txt") ? each : names;
        }
        byte[] lying = file.clone();
        for (int place : new int[] {names.record + 24, (int) names.header + 22}) { // both say 1 GB
            lying[place + 3] = 0x3F;
        }
        byte[] sealed = Stored.sealed(lying);
        Recommender opened = Stored.open(sealed);
        assertThrows(FileFormatException.class, () -> opened.find("soup", 1));
        assertEquals(60, opened.size());
    }
}
