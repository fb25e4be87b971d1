/* Favorites that are alike make one taste, and several tastes are answered in turns (docs/format.md, "Several tastes"). */
#ifndef MIGNON_TASTES_H
#define MIGNON_TASTES_H

#include "kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Groups `count` vectors; returns how many groups there are, numbered in the order of their first members.
 *
 * sums: [count][dims], overwritten. cosines: room for [count][count]. squares: room for [count].
 * group: [count], gets the number of each vector's group. */
int mk_group(double *sums, int count, int dims, double alike, double *cosines, double *squares, int *group);

/* Takes k rows of several lists in turns; returns how many there are.
 *
 * found: [lists][k], best first, of which there are `got` each. weights: [lists]. turns: room for [lists][2]. */
int64_t mk_interleave(const mk_found *found, const int64_t *got, const double *weights, int lists, int64_t k,
                      int64_t *turns, int64_t *rows);

#ifdef __cplusplus
}
#endif
#endif
