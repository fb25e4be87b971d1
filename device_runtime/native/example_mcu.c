/* What a microcontroller may do: a file in flash, an arena of 32 KB, no file system and no heap. On a board FILE_IN_FLASH is
 * where the linker put the file; here it is read from a path, to be tried: example_mcu FILE. */
#include <stdio.h>
#include <stdlib.h>

#include "mignon.h"

#define RAM_BYTES 32768u

static uint64_t ram[RAM_BYTES / sizeof(uint64_t)];

/* The ids of the five items most like a row, and of five recommended for two rows, by the file in `flash`. */
static int answer(const void *flash, size_t length) {
    const mignon_options options = {MIGNON_IDS, 5, 8};
    mignon *model;
    mignon_fault fault;
    mignon_neighbor found[5];
    uint32_t count;
    printf("%lu bytes of %u are asked for\n", (unsigned long)mignon_arena_size(flash, length, &options), RAM_BYTES);
    if (mignon_open(&model, flash, length, &options, ram, sizeof ram, &fault) != MIGNON_OK) {
        fprintf(stderr, "%s\n", fault.message);
        return 1;
    }
    const mignon_item item = {NULL, 7};
    const mignon_like likes[] = {{{NULL, 7}, 1}, {{NULL, 42}, 2}, {{NULL, 11}, -1}};
    const mignon_question question = {likes, 3, NULL, 0, NULL, 0, 5, MIGNON_BLEND_DEFAULT};
    for (int kind = 0; kind < 2; kind++) {
        mignon_status status = kind ? mignon_recommend(model, &question, found, &count)
                                    : mignon_similar(model, &item, &question, found, &count);
        if (status != MIGNON_OK) return 1;
        printf(kind ? "recommended:" : "like %s:", mignon_id(model, 7));
        for (uint32_t i = 0; i < count; i++) printf(" %s", mignon_id(model, found[i].row));
        printf("\n");
    }
    return 0;
}

int main(int count, char **arguments) {
    static unsigned char flash[1 << 22];
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return fprintf(stderr, "usage: example_mcu FILE, of at most 4 MB\n"), 2;
    size_t length = fread(flash, 1, sizeof flash, file);
    fclose(file);
    return answer(flash, length);
}
