/* Prints as JSON how long a file takes to open and to answer, and how much memory: bench FILE. */
#define _POSIX_C_SOURCE 199309L /* of clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mignon.h"

enum { TIMES = 301, OPENINGS = 7, K = 10 };

static double now(void) { /* microseconds */
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

int main(int count, char **arguments) {
    double took[TIMES], opened, asked[3];
    mignon *m = NULL;
    mignon_fault fault;
    if (count != 2) return fprintf(stderr, "usage: bench FILE\n"), 2;
    for (int i = 0; i < OPENINGS; i++) {
        mignon_close(m);
        double start = now();
        if (mignon_open_file(&m, arguments[1], NULL, &fault) != MIGNON_OK) return fprintf(stderr, "%s\n", fault.message), 2;
        took[i] = now() - start;
    }
    opened = median(took, OPENINGS);
    for (int kind = 0; kind < 3; kind++) { /* one favorite, several, and a name with a letter wrong */
        for (uint32_t i = 0; i < TIMES; i++) {
            mignon_neighbor neighbors[K];
            mignon_match matches[K];
            uint32_t found, row = i * 7919u % mignon_rows(m);
            mignon_like likes[5];
            for (uint32_t j = 0; j < 5; j++) likes[j] = (mignon_like){{NULL, (row + j * 997u) % mignon_rows(m)}, 1};
            mignon_question q = {likes, kind ? 5 : 1, NULL, 0, NULL, 0, K, MIGNON_BLEND_DEFAULT};
            char name[200];
            snprintf(name, sizeof name, "%sx", mignon_name(m, row));
            double start = now();
            mignon_status status = kind < 2 ? mignon_recommend(m, &q, neighbors, &found) : mignon_find(m, name, K, matches, &found);
            took[i] = now() - start;
            if (status != MIGNON_OK) return fprintf(stderr, "%s\n", mignon_last_fault(m)->message), 1;
        }
        asked[kind] = median(took, TIMES);
    }
    printf("{\"open_ms\": %.2f, \"recommend_us\": %.1f, \"recommend_5_us\": %.1f, \"find_us\": %.1f, \"memory\": %lu}\n", opened / 1e3,
           asked[0], asked[1], asked[2], (unsigned long)mignon_arena_used(m));
    mignon_close(m);
    return 0;
}
