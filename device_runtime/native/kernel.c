/* How a score is computed exactly. A row has 8 bits an entry, a query more:
 *   AVX2, SSE2: bytes are widened by shifts, the even and the odd ones apart, and multiplied as 16 bits by 16.
 *   AVX-512 VNNI: the query is 256 high + low, each of 8 bits, and a row with the top bits flipped is row + 128 without
 *     sign, which vpdpbusd multiplies without saturation. What the 128 adds is a constant of the query.
 *   NEON: 16 bits by 16; with the dot product of armv8.2 by high and low.
 * All of it is modulo 2^32, so it is exact where the score itself fits. A query beyond 16 bits is split into two that
 * are scored one after the other; one whose scores leave 32 bits is scored in 64, without vectors.
 *
 * How the k best are kept. Of the first rows the maxima of 64 groups are taken, and a bound is found, without branches,
 * that as many of them reach as there are rows wanted or banned: few rows exceed it. From then on only scores above the
 * k-th best so far are looked at. Rows come in order, so of equal scores the first one stays.
 *
 * Many questions share a layout in which a lane is a row, so that no score has to be summed across lanes. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define X86 1
#include <cpuid.h>
#include <immintrin.h>
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__aarch64__)
#define ARM64 1
#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(_WIN32)
#include <windows.h>
#endif
#endif
#if defined(__GNUC__) || defined(__clang__)
#define INLINE static inline __attribute__((always_inline))
#define AHEAD(place) __builtin_prefetch(place)
#define LOWEST_BIT(mask) __builtin_ctzll(mask)
#else
#define INLINE static inline
#define AHEAD(place) ((void)(place))
INLINE int LOWEST_BIT(uint64_t mask) {
    int bit = 0;
    while (!(mask >> bit & 1)) bit++;
    return bit;
}
#endif

enum {
    MOST_ROWS = 4096, /* of a chunk: their scores stay in the first cache */
    LAID_BYTES = 1 << 16, /* of a chunk that many questions share: it stays in the second */
    GROUPS = 64,
    MOST_GROUPS = 512, /* where more are wanted than half of those */
    PART = 16, /* columns that a path takes at once */
    LANES = 64, /* rows side by side where many questions share them */
    FEWEST_WAITING = 64, /* room for rows that are above the least so far */
    FEWEST_TO_LAY_OUT = 3, /* questions that it pays for */
    DISTANCE = 2048, /* bytes to read ahead of use: what is in no cache comes a fifth faster */
    SPARSE = 5 /* where fewer than one row in so many is allowed, those are gathered */
};

/* ---------------------------------------------------------------------------------------------- the best so far */

/* Rows come in order, so that of equal scores the one that came first stays before the other: all sorts are stable. */
typedef struct {
    mk_found *found; /* the best so far, in order */
    mk_found *waiting; /* what came in since, in the order of the rows */
    int64_t k, count, room, waits;
    int64_t least; /* only a greater score comes in */
    const mk_question *question;
    int64_t passed; /* banned rows that lie before all that is to come */
} Best;

/* Puts two lists into one, of which no more than `most` are wanted; returns how many came. */
static int64_t merge(const mk_found *a, int64_t a_count, const mk_found *b, int64_t b_count, mk_found *to, int64_t most) {
    int64_t count = 0, i = 0, j = 0;
    while (count < most && i < a_count && j < b_count) {
        const int is_second = a[i].score < b[j].score;
        to[count++] = is_second ? b[j] : a[i];
        j += is_second;
        i += !is_second;
    }
    for (; count < most && i < a_count; i++) to[count++] = a[i];
    for (; count < most && j < b_count; j++) to[count++] = b[j];
    return count;
}

/* By insertion in runs, which are then merged; `spare` has room for as many. */
static void sort(mk_found *found, int64_t count, mk_found *spare) {
    enum { RUN = 16 };
    for (int64_t i = 0; i < count; i++) {
        const mk_found one = found[i];
        int64_t at = i;
        for (; at % RUN && found[at - 1].score < one.score; at--) found[at] = found[at - 1];
        found[at] = one;
    }
    for (int64_t width = RUN; width < count; width *= 2) {
        for (int64_t i = 0; i < count; i += 2 * width) {
            const int64_t middle = i + width < count ? i + width : count, end = i + 2 * width < count ? i + 2 * width : count;
            merge(found + i, middle - i, found + middle, end - middle, spare + i, end - i);
        }
        memcpy(found, spare, sizeof *found * (size_t)count);
    }
}

/* Takes in what waits; `spare` has room for as many as are kept or may wait. */
static void take_in(Best *best, mk_found *spare) {
    sort(best->waiting, best->waits, spare);
    best->count = merge(best->found, best->count, best->waiting, best->waits, spare, best->k);
    memcpy(best->found, spare, sizeof *spare * (size_t)best->count);
    best->waits = 0;
    if (best->count == best->k) best->least = best->found[best->k - 1].score;
}

/* Lets a row that is above all rows before wait, if its score is great enough. */
INLINE void offer(Best *best, mk_found *spare, int64_t score, int64_t row) {
    const mk_question *question = best->question;
    if (score <= best->least) return;
    while (best->passed < question->banned_count && question->banned[best->passed] < row) best->passed++;
    if (best->passed < question->banned_count && question->banned[best->passed] == row) return;
    best->waiting[best->waits++] = (mk_found){row, score};
    if (best->waits == best->room) take_in(best, spare);
}

/* ---------------------------------------------------------------------------------------------- the query, prepared */

typedef struct Query Query;
struct Query {
    int columns; /* from row to row */
    int whole; /* columns that a path takes in parts: all, or all but a last one */
    int parts; /* the last of them may begin within the one before, whose columns count nothing in it */
    int is_wide; /* whether scores need 64 bits: nothing but `entries` is prepared then */
    int has_last, fits; /* whether a last column is added apart; whether all entries fit in 16 bits */
    uint32_t last; /* the entry of it */
    uint32_t flipped; /* what rows without sign score too much */
    const int64_t *entries;
    int16_t *plain; /* in the order of the columns, an even number of them */
    int16_t *wide, *even, *odd; /* in the order of the parts; even and odd columns of each */
    int8_t *low, *high;
    const Query *upper; /* NULL, or of a query that was split: 2^15 times this one is to be added */
};

