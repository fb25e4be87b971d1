package mignon;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

public class PartsTest {
    private static String repeated(String text, int count) {
        return new String(new char[count]).replace("\0", text);
    }

    @Test
    public void productsAreExactForAnyQuery() {
        Random random = new Random(3);
        for (String name : new String[] {"meals-8", "meals-4", "likes"}) { // the last has a column beyond whole groups
            Table table = new ModelFile(name, ModelFile.map(Stored.file(name))).table;
            Table.Scratch scratch = new Table.Scratch();
            for (long size : new long[] {1, 100, 100_000, 8_421_504 / table.columns, 600_000, 1L << 40}) {
                long[] query = new long[table.columns];
                for (int i = 0; i < query.length; i++) {
                    query[i] = random.nextBoolean() ? size : -size + random.nextInt(2);
                }
                table.score(query, 3, table.rows - 3, scratch);
                for (int row = 3; row < table.rows; row++) {
                    long product = 0;
                    for (int i = 0; i < query.length; i++) {
                        product += query[i] * table.entry(row, i);
                    }
                    assertEquals(product, scratch.scores[row - 3], 0);
                }
            }
        }
    }

    @Test
    public void theBestComeFirstAndOfEqualOnesTheLowerRow() {
        double[] scores = new double[500];
        Random random = new Random(4);
        for (int k : new int[] {0, 1, 2, 7, 499, 500}) {
            TopK top = new TopK(k);
            Integer[] rows = new Integer[scores.length];
            for (int row = 0; row < scores.length; row++) {
                scores[row] = random.nextInt(20);
                rows[row] = row;
                top.offer(scores[row], row);
            }
            Arrays.sort(rows, (a, b) -> scores[a] != scores[b] ? Double.compare(scores[b], scores[a]) : a - b);
            int[] expected = new int[k];
            for (int i = 0; i < k; i++) {
                expected[i] = rows[i];
            }
            assertArrayEquals(expected, top.take().rows);
        }
    }

    @Test
    public void jsonIsReadAsItIs() throws Exception {
        Map<?, ?> read = (Map<?, ?>) Json.parse(
                " {\"a\": [1, -2.5e3, true, null], \"b\\u00e9\\n\": {}, \"c\": 12345678901234567890, \"d\": \"x\"} ");
        assertEquals(Arrays.asList(1L, -2500.0, true, null), read.get("a"));
        assertEquals(Long.MAX_VALUE, read.get("c"));
        assertEquals("[a, bé\n, c, d]", read.keySet().toString());
    }

    @Test
    public void whatIsNoJsonIsRefused() {
        String[] texts = {"", "{", "[1,]", "{\"a\" 1}", "\"", "\"\\u12", "\"\\x\"", "\"\n\"", "01", "1.", "-", "1e",
            "nul", "[1] 2", "{\"a\": 1,}", "\"a", "[", repeated("[", 100_000), repeated("{\"a\":", 100_000)};
        for (String text : texts) {
            assertThrows(text, Json.Fault.class, () -> Json.parse(text));
        }
    }

    @Test
    public void lettersBeyondTheFirstPlaneAndLoneSurrogatesSurvive() {
        for (String text : new String[] {"aé한🍕\uD840\uDC0B", "", "\uD800x"}) {
            byte[] data = Utf8.encode(text);
            assertArrayEquals(Utf8.codePoints(text), Utf8.codePoints(data, 0, data.length));
        }
    }

    @Test
    public void listsInTurnsGiveEachItsShare() {
        int[][] lists = {{1, 2, 3, 4}, {3, 9}};
        double[] weights = {3, 1};
        assertArrayEquals(new int[] {1, 3, 2, 4, 9}, Tastes.interleave(Arrays.asList(lists), weights, 1_000_000));
        assertArrayEquals(new int[] {1, 3}, Tastes.interleave(Arrays.asList(lists), new double[] {1, 1}, 2));
    }
}
