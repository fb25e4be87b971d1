/* Cuts files short and flips their bits: each of these is refused, and with the digest not compared none does any harm.
 * refusals FILE...; built with FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION, beside device_runtime/native/fuzz.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mignon.h"

enum { LENGTHS = 150, FLIPS = 200 };

extern int fuzz_trusts;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t chance = 1;

static uint32_t draw(size_t below) {
    chance = chance * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)chance * below >> 32);
}

static int is_refused(const uint8_t *data, size_t size) {
    mignon *m;
    mignon_fault fault;
    fuzz_trusts = 0;
    size_t arena_bytes = mignon_arena_size(data, size, NULL);
    void *arena = malloc(arena_bytes);
    mignon_status status = arena ? mignon_open(&m, data, size, NULL, arena, arena_bytes, &fault) : MIGNON_DAMAGED;
    free(arena);
    LLVMFuzzerTestOneInput(data, size);
    return status == MIGNON_DAMAGED || status == MIGNON_FOREIGN;
}

static int check(const uint8_t *whole, size_t size) {
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t length = i < 80 ? i : i < 120 ? size - (i - 79) : draw(size);
        uint8_t *cut = malloc(length ? length : 1); /* exactly as long, so that what reads beyond is seen */
        memcpy(cut, whole, length);
        int refused = is_refused(cut, length);
        free(cut);
        if (!refused) return fprintf(stderr, "cut to %lu bytes it was opened\n", (unsigned long)length), 0;
    }
    uint8_t *altered = malloc(size);
    for (size_t i = 0; i < FLIPS; i++) {
        uint32_t place = i % 2 && size > 1500 ? (uint32_t)(size - 1500) + draw(1500) : draw(size);
        memcpy(altered, whole, size);
        altered[place] ^= (uint8_t)(1u << draw(8));
        if (!is_refused(altered, size)) return fprintf(stderr, "with byte %u altered it was opened\n", place), 0;
    }
    free(altered);
    return 1;
}

int main(int count, char **arguments) {
    static uint8_t whole[1 << 20];
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(arguments[i], "rb");
        if (!file) return 2;
        size_t size = fread(whole, 1, sizeof whole, file);
        fclose(file);
        if (!check(whole, size)) return 1;
    }
    return 0;
}