enum { SPLIT_BITS = 15 };
static const uint64_t MOST_SIZE = UINT64_C(1) << 55; /* of a query: 128 times that is below 2^62 */

static int parts_of(int whole) { return (whole + PART - 1) / PART; }

static size_t query_bytes(int columns) {
    size_t in_parts = (size_t)PART * (size_t)parts_of(columns);
    return (2 * ((size_t)columns + 2) + 6 * in_parts + 63) / 64 * 64;
}

static void place_query(Query *q, uint8_t *memory, int columns) {
    q->columns = columns;
    q->has_last = columns > PART && columns % PART == 1;
    q->whole = columns - q->has_last;
    q->parts = parts_of(q->whole);
    size_t in_parts = (size_t)PART * (size_t)q->parts;
    q->wide = (int16_t *)memory;
    q->even = q->wide + in_parts;
    q->odd = q->even + in_parts / 2;
    q->low = (int8_t *)(q->odd + in_parts / 2);
    q->high = q->low + in_parts;
    q->plain = (int16_t *)(q->high + in_parts);
    q->upper = NULL;
}

/* Of entries that fit, but for a last one that counts apart. */
static void fill_query(Query *q, const int32_t *entries) {
    const int overlap = q->whole < PART ? 0 : PART * q->parts - q->whole;
    int32_t sum = 0;
    for (int c = 0; c < q->columns; c++) q->plain[c] = (int16_t)entries[c];
    q->plain[q->columns] = 0;
    for (int i = 0; i < PART * q->parts; i++) {
        const int in_last = i >= PART * (q->parts - 1), column = in_last ? i - overlap : i;
        const int again = in_last && i - PART * (q->parts - 1) < overlap;
        const int32_t entry = again || column >= q->whole ? 0 : entries[column];
        const int32_t low = (int32_t)(((uint32_t)entry + 128u) & 255u) - 128;
        q->wide[i] = (int16_t)entry;
        (i % 2 ? q->odd : q->even)[i / 2] = (int16_t)entry;
        q->low[i] = (int8_t)low;
        q->high[i] = (int8_t)((entry - low) / 256);
        sum += entry;
    }
    q->flipped = 128u * (uint32_t)sum;
    q->last = q->has_last ? (uint32_t)entries[q->columns - 1] : 0;
}

static int fits_16(int64_t entry) { return entry >= -32639 && entry <= 32639; }

/* `memory` holds `query_bytes` twice; `upper` is used where the query has to be split. */
static int prepare(Query *q, Query *upper, uint8_t *memory, int columns, const int64_t *entries) {
    uint64_t size = 0;
    int32_t lower[MK_MOST_COLUMNS], higher[MK_MOST_COLUMNS];
    int fits = 1;
    place_query(q, memory, columns);
    q->entries = entries;
    for (int c = 0; c < columns; c++) {
        if (entries[c] < -(int64_t)MOST_SIZE || entries[c] > (int64_t)MOST_SIZE) return MK_BAD_ARGUMENT;
        size += (uint64_t)(entries[c] < 0 ? -entries[c] : entries[c]);
        if (size > MOST_SIZE) return MK_BAD_ARGUMENT;
        if (c < q->whole) fits &= fits_16(entries[c]);
    }
    q->fits = fits && fits_16(entries[columns - 1]);
    q->is_wide = 128 * size > INT32_MAX;
    if (q->is_wide) return MK_DONE;
    for (int c = 0; c < columns; c++) {
        lower[c] = (int32_t)entries[c];
        higher[c] = 0;
        if (fits || c >= q->whole) continue;
        lower[c] = (int32_t)(((uint32_t)entries[c] + (1u << (SPLIT_BITS - 1))) & ((1u << SPLIT_BITS) - 1)) -
                   (1 << (SPLIT_BITS - 1));
        higher[c] = ((int32_t)entries[c] - lower[c]) / (1 << SPLIT_BITS);
    }
    fill_query(q, lower);
    if (fits) return MK_DONE;
    place_query(upper, memory + query_bytes(columns), columns);
    fill_query(upper, higher);
    q->upper = upper;
    return MK_DONE;
}

/* ---------------------------------------------------------------------------------------------- paths: in plain C */

/* The scores of `count` rows that follow one another, modulo 2^32. */
typedef void Score(const int8_t *rows, int count, const Query *q, int32_t *scores);
/* The scores of rows as `Lay` laid them out, of which there are a multiple of LANES. */
typedef void ScoreLaid(const int32_t *laid, int count, const Query *q, int32_t *scores);
typedef void Lay(const int8_t *rows, int count, int columns, int32_t *laid);
/* A bound that the scores of at least `wanted` rows reach, and few others. */
typedef int64_t Bound(const int32_t *scores, int count, int wanted);
/* Offers what is above the least; `places` are the rows, from `first` on, or NULL where they follow one another. */
typedef void Sift(const int32_t *scores, int count, const int32_t *places, int64_t first, Best *best, mk_found *spare);

/* Marks the scores of rows whose bit is not set. */
typedef void Blank(const uint8_t *allowed, int64_t first, int count, int32_t *scores);

typedef struct {
    const char *name;
    int (*is_here)(void);
    Score *score;
    Bound *bound;
    Sift *sift;
    Blank *blank;
    Lay *lay; /* NULL where many questions share no layout */
    ScoreLaid *score_laid;
} Path;

INLINE int32_t dot(const int8_t *row, const int16_t *query, int columns) {
    int32_t sum = 0;
    for (int c = 0; c < columns; c++) sum += (int32_t)row[c] * query[c];
    return sum;
}

/* Adds what a last column apart comes to: of one more column, such as a bias, parts of 16 would cost too much. */
INLINE void add_last(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int8_t *last = rows + q->columns - 1; /* negative entries, too, multiply modulo 2^32 */
    const int64_t d = q->columns;
    if (!q->has_last) return;
    for (int r = 0; r < count; r++) {
        const int32_t entry = last[r * d];
        scores[r] = (int32_t)((uint32_t)scores[r] + q->last * (uint32_t)entry);
    }
}

