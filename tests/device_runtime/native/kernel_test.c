/* Asks the kernel by every path of this processor what it must answer, and compares with sums in 64 bits and a sort.
 *
 * kernel_test [CASES [SEED]]: prints a line for each path, and fails with the first answer that is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../device_runtime/native/kernel.h"

enum { MOST_QUESTIONS = 9 };
static const int WIDTHS[] = {1, 2, 3, 8, 15, 16, 17, 18, 24, 31, 32, 33, 34, 47, 48, 49, 64, 65, 100, 128, 129, 255, 256, 257};
static uint64_t state;

static uint64_t random_number(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(2685821657736338717) >> 16;
}

static int64_t below(int64_t count) { return (int64_t)(random_number() % (uint64_t)count); }

static int better_first(const void *a, const void *b) {
    const mk_found *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

static int less_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int entry_of(const mk_table *table, int64_t row, int column) {
    const int8_t *entries = table->entries;
    if (table->bits == 8) return entries[row * table->columns + column];
    const int both = (uint8_t)entries[(row * table->columns + column) / 2], half = column % 2 ? both >> 4 : both & 15;
    return half < 8 ? half : half - 16;
}

/* Every eligible row, best first, and how many they are. */
static int64_t rank_all(const mk_table *table, int64_t first, int64_t last, const uint8_t *allowed,
                        const mk_question *question, mk_found *found) {
    int64_t count = 0;
    for (int64_t row = first; row < last; row++) {
        int is_banned = allowed && !(allowed[row / 8] >> row % 8 & 1);
        for (int64_t i = 0; i < question->banned_count; i++) is_banned |= question->banned[i] == row;
        if (is_banned) continue;
        int64_t score = 0;
        for (int c = 0; c < table->columns; c++) score += question->query[c] * entry_of(table, row, c);
        found[count++] = (mk_found){row, score};
    }
    qsort(found, (size_t)count, sizeof *found, better_first);
    return count;
}

static void fill(void *entries, int64_t bytes, int kind) {
    static const int8_t EXTREMES[] = {-128, 127, 0, -127};
    for (int64_t i = 0; i < bytes; i++) {
        int8_t one = (int8_t)random_number();
        if (kind == 1) one = EXTREMES[below(4)];
        if (kind == 2) one = (int8_t)(below(3) - 1); /* many rows of the same score */
        if (kind == 3) one = -128;
        ((int8_t *)entries)[i] = one;
    }
}

/* Sums of a few rows, up to the bounds of each way to score: 16 bits, 32 bits, 62 bits. */
static void make_query(const mk_table *table, int64_t *query) {
    const int kind = (int)below(7), d = table->columns;
    const int64_t favorites = kind == 1 ? 65 + below(4936) : 1 + below(40);
    memset(query, 0, sizeof *query * (size_t)d);
    for (int64_t i = 0; i < favorites; i++) {
        const int64_t row = below(table->rows);
        for (int c = 0; c < d; c++) query[c] += entry_of(table, row, c);
    }
    if (kind == 2) query[d - 1] = (int64_t)below(1 << 21) - (1 << 20); /* a bias */
    for (int c = 0; c < d && kind > 2; c++) {
        const int64_t sizes[] = {32639, 32640, (((int64_t)1 << 24) - 1) / d, ((int64_t)1 << 55) / d};
        const int64_t size = sizes[kind - 3];
        query[c] = below(3) ? (below(2) ? size : -size) : below(2 * size + 1) - size;
    }
}

static uint8_t *make_mask(int64_t rows) {
    const int64_t kind = below(5);
    uint8_t *mask = calloc((size_t)rows / 8 + 1, 1);
    for (int64_t row = 0; row < rows; row++)
        if (kind == 0 || (kind == 1 && !below(10)) || (kind == 2 && below(10)) || (kind == 3 && !below(300)))
            mask[row / 8] |= (uint8_t)(1 << row % 8);
    return mask;
}

static int64_t make_banned(int64_t rows, int64_t *banned) {
    const int64_t count = below(4) ? below(9) : below(rows < 200 ? rows + 1 : 200);
    for (int64_t i = 0; i < count; i++) banned[i] = below(rows);
    qsort(banned, (size_t)count, sizeof *banned, less_first);
    return count;
}

