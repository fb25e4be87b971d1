package mignon;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.Collections;
import org.junit.Test;

public class ConformanceTest {
    @Test
    public void everyStoredQuestionIsAnsweredToTheBit() throws Exception {
        Conformance conformance = new Conformance();
        conformance.run(Stored.folder());
        assertEquals(Collections.emptyList(), conformance.failed);
        assertTrue(conformance.cases > 100);
    }
}
