/* Exact top-k over a table of small integers by integer dot products, C99. Nothing is copied: rows are read where they
 * lie. No function keeps anything between calls but which path was chosen, so threads may call at once. */
#ifndef MIGNON_KERNEL_H
#define MIGNON_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MK_MOST_COLUMNS 4096
#define MK_MOST_ROWS INT32_MAX

enum {
    MK_DONE = 0,
    MK_NO_MEMORY = -1,
    MK_BAD_ARGUMENT = -2 /* a size out of its bounds, or a query whose scores could leave 62 bits */
};

/* Rows one after the other, without gaps. */
typedef struct {
    const void *entries;
    int64_t rows;
    int columns;
    int bits; /* of an entry: 8; or 4, two to a byte, the first in the low half, and columns are even */
} mk_table;

typedef struct {
    const int64_t *query; /* [columns]: a score is the sum of its products with a row */
    const int64_t *banned; /* rows that must not come back, ascending */
    int64_t banned_count;
} mk_question;

typedef struct {
    int64_t row, score;
} mk_found;

/* For each question the k best of the rows from `first` up to, not including, `last`: the greatest scores first, ties by
 * the lower row.
 *
 * allowed: NULL, or a bit for each row of the table, the lowest of a byte first; only rows whose bit is set come back.
 * found: [count][k]; got: [count], how many there are of each, fewer than k where fewer rows are eligible. */
int mk_best(const mk_table *table, int64_t first, int64_t last, const uint8_t *allowed, const mk_question *questions,
            int64_t count, int64_t k, mk_found *found, int64_t *got);

/* Puts together what several ranges of rows gave for one question: `found` holds `count` of them, ranges in order, each
 * best first, and `spare` has room for as many. The k best of all come first then, and how many these are is returned. */
int64_t mk_merge(mk_found *found, int64_t count, int64_t k, mk_found *spare);

/* Adds a row to a query. */
void mk_add(const mk_table *table, int64_t row, int64_t *query);

/* The score of one row. */
int64_t mk_score(const mk_table *table, int64_t row, const int64_t *query);

/* The first `columns` entries of a row. */
void mk_widen(const mk_table *table, int64_t row, int columns, double *entries);

/* Takes the path of that name from now on, or for NULL the fastest here; NULL where this processor has it not. What was
 * chosen is returned. Before any choice the environment variable MIGNON_KERNEL names one, if there is such a path. */
const char *mk_choose(const char *name);

/* The names of the paths of this processor, the fastest first; NULL beyond the last. */
const char *mk_path(int number);

#ifdef __cplusplus
}
#endif
#endif