/* Of one random table, some questions, asked of all rows and of halves put together. */
static int try_once(const char *path, int64_t number) {
    const int64_t sizes[] = {1, 1 + below(40), 1 + below(300), 1 + below(1200), 5000 + below(5000)};
    mk_table table = {NULL, sizes[below(5)], WIDTHS[below(sizeof WIDTHS / sizeof *WIDTHS)], 8};
    if (below(4) == 0 && table.columns % 2 == 0) table.bits = 4;
    const int64_t d = table.columns, bytes = table.rows * d * table.bits / 8, questions = below(3) ? 1 : 1 + below(MOST_QUESTIONS);
    const int64_t ks[] = {1, 10, 64, table.rows, 1 + below(table.rows + 3)}, k = ks[below(5)];
    void *entries = malloc((size_t)bytes);
    fill(entries, bytes, (int)below(5));
    table.entries = entries;
    uint8_t *mask = below(2) ? make_mask(table.rows) : NULL;
    int64_t *query = malloc(sizeof *query * (size_t)(d * questions)), banned[MOST_QUESTIONS][200], got[2][MOST_QUESTIONS];
    mk_question asked[MOST_QUESTIONS];
    mk_found *found = malloc(sizeof *found * (size_t)(k * questions)), *other = malloc(sizeof *found * (size_t)(4 * k));
    mk_found *expected = malloc(sizeof *found * (size_t)table.rows);
    for (int64_t n = 0; n < questions; n++) {
        make_query(&table, query + n * d);
        asked[n] = (mk_question){query + n * d, banned[n], make_banned(table.rows, banned[n])};
    }
    const int64_t last = below(3) ? table.rows : below(table.rows + 1), first = below(3) ? 0 : below(last + 1);
    int wrong = mk_best(&table, first, last, mask, asked, questions, k, found, got[0]) != MK_DONE;
    for (int64_t n = 0; n < questions && !wrong; n++) {
        const int64_t all = rank_all(&table, first, last, mask, &asked[n], expected), most = all < k ? all : k;
        wrong = got[0][n] != most || memcmp(found + n * k, expected, sizeof *found * (size_t)most) != 0;
        const int64_t middle = first + (last - first) / 2;
        wrong |= mk_best(&table, first, middle, mask, &asked[n], 1, k, other, got[1]) != MK_DONE;
        wrong |= mk_best(&table, middle, last, mask, &asked[n], 1, k, other + got[1][0], got[1] + 1) != MK_DONE;
        wrong |= mk_merge(other, got[1][0] + got[1][1], k, other + 2 * k) != most ||
                 memcmp(other, expected, sizeof *found * (size_t)most) != 0;
    }
    if (wrong)
        printf("%s: case %lld is wrong: %lld x %d of %d bits, k %lld, %lld questions%s\n", path, (long long)number,
               (long long)table.rows, table.columns, table.bits, (long long)k, (long long)questions, mask ? ", masked" : "");
    free(entries);
    free(mask);
    free(query);
    free(found);
    free(other);
    free(expected);
    return wrong;
}

static int refuses_what_is_out_of_bounds(void) {
    const int8_t entries[4] = {1, 2, 3, 4};
    const int64_t small[2] = {1, 1}, great[2] = {INT64_MIN, 0};
    const mk_table table = {entries, 2, 2, 8}, wide = {entries, 2, MK_MOST_COLUMNS + 1, 8}, odd = {entries, 2, 1, 4};
    const mk_question asked = {small, NULL, 0}, beyond = {great, NULL, 0};
    mk_found found[2];
    int64_t got;
    return mk_best(&table, 0, 2, NULL, &asked, 1, 2, found, &got) == MK_DONE && got == 2 &&
           mk_best(&table, 0, 3, NULL, &asked, 1, 2, found, &got) == MK_BAD_ARGUMENT &&
           mk_best(&table, 0, 2, NULL, &asked, 1, 0, found, &got) == MK_BAD_ARGUMENT &&
           mk_best(&table, 0, 2, NULL, &beyond, 1, 1, found, &got) == MK_BAD_ARGUMENT &&
           mk_best(&wide, 0, 2, NULL, &asked, 1, 1, found, &got) == MK_BAD_ARGUMENT &&
           mk_best(&odd, 0, 2, NULL, &asked, 1, 1, found, &got) == MK_BAD_ARGUMENT && !mk_choose("no such path");
}

int main(int count, char **arguments) {
    const int64_t cases = count > 1 ? atoll(arguments[1]) : 1000, seed = count > 2 ? atoll(arguments[2]) : 1;
    for (int number = 0; mk_path(number); number++) {
        const char *path = mk_choose(mk_path(number));
        state = (uint64_t)seed * 88172645463325252u + 1;
        for (int64_t i = 0; i < cases; i++)
            if (try_once(path, i)) return 1;
        printf("%s: %lld cases are right\n", path, (long long)cases);
    }
    if (refuses_what_is_out_of_bounds()) return 0;
    printf("what is out of bounds is not refused\n");
    return 1;
}