/* One by one, what a path leaves over. */
static void score_rest(const int8_t *rows, int first, int count, const Query *q, int32_t *scores) {
    const int64_t d = q->columns;
    for (int r = first; r < count; r++) scores[r] = dot(rows + d * r, q->plain, q->whole);
    add_last(rows + d * first, count - first, q, scores + first);
}

static void score_plain(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int d = q->columns;
    if (d == 16) /* with a width that is known it takes half the time */
        for (int r = 0; r < count; r++) scores[r] = dot(rows + 16 * r, q->plain, 16);
    else if (d == 32)
        for (int r = 0; r < count; r++) scores[r] = dot(rows + 32 * r, q->plain, 32);
    else
        score_rest(rows, 0, count, q, scores);
}

INLINE int64_t bound_by(const int32_t *scores, int count, int wanted, const int groups) {
    int32_t maxima[MOST_GROUPS], least = INT32_MAX, most = INT32_MIN;
    memcpy(maxima, scores, sizeof *maxima * (size_t)groups);
    for (int r = groups; r + groups <= count; r += groups)
        for (int g = 0; g < groups; g++) maxima[g] = scores[r + g] > maxima[g] ? scores[r + g] : maxima[g];
    for (int g = 0; g < groups; g++) {
        least = maxima[g] < least ? maxima[g] : least;
        most = maxima[g] > most ? maxima[g] : most;
    }
    int64_t low = least, high = most;
    for (int step = 0; step < 8; step++) {
        const int32_t middle = (int32_t)(low + (high - low + 1) / 2);
        int reach = 0;
        for (int g = 0; g < groups; g++) reach += maxima[g] >= middle;
        low = reach >= wanted ? middle : low;
        high = reach >= wanted ? high : (int64_t)middle - 1;
    }
    return low;
}

INLINE int64_t bound_of(const int32_t *scores, int count, int wanted) {
    return wanted <= GROUPS / 2 ? bound_by(scores, count, wanted, GROUPS)
                                : bound_by(scores, count, wanted, MOST_GROUPS);
}

static int64_t bound_plain(const int32_t *scores, int count, int wanted) { return bound_of(scores, count, wanted); }

/* Which of 16 scores are above `least`, a bit for each. */
INLINE uint32_t above(const int32_t *scores, int32_t least) {
    uint32_t mask = 0;
#if defined(X86)
    const __m128i t = _mm_set1_epi32(least);
    __m128i a[4];
    for (int i = 0; i < 4; i++) a[i] = _mm_cmpgt_epi32(_mm_loadu_si128((const __m128i *)(scores + 4 * i)), t);
    mask = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(a[0], a[1]), _mm_packs_epi32(a[2], a[3])));
#else
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(scores[i] > least) << i;
#endif
    return mask;
}

/* No score is INT32_MIN, which marks rows that must not come back. */
INLINE int32_t least_of(const Best *best) { return best->least < INT32_MIN ? INT32_MIN : (int32_t)best->least; }

INLINE void sift_of(const int32_t *scores, int count, const int32_t *places, int64_t first, Best *best,
                      mk_found *spare) {
    int r = 0;
    if (best->least >= INT32_MAX) return;
    for (; r + 64 <= count; r += 64) {
        const int32_t least = least_of(best);
        int any = 0;
        for (int i = 0; i < 64; i++) any |= scores[r + i] > least;
        if (!any) continue;
        for (int s = r; s < r + 64; s += 16)
            for (uint32_t mask = above(scores + s, least); mask; mask &= mask - 1) {
                const int i = s + LOWEST_BIT(mask);
                offer(best, spare, scores[i], first + (places ? places[i] : i));
            }
    }
    for (; r < count; r++)
        if (scores[r] > least_of(best)) offer(best, spare, scores[r], first + (places ? places[r] : r));
}

static void sift_plain(const int32_t *scores, int count, const int32_t *places, int64_t first, Best *best,
                      mk_found *spare) {
    sift_of(scores, count, places, first, best, spare);
}

INLINE int is_allowed(const uint8_t *allowed, int64_t row) { return allowed[row >> 3] >> (row & 7) & 1; }

static void blank_plain(const uint8_t *allowed, int64_t first, int count, int32_t *scores) {
    for (int r = 0; r < count; r++) {
        const int32_t kept = -(int32_t)is_allowed(allowed, first + r); /* without branches */
        scores[r] = (scores[r] & kept) | (INT32_MIN & ~kept);
    }
}

static int is_anywhere(void) { return 1; }

/* ---------------------------------------------------------------------------------------------- paths: x86-64 */
#if defined(X86)
#define FOR_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define FOR_AVX512 __attribute__((target("avx2,bmi,popcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

/* Of four vectors of four parts each, the sum of each vector's. */
INLINE __m128i sums_of_fours(const __m128i *s) {
    const __m128i a = _mm_add_epi32(_mm_unpacklo_epi32(s[0], s[1]), _mm_unpackhi_epi32(s[0], s[1]));
    const __m128i b = _mm_add_epi32(_mm_unpacklo_epi32(s[2], s[3]), _mm_unpackhi_epi32(s[2], s[3]));
    return _mm_add_epi32(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b));
}

static void score_sse2(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int64_t d = q->columns;
    const int parts = q->parts, end = q->whole - PART;
    int r = 0;
    if (end < 0) {
        score_plain(rows, count, q, scores);
        return;
    }
    for (; r + 4 <= count; r += 4) {
        __m128i s[4];
        for (int i = 0; i < 4; i++) {
            const int8_t *row = rows + (r + i) * d;
            s[i] = _mm_setzero_si128();
            for (int w = 0; w < parts; w++) {
                const __m128i x = _mm_loadu_si128((const __m128i *)(row + (PART * w < end ? PART * w : end)));
                const __m128i even = _mm_srai_epi16(_mm_slli_epi16(x, 8), 8), odd = _mm_srai_epi16(x, 8);
                s[i] = _mm_add_epi32(s[i], _mm_madd_epi16(even, _mm_loadu_si128((const __m128i *)(q->even + 8 * w))));
                s[i] = _mm_add_epi32(s[i], _mm_madd_epi16(odd, _mm_loadu_si128((const __m128i *)(q->odd + 8 * w))));
            }
        }
        _mm_storeu_si128((__m128i *)(scores + r), sums_of_fours(s));
    }
    add_last(rows, r, q, scores);
    score_rest(rows, r, count, q, scores);
}

