#include "tastes.h"

#include <math.h>

static double cosine(double product, double one, double other) {
    const double squares = one * other;
    return product / sqrt(squares > 1.0 ? squares : 1.0);
}

static double product_of(const double *a, const double *b, int dims) {
    double sum = 0; /* of whole numbers, so that their order does not matter */
    for (int c = 0; c < dims; c++) sum += a[c] * b[c];
    return sum;
}

/* The first of the greatest cosines of two that are both still there; the lower of the two in `kept`. */
static double nearest_two(const double *cosines, const int *group, int count, int *kept, int *merged) {
    double greatest = -INFINITY;
    for (int a = 0; a < count; a++) {
        for (int b = a + 1; group[a] == a && b < count; b++) {
            if (group[b] != b || !(cosines[a * count + b] > greatest)) continue;
            greatest = cosines[a * count + b];
            *kept = a;
            *merged = b;
        }
    }
    return greatest;
}

static int number_groups(int *group, int count) {
    int groups = 0;
    for (int i = 0; i < count; i++) group[i] = group[i] == i ? groups++ : group[group[i]];
    return groups;
}

int mk_group(double *sums, int count, int dims, double alike, double *cosines, double *squares, int *group) {
    double least = INFINITY;
    for (int a = 0; a < count; a++) {
        group[a] = a;
        squares[a] = product_of(sums + a * dims, sums + a * dims, dims);
    }
    for (int a = 0; a < count; a++)
        for (int b = a; b < count; b++) {
            const double one = cosine(product_of(sums + a * dims, sums + b * dims, dims), squares[a], squares[b]);
            cosines[a * count + b] = cosines[b * count + a] = one;
            least = one < least ? one : least;
        }
    if (least >= alike) { /* then all sums are as alike too */
        for (int i = 0; i < count; i++) group[i] = 0;
        return 1;
    }
    for (int kept = 0, merged = 0; nearest_two(cosines, group, count, &kept, &merged) >= alike;) {
        for (int i = 0; i < count; i++) group[i] = group[i] == merged ? kept : group[i];
        for (int c = 0; c < dims; c++) sums[kept * dims + c] += sums[merged * dims + c];
        squares[kept] = product_of(sums + kept * dims, sums + kept * dims, dims);
        for (int i = 0; i < count; i++)
            cosines[i * count + kept] = cosines[kept * count + i] =
                cosine(product_of(sums + i * dims, sums + kept * dims, dims), squares[i], squares[kept]);
    }
    return number_groups(group, count);
}

static int is_taken(const int64_t *rows, int64_t count, int64_t row) {
    for (int64_t i = 0; i < count; i++)
        if (rows[i] == row) return 1;
    return 0;
}

int64_t mk_interleave(const mk_found *found, const int64_t *got, const double *weights, int lists, int64_t k,
                      int64_t *turns, int64_t *rows) {
    int64_t *places = turns + lists, taken = 0;
    for (int i = 0; i < lists; i++) turns[i] = places[i] = 0;
    while (taken < k) {
        int next = -1;
        double greatest = 0;
        for (int i = 0; i < lists; i++) {
            if (places[i] >= got[i]) continue;
            const double share = weights[i] / (double)(2 * turns[i] + 1);
            if (next >= 0 && !(share > greatest || (share == greatest && turns[i] < turns[next]))) continue;
            next = i;
            greatest = share;
        }
        if (next < 0) break;
        turns[next]++;
        while (places[next] < got[next]) {
            const int64_t row = found[next * k + places[next]++].row;
            if (is_taken(rows, taken, row)) continue;
            rows[taken++] = row;
            break;
        }
    }
    return taken;
}
