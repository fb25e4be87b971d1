/* A harness for libFuzzer: whatever the bytes are, a file is opened or refused, and an open one answers or says why not.
 * docs/c.md says how it is built and run. */
#include <stdlib.h>

#include "reader.h"

#define MOST_ARENA_BYTES ((size_t)1 << 26)
#define MOST 20

extern int fuzz_trusts;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
    if (!holds) abort();
}

static void check_answer(const mignon *m, mignon_status status, const mignon_neighbor *neighbors, uint32_t count) {
    require(status != MIGNON_NO_ROOM && count <= MOST && (status == MIGNON_OK || count == 0));
    for (uint32_t i = 0; i < count; i++) require(neighbors[i].row < mignon_rows(m));
}

static void ask(mignon *m) {
    mignon_neighbor neighbors[MOST];
    mignon_match matches[MOST];
    mignon_text attribute = {"course", 6}, value = {"soup", 4};
    uint32_t count, last = mignon_rows(m) - 1;
    char name[256] = "soup";
    if (mignon_name(m, last)) {
        strncpy(name, mignon_name(m, last), sizeof name - 1);
        name[strlen(name) / 2] ^= 1;
    }
    static const char *const texts[] = {"pancakes", "soup", "creme brulee", "\xd0\xb1\xd0\xbe\xd1\x80\xd1\x89", ""};
    for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++) {
        mignon_match match;
        const char *text = i ? texts[i - 1] : name;
        mignon_status status = mignon_find(m, text, MOST, matches, &count);
        require(count <= MOST && (status == MIGNON_OK || status == MIGNON_INVALID_ARGUMENT));
        mignon_resolve(m, text, i % 2 == 1, &match);
    }
    mignon_attribute(m, last, 0, &attribute, &value);
    char asked[64] = "";
    memcpy(asked, value.start, value.length < 63 ? value.length : 63);
    const char *const values[] = {asked};
    char of[64] = "";
    memcpy(of, attribute.start, attribute.length < 63 ? attribute.length : 63);
    const mignon_condition where = {of, values, 1, 0};
    const mignon_like likes[] = {{{NULL, 0}, 1}, {{NULL, last}, 0.7}, {{NULL, last / 2}, -1}, {{"soup", 0}, 2}};
    const mignon_item soup = {"soup", 0}, row = {NULL, last / 3};
    for (size_t n = 0; n <= 4; n++) {
        mignon_question q = {likes, n, &row, n % 2, &where, n == 2, MOST, n % 2 ? MIGNON_BLEND_EACH : MIGNON_BLEND_DEFAULT};
        check_answer(m, mignon_recommend(m, &q, neighbors, &count), neighbors, count);
    }
    mignon_question q = {NULL, 0, NULL, 0, &where, 1, MOST, MIGNON_BLEND_DEFAULT};
    check_answer(m, mignon_similar(m, &row, &q, neighbors, &count), neighbors, count);
    check_answer(m, mignon_similar(m, &soup, &q, neighbors, &count), neighbors, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const mignon_options options = {MIGNON_ALL, MOST, 4};
    for (fuzz_trusts = 0; fuzz_trusts < 2; fuzz_trusts++) {
        mignon *m;
        mignon_fault fault;
        size_t arena_bytes = mignon_arena_size(data, size, &options);
        if (arena_bytes > MOST_ARENA_BYTES) continue;
        void *arena = malloc(arena_bytes);
        mignon_status status = mignon_open(&m, data, size, &options, arena, arena_bytes, &fault);
        require(status == MIGNON_OK || status == MIGNON_DAMAGED || status == MIGNON_FOREIGN || status == MIGNON_LATER_VERSION);
        if (status == MIGNON_OK) ask(m);
        free(arena);
    }
    return 0;
}