#define TWICE(place) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(place)))
#define PRODUCTS(x, even, odd)                                                                  \
    _mm256_add_epi32(_mm256_madd_epi16(_mm256_srai_epi16(_mm256_slli_epi16((x), 8), 8), (even)), \
                     _mm256_madd_epi16(_mm256_srai_epi16((x), 8), (odd)))

/* What a last column apart adds to the scores of 8 rows. */
FOR_AVX2 INLINE __m256i add_eight_last(__m256i sums, const int8_t *last, int64_t d, const Query *q) {
    const uint64_t bytes = (uint64_t)(uint8_t)last[0] | (uint64_t)(uint8_t)last[d] << 8 |
                           (uint64_t)(uint8_t)last[2 * d] << 16 | (uint64_t)(uint8_t)last[3 * d] << 24 |
                           (uint64_t)(uint8_t)last[4 * d] << 32 | (uint64_t)(uint8_t)last[5 * d] << 40 |
                           (uint64_t)(uint8_t)last[6 * d] << 48 | (uint64_t)(uint8_t)last[7 * d] << 56;
    const __m256i entries = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
    return _mm256_add_epi32(sums, _mm256_mullo_epi32(entries, _mm256_set1_epi32((int32_t)q->last)));
}

/* Rows in pairs, one in each half of a vector. */
FOR_AVX2 INLINE void score_pairs(const int8_t *rows, int count, const Query *q, int32_t *scores, const int64_t d,
                                 const int parts) {
    const int end = q->whole - PART;
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int r = 0; r + 8 <= count; r += 8) {
        __m256i s[4];
        for (int i = 0; i < 4; i++) {
            const int8_t *row = rows + (r + 2 * i) * d;
            AHEAD(row + DISTANCE);
            s[i] = _mm256_setzero_si256();
            for (int w = 0; w < parts; w++) {
                const int start = PART * w < end ? PART * w : end;
                const __m256i x =
                    d == PART ? _mm256_loadu_si256((const __m256i *)row)
                              : _mm256_inserti128_si256(
                                    _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(row + start))),
                                    _mm_loadu_si128((const __m128i *)(row + d + start)), 1);
                s[i] = _mm256_add_epi32(s[i], PRODUCTS(x, TWICE(q->even + 8 * w), TWICE(q->odd + 8 * w)));
            }
        }
        __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]), _mm256_hadd_epi32(s[2], s[3]));
        sums = _mm256_permutevar8x32_epi32(sums, order);
        if (q->has_last) sums = add_eight_last(sums, rows + (r + 1) * d - 1, d, q);
        _mm256_storeu_si256((__m256i *)(scores + r), sums);
    }
}

/* Rows of two parts, or two and a last column: each in a vector of its own. */
FOR_AVX2 INLINE void score_of_32(const int8_t *rows, int count, const Query *q, int32_t *scores, const int64_t d) {
    const __m256i even = _mm256_loadu_si256((const __m256i *)q->even), odd = _mm256_loadu_si256((const __m256i *)q->odd);
    for (int r = 0; r + 8 <= count; r += 8) {
        __m256i s[8];
        for (int i = 0; i < 8; i++) {
            const int8_t *row = rows + (r + i) * d;
            if (i % 2 == 0) AHEAD(row + DISTANCE);
            const __m256i x = _mm256_loadu_si256((const __m256i *)row);
            s[i] = PRODUCTS(x, even, odd);
        }
        const __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]), _mm256_hadd_epi32(s[2], s[3]));
        const __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(s[4], s[5]), _mm256_hadd_epi32(s[6], s[7]));
        __m256i sums = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
        if (d != 32) sums = add_eight_last(sums, rows + (r + 1) * d - 1, d, q);
        _mm256_storeu_si256((__m256i *)(scores + r), sums);
    }
}

FOR_AVX2 static void score_avx2(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int64_t d = q->columns;
    if (q->whole < PART) {
        score_plain(rows, count, q, scores);
        return;
    }
    if (d == 16) score_pairs(rows, count, q, scores, 16, 1);
    else if (d == 32) score_of_32(rows, count, q, scores, 32);
    else if (d == 33) score_of_32(rows, count, q, scores, 33);
    else score_pairs(rows, count, q, scores, d, q->parts);
    score_rest(rows, count / 8 * 8, count, q, scores);
}

#define UNPACKED(half, x) _mm256_srai_epi16(_mm256_unpack##half##_epi8(x, x), 8)

/* Lays out 8 rows of 16 columns, rows in pairs of one and the fourth after it. */
FOR_AVX2 INLINE void lay_part(const int8_t *row, int64_t d, int32_t *block) {
    __m256i x[4], a[4];
    for (int i = 0; i < 4; i++)
        x[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(row + i * d))),
                                       _mm_loadu_si128((const __m128i *)(row + (i + 4) * d)), 1);
    for (int half = 0; half < 2; half++, block += PART / 4 * LANES) {
        for (int i = 0; i < 4; i++) a[i] = half ? UNPACKED(hi, x[i]) : UNPACKED(lo, x[i]);
        const __m256i b = _mm256_unpacklo_epi32(a[0], a[1]), c = _mm256_unpacklo_epi32(a[2], a[3]);
        const __m256i e = _mm256_unpackhi_epi32(a[0], a[1]), f = _mm256_unpackhi_epi32(a[2], a[3]);
        _mm256_storeu_si256((__m256i *)block, _mm256_unpacklo_epi64(b, c));
        _mm256_storeu_si256((__m256i *)(block + LANES), _mm256_unpackhi_epi64(b, c));
        _mm256_storeu_si256((__m256i *)(block + 2 * LANES), _mm256_unpacklo_epi64(e, f));
        _mm256_storeu_si256((__m256i *)(block + 3 * LANES), _mm256_unpackhi_epi64(e, f));
    }
}

/* Rows as lanes: of each two columns, 16 bits each, those of LANES rows side by side; zeros fill the last lanes. */
FOR_AVX2 static void lay_avx2(const int8_t *rows, int count, int columns, int32_t *laid) {
    const int pairs = (columns + 1) / 2, eights = count / 8 * 8;
    const int64_t d = columns;
    if (count % LANES) memset(laid + (int64_t)(count / LANES) * LANES * pairs, 0, sizeof *laid * LANES * (size_t)pairs);
    for (int r = 0; r < count; r += 8) {
        int32_t *block = laid + (int64_t)(r / LANES) * LANES * pairs + r % LANES;
        const int whole = r < eights ? columns / PART * PART : 0;
        for (int c = 0; c < whole; c += PART) lay_part(rows + r * d + c, d, block + c / 2 * LANES);
        for (int c = whole; c < columns; c += 2)
            for (int i = 0; i < 8 && r + i < count; i++) {
                const int8_t *pair = rows + (r + i) * d + c;
                const uint32_t second = c + 1 < columns ? (uint16_t)pair[1] : 0;
                block[c / 2 * LANES + i] = (int32_t)((uint16_t)pair[0] | second << 16);
            }
    }
}

INLINE int32_t pair_of(const int16_t *entries, int pair) {
    int32_t both;
    memcpy(&both, entries + 2 * pair, sizeof both);
    return both;
}

FOR_AVX2 INLINE void score_lanes_avx2(const int32_t *laid, int count, const Query *q, int32_t *scores, const int pairs) {
    for (int r = 0; r < count; r += LANES, laid += pairs * LANES) {
        __m256i s[LANES / 8];
        for (int i = 0; i < LANES / 8; i++) s[i] = _mm256_setzero_si256();
        for (int p = 0; p < pairs; p++) {
            const __m256i entries = _mm256_set1_epi32(pair_of(q->plain, p)), *x = (const __m256i *)(laid + p * LANES);
            for (int i = 0; i < LANES / 8; i++)
                s[i] = _mm256_add_epi32(s[i], _mm256_madd_epi16(_mm256_loadu_si256(x + i), entries));
        }
        for (int i = 0; i < LANES / 8; i++) _mm256_storeu_si256((__m256i *)(scores + r) + i, s[i]);
    }
}

FOR_AVX2 static void score_laid_avx2(const int32_t *laid, int count, const Query *q, int32_t *scores) {
    if (q->columns == 16) score_lanes_avx2(laid, count, q, scores, 8);
    else if (q->columns == 32) score_lanes_avx2(laid, count, q, scores, 16);
    else score_lanes_avx2(laid, count, q, scores, (q->columns + 1) / 2);
}

FOR_AVX2 static int64_t bound_avx2(const int32_t *scores, int count, int wanted) {
    return bound_of(scores, count, wanted);
}

FOR_AVX2 static void sift_avx2(const int32_t *scores, int count, const int32_t *places, int64_t first, Best *best,
                      mk_found *spare) {
    sift_of(scores, count, places, first, best, spare);
}

FOR_AVX2 static void blank_avx2(const uint8_t *allowed, int64_t first, int count, int32_t *scores) {
    const __m256i to_sign = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24), marked = _mm256_set1_epi32(INT32_MIN);
    int r = 0;
    for (; first % 8 == 0 && r + 8 <= count; r += 8) {
        const __m256i kept = _mm256_sllv_epi32(_mm256_set1_epi32(allowed[(first + r) / 8]), to_sign);
        __m256i *some = (__m256i *)(scores + r);
        _mm256_storeu_si256(some, _mm256_blendv_epi8(marked, _mm256_loadu_si256(some), _mm256_srai_epi32(kept, 31)));
    }
    blank_plain(allowed, first + r, count - r, scores + r);
}

#define FOUR_TIMES(place) _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(place)))
#define SUMS_32(a, b) _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
#define SUMS_64(a, b) _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b))

/* Rows in fours, one in each quarter of a vector. */
FOR_AVX512 INLINE void score_fours(const int8_t *rows, int count, const Query *q, int32_t *scores, const int64_t d,
                                   const int parts) {
    const int end = q->whole - PART;
    const __m512i flip = _mm512_set1_epi8(-128), flipped = _mm512_set1_epi32((int32_t)q->flipped);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (int r = 0; r + 16 <= count; r += 16) {
        __m512i s[4];
        for (int i = 0; i < 4; i++) {
            const int8_t *row = rows + (r + 4 * i) * d;
            __m512i high = _mm512_setzero_si512(), low = high;
            AHEAD(row + DISTANCE);
            for (int w = 0; w < parts; w++) {
                const int start = PART * w < end ? PART * w : end;
                __m512i x;
                if (d == PART) {
                    x = _mm512_loadu_si512(row);
                } else {
                    x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(row + start)));
                    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + d + start)), 1);
                    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + 2 * d + start)), 2);
                    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + 3 * d + start)), 3);
                }
                x = _mm512_xor_si512(x, flip);
                high = _mm512_dpbusd_epi32(high, x, FOUR_TIMES(q->high + PART * w));
                low = _mm512_dpbusd_epi32(low, x, FOUR_TIMES(q->low + PART * w));
            }
            s[i] = _mm512_add_epi32(_mm512_slli_epi32(high, 8), low);
        }
        const __m512i sums = SUMS_64(SUMS_32(s[0], s[1]), SUMS_32(s[2], s[3]));
        _mm512_storeu_si512(scores + r, _mm512_sub_epi32(_mm512_permutexvar_epi32(order, sums), flipped));
    }
    add_last(rows, count / 16 * 16, q, scores);
}

FOR_AVX512 static void score_avx512(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int64_t d = q->columns;
    if (q->whole < PART) {
        score_plain(rows, count, q, scores);
        return;
    }
    if (d == 16) score_fours(rows, count, q, scores, 16, 1);
    else if (d == 32) score_fours(rows, count, q, scores, 32, 2);
    else if (q->parts == 2) score_fours(rows, count, q, scores, d, 2);
    else score_fours(rows, count, q, scores, d, q->parts);
    score_rest(rows, count / 16 * 16, count, q, scores);
}

FOR_AVX512 INLINE void score_lanes_avx512(const int32_t *laid, int count, const Query *q, int32_t *scores,
                                          const int pairs) {
    for (int r = 0; r < count; r += LANES, laid += pairs * LANES) {
        __m512i s[LANES / 16];
        for (int i = 0; i < LANES / 16; i++) s[i] = _mm512_setzero_si512();
        for (int p = 0; p < pairs; p++) {
            const __m512i entries = _mm512_set1_epi32(pair_of(q->plain, p));
            for (int i = 0; i < LANES / 16; i++)
                s[i] = _mm512_dpwssd_epi32(s[i], _mm512_loadu_si512(laid + p * LANES + 16 * i), entries);
        }
        for (int i = 0; i < LANES / 16; i++) _mm512_storeu_si512(scores + r + 16 * i, s[i]);
    }
}

FOR_AVX512 static void score_laid_avx512(const int32_t *laid, int count, const Query *q, int32_t *scores) {
    if (q->columns == 16) score_lanes_avx512(laid, count, q, scores, 8);
    else if (q->columns == 32) score_lanes_avx512(laid, count, q, scores, 16);
    else score_lanes_avx512(laid, count, q, scores, (q->columns + 1) / 2);
}

/* Whether the processor has the features of a path and the system keeps its registers: those of `kept` in XCR0. */
static int has_features(uint32_t kept, uint32_t ebx_wanted, uint32_t ecx_wanted) {
    uint32_t eax, ebx, ecx, edx, low, high;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 27 & 1) || !(ecx >> 23 & 1)) return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & kept) != kept || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return 0;
    return (ebx & ebx_wanted) == ebx_wanted && (ecx & ecx_wanted) == ecx_wanted;
}

static int has_avx2(void) { return has_features(0x6, 1u << 5 | 1u << 3, 0); }

static int has_avx512(void) {
    return has_avx2() && has_features(0xe6, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, 1u << 11);
}
#endif

/* ---------------------------------------------------------------------------------------------- paths: 64-bit ARM */
#if defined(ARM64)
#if defined(__clang__)
#define FOR_DOTPROD __attribute__((target("dotprod")))
#else
#define FOR_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

#define SUMS_OF_FOURS(s) vpaddq_s32(vpaddq_s32((s)[0], (s)[1]), vpaddq_s32((s)[2], (s)[3]))

static void score_neon(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int64_t d = q->columns;
    const int parts = q->parts, end = q->whole - PART;
    int r = 0;
    if (end < 0) {
        score_plain(rows, count, q, scores);
        return;
    }
    for (; r + 4 <= count; r += 4) {
        int32x4_t s[4];
        for (int i = 0; i < 4; i++) {
            const int8_t *row = rows + (r + i) * d;
            s[i] = vdupq_n_s32(0);
            for (int w = 0; w < parts; w++) {
                const int8x16_t x = vld1q_s8(row + (PART * w < end ? PART * w : end));
                const int16x8_t a = vmovl_s8(vget_low_s8(x)), b = vmovl_high_s8(x);
                const int16x8_t qa = vld1q_s16(q->wide + PART * w), qb = vld1q_s16(q->wide + PART * w + 8);
                s[i] = vmlal_s16(s[i], vget_low_s16(a), vget_low_s16(qa));
                s[i] = vmlal_high_s16(s[i], a, qa);
                s[i] = vmlal_s16(s[i], vget_low_s16(b), vget_low_s16(qb));
                s[i] = vmlal_high_s16(s[i], b, qb);
            }
        }
        vst1q_s32(scores + r, SUMS_OF_FOURS(s));
    }
    add_last(rows, r, q, scores);
    score_rest(rows, r, count, q, scores);
}

FOR_DOTPROD static void score_dotprod(const int8_t *rows, int count, const Query *q, int32_t *scores) {
    const int64_t d = q->columns;
    const int parts = q->parts, end = q->whole - PART;
    int r = 0;
    if (end < 0) {
        score_plain(rows, count, q, scores);
        return;
    }
    for (; r + 4 <= count; r += 4) {
        int32x4_t s[4];
        for (int i = 0; i < 4; i++) {
            const int8_t *row = rows + (r + i) * d;
            int32x4_t high = vdupq_n_s32(0), low = high;
            for (int w = 0; w < parts; w++) {
                const int8x16_t x = vld1q_s8(row + (PART * w < end ? PART * w : end));
                high = vdotq_s32(high, x, vld1q_s8(q->high + PART * w));
                low = vdotq_s32(low, x, vld1q_s8(q->low + PART * w));
            }
            s[i] = vaddq_s32(vshlq_n_s32(high, 8), low);
        }
        vst1q_s32(scores + r, SUMS_OF_FOURS(s));
    }
    add_last(rows, r, q, scores);
    score_rest(rows, r, count, q, scores);
}

static int has_dotprod(void) {
#if defined(__ARM_FEATURE_DOTPROD)
    return 1;
#elif defined(__linux__)
    return getauxval(AT_HWCAP) >> 20 & 1; /* HWCAP_ASIMDDP */
#elif defined(_WIN32)
    return IsProcessorFeaturePresent(43) != 0; /* PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE */
#else
    return 0;
#endif
}
#endif

/* ---------------------------------------------------------------------------------------------- which path */

static const Path PATHS[] = {
#if defined(X86)
    {"avx512", has_avx512, score_avx512, bound_avx2, sift_avx2, blank_avx2, lay_avx2, score_laid_avx512},
    {"avx2", has_avx2, score_avx2, bound_avx2, sift_avx2, blank_avx2, lay_avx2, score_laid_avx2},
    {"sse2", is_anywhere, score_sse2, bound_plain, sift_plain, blank_plain, NULL, NULL},
#elif defined(ARM64)
    {"dotprod", has_dotprod, score_dotprod, bound_plain, sift_plain, blank_plain, NULL, NULL},
    {"neon", is_anywhere, score_neon, bound_plain, sift_plain, blank_plain, NULL, NULL},
#endif
    {"plain", is_anywhere, score_plain, bound_plain, sift_plain, blank_plain, NULL, NULL},
};
static const int PATH_COUNT = (int)(sizeof PATHS / sizeof *PATHS);

static const Path *chosen; /* NULL until the first choice, which every thread would make alike */

static const Path *named(const char *name) {
    for (int i = 0; i < PATH_COUNT; i++)
        if (PATHS[i].is_here() && (!name || !strcmp(PATHS[i].name, name))) return &PATHS[i];
    return NULL;
}

const char *mk_choose(const char *name) {
    const Path *path = named(name);
    if (!path) return NULL;
    chosen = path;
    return path->name;
}

const char *mk_path(int number) {
    for (int i = 0; i < PATH_COUNT; i++)
        if (PATHS[i].is_here() && number-- == 0) return PATHS[i].name;
    return NULL;
}

static const Path *current_path(void) {
    const Path *path = chosen;
    if (path) return path;
    path = named(getenv("MIGNON_KERNEL"));
    return chosen = path ? path : named(NULL);
}

/* ---------------------------------------------------------------------------------------------- rows in chunks */

/* Rows as the paths want them: the table's own, or a copy of those that are allowed or of 4 bits widened. */
typedef struct {
    const mk_table *table;
    const uint8_t *allowed;
    int8_t *copies; /* NULL where the table's own bytes will do */
    int32_t *places; /* which row of the chunk each copy is; used where rows are gathered */
    int is_gathered, is_blanked; /* of this chunk: only the allowed were copied; others have to be passed over */
} Reader;

/* Up to 64 bits of them from `row` on. */
INLINE uint64_t bits_from(const uint8_t *allowed, int64_t row, int count) {
    uint64_t bits = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (row % 8 == 0 && count == 64) memcpy(&bits, allowed + row / 8, sizeof bits); /* nearly always */
    else
#endif
        for (int i = 0; i < count; i++) bits |= (uint64_t)is_allowed(allowed, row + i) << i;
    return bits;
}

/* Gathered rows are scored sixteen at once, zeros after them: one by one takes a path several times as long. */
static int whole_lines(int count) { return (count + PART - 1) / PART * PART; }

static int count_allowed(const uint8_t *allowed, int64_t first, int count) {
    int found = 0;
    for (int r = 0; r < count; r += 64) {
        uint64_t x = bits_from(allowed, first + r, count - r < 64 ? count - r : 64);
        x = x - (x >> 1 & UINT64_C(0x5555555555555555));
        x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
        x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
        found += (int)(x * UINT64_C(0x0101010101010101) >> 56);
    }
    return found;
}

static void widen(const uint8_t *packed, int64_t bytes, int8_t *entries) {
    for (int64_t i = 0; i < bytes; i++) {
        entries[2 * i] = (int8_t)((packed[i] & 15) - ((packed[i] & 8) << 1));
        entries[2 * i + 1] = (int8_t)((packed[i] >> 4) - ((packed[i] & 128) >> 3));
    }
}

static void copy_rows(const Reader *from, int64_t row, int64_t count, int8_t *to) {
    const int64_t d = from->table->columns;
    if (from->table->bits == 8 && count == 1 && d == 32) memcpy(to, (const int8_t *)from->table->entries + row * 32, 32);
    else if (from->table->bits == 8) memcpy(to, (const int8_t *)from->table->entries + row * d, (size_t)(count * d));
    else widen((const uint8_t *)from->table->entries + row * d / 2, count * d / 2, to);
}

/* The rows from `first` on that are to be scored, and how many: `count`, or those of them that are allowed. */
static const int8_t *read_rows(Reader *from, int64_t first, int *count) {
    const int64_t d = from->table->columns;
    const int some = from->allowed ? count_allowed(from->allowed, first, *count) : *count;
    from->is_gathered = some < *count / SPARSE;
    from->is_blanked = some < *count && !from->is_gathered;
    if (from->is_gathered) {
        int taken = 0;
        for (int r = 0; r < *count; r += 64) {
            uint64_t bits = bits_from(from->allowed, first + r, *count - r < 64 ? *count - r : 64);
            for (; bits; bits &= bits - 1) {
                const int place = r + LOWEST_BIT(bits);
                copy_rows(from, first + place, 1, from->copies + taken * d);
                from->places[taken++] = place;
            }
        }
        memset(from->copies + taken * d, 0, (size_t)((whole_lines(taken) - taken) * d));
        *count = taken;
        return from->copies;
    }
    if (from->table->bits == 8) return (const int8_t *)from->table->entries + first * d;
    copy_rows(from, first, *count, from->copies);
    return from->copies;
}

/* ---------------------------------------------------------------------------------------------- the scan */

/* Adds what the upper half of a split query comes to. */
static void complete_scores(const Path *path, const int8_t *rows, int count, const Query *q, int32_t *scores) {
    if (q->upper) {
        int32_t upper[MOST_ROWS];
        path->score(rows, count, q->upper, upper);
        for (int r = 0; r < count; r++)
            scores[r] = (int32_t)((uint32_t)scores[r] + ((uint32_t)upper[r] << SPLIT_BITS));
    }
}

static void offer_wide(const int8_t *rows, int count, const Query *q, const Reader *from, int64_t first, Best *best,
                       mk_found *spare) {
    const int64_t d = q->columns;
    for (int r = 0; r < count; r++) {
        int64_t score = 0;
        for (int c = 0; c < q->columns; c++) score += q->entries[c] * rows[r * d + c];
        if (score <= best->least) continue;
        const int64_t row = first + (from->is_gathered ? from->places[r] : r);
        if (!from->is_blanked || is_allowed(from->allowed, row)) offer(best, spare, score, row);
    }
}

/* `laid` is NULL, or the rows laid out for many questions. */
static void answer_chunk(const Path *path, const int8_t *rows, const int32_t *laid, int count, const Query *q,
                         const Reader *from, int64_t first, Best *best, mk_found *spare) {
    int32_t scores[MOST_ROWS];
    if (q->is_wide) {
        offer_wide(rows, count, q, from, first, best, spare);
        return;
    }
    if (laid && q->fits) {
        path->score_laid(laid, (count + LANES - 1) / LANES * LANES, q, scores);
    } else {
        const int scored = from->is_gathered ? whole_lines(count) : count;
        path->score(rows, scored, q, scores);
        complete_scores(path, rows, scored, q, scores);
    }
    if (from->is_blanked) path->blank(from->allowed, first, count, scores);
    const int64_t wanted = best->k + best->question->banned_count;
    if (best->least == INT64_MIN && wanted <= MOST_GROUPS / 2 && count >= 4 * (wanted <= GROUPS / 2 ? GROUPS : MOST_GROUPS))
        best->least = path->bound(scores, count, (int)wanted) - 1;
    path->sift(scores, count, from->is_gathered ? from->places : NULL, first, best, spare);
}

static int rows_in_chunk(int columns, int is_kept) {
    const int pairs = (columns + 1) / 2;
    int64_t rows = is_kept ? LAID_BYTES / (4 * pairs) / LANES * LANES : MOST_ROWS;
    return (int)(rows < LANES ? LANES : rows > MOST_ROWS ? MOST_ROWS : rows);
}

static void scan(Reader *from, int64_t first, int64_t last, int step, const Query *queries, int64_t count, int32_t *laid,
                 Best *best, mk_found *spare) {
    const Path *path = current_path();
    for (int64_t r = first; r < last; r += step) {
        int some = (int)(last - r < step ? last - r : step);
        const int8_t *rows = read_rows(from, r, &some);
        if (!some) continue;
        if (laid) path->lay(rows, some, from->table->columns, laid);
        for (int64_t n = 0; n < count; n++) answer_chunk(path, rows, laid, some, &queries[n], from, r, &best[n], spare);
    }
}

/* ---------------------------------------------------------------------------------------------- what is called */

static int is_whole(const mk_table *table, int64_t first, int64_t last, int64_t count, int64_t k) {
    return table->rows >= 0 && table->rows <= MK_MOST_ROWS && table->columns >= 1 && table->columns <= MK_MOST_COLUMNS &&
           (table->bits == 8 || (table->bits == 4 && table->columns % 2 == 0)) && first >= 0 && first <= last &&
           last <= table->rows && count >= 0 && k >= 1;
}

/* Where in one piece of memory each part begins; `at` grows. */
static void *part_of(uint8_t *memory, size_t *at, size_t bytes) {
    void *part = memory ? memory + *at : NULL;
    *at += (bytes + 63) / 64 * 64;
    return part;
}

typedef struct {
    Query *queries; /* two for each question */
    Best *best;
    uint8_t *entries;
    mk_found *waiting, *spare; /* of each question; of the one that takes in */
    int8_t *copies;
    int32_t *places, *laid;
} Memory;

static size_t divide(uint8_t *memory, const mk_table *table, int is_copied, int is_laid, int step, size_t count,
                     size_t room, Memory *parts) {
    const size_t rows = (size_t)step, columns = (size_t)table->columns;
    size_t at = 0;
    parts->queries = part_of(memory, &at, 2 * count * sizeof(Query));
    parts->best = part_of(memory, &at, count * sizeof(Best));
    parts->entries = part_of(memory, &at, 2 * count * query_bytes(table->columns));
    parts->waiting = part_of(memory, &at, count * room * sizeof(mk_found));
    parts->spare = part_of(memory, &at, room * sizeof(mk_found));
    parts->copies = is_copied ? part_of(memory, &at, rows * columns) : NULL;
    parts->places = is_copied ? part_of(memory, &at, rows * sizeof(int32_t)) : NULL;
    parts->laid = is_laid ? part_of(memory, &at, rows * ((columns + 1) / 2) * sizeof(int32_t)) : NULL;
    return at;
}

int mk_best(const mk_table *table, int64_t first, int64_t last, const uint8_t *allowed, const mk_question *questions,
            int64_t count, int64_t k, mk_found *found, int64_t *got) {
    enum { SMALL = 8192 };
    uint8_t few[SMALL + 64], *memory = few + (64 - (uintptr_t)few % 64), *large = NULL;
    Memory parts;
    int status = MK_DONE;
    if (!is_whole(table, first, last, count, k)) return MK_BAD_ARGUMENT;
    const int is_copied = allowed || table->bits == 4;
    const int is_laid = count >= FEWEST_TO_LAY_OUT && current_path()->lay;
    const int step = rows_in_chunk(table->columns, is_copied || count > 1);
    const int64_t room = k > FEWEST_WAITING ? k : FEWEST_WAITING;
    if ((uint64_t)k > SIZE_MAX / 4 / sizeof(mk_found) / (uint64_t)(count + 1)) return MK_NO_MEMORY;
    const size_t bytes = divide(NULL, table, is_copied, is_laid, step, (size_t)count, (size_t)room, &parts);
    if (bytes > SMALL && !(memory = large = malloc(bytes + 64))) return MK_NO_MEMORY;
    if (large) memory += 64 - (uintptr_t)memory % 64;
    divide(memory, table, is_copied, is_laid, step, (size_t)count, (size_t)room, &parts);
    for (int64_t n = 0; n < count && status == MK_DONE; n++) {
        status = prepare(&parts.queries[n], &parts.queries[count + n], parts.entries + 2 * (size_t)n * query_bytes(table->columns),
                         table->columns, questions[n].query);
        parts.best[n] = (Best){found + n * k, parts.waiting + n * room, k, 0, room, 0, INT64_MIN, &questions[n], 0};
    }
    if (status == MK_DONE) {
        Reader from = {table, allowed, parts.copies, parts.places, 0, 0};
        scan(&from, first, last, step, parts.queries, count, parts.laid, parts.best, parts.spare);
        for (int64_t n = 0; n < count; n++) {
            take_in(&parts.best[n], parts.spare);
            got[n] = parts.best[n].count;
        }
    }
    free(large);
    return status;
}

int64_t mk_merge(mk_found *found, int64_t count, int64_t k, mk_found *spare) {
    sort(found, count, spare);
    return count < k ? count : k;
}

INLINE int64_t entry_of(const mk_table *table, int64_t row, int column) {
    const int64_t place = row * table->columns + column;
    if (table->bits == 8) return ((const int8_t *)table->entries)[place];
    const int half = ((const uint8_t *)table->entries)[place / 2] >> (place % 2 ? 4 : 0) & 15;
    return half < 8 ? half : half - 16;
}

void mk_add(const mk_table *table, int64_t row, int64_t *query) {
    for (int c = 0; c < table->columns; c++) query[c] += entry_of(table, row, c);
}

int64_t mk_score(const mk_table *table, int64_t row, const int64_t *query) {
    int64_t score = 0;
    for (int c = 0; c < table->columns; c++) score += query[c] * entry_of(table, row, c);
    return score;
}

void mk_widen(const mk_table *table, int64_t row, int columns, double *entries) {
    for (int c = 0; c < columns; c++) entries[c] = (double)entry_of(table, row, c);
}
