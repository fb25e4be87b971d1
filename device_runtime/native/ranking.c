/* The rows that answer a question: whole numbers rank them, ties go to the lower row. */
#include <math.h>

#include "reader.h"

#define ROWS_OF_PAIRS 256u
#define MOST_AS_WELL_KNOWN 4096u

/* The best rows that were offered so far, as a heap with the worst at its top. */
typedef struct {
    double *scores;
    uint32_t *rows;
    size_t count, limit;
} heap;

typedef struct {
    target what;
    double weight;
    uint32_t group; /* the place of its first member */
} like;

typedef struct {
    mignon *m;
    const mignon_question *question;
    uint32_t k, columns, dims;
    uint8_t *allowed; /* a bit for each row that may come back */
    like *likes;
    size_t like_count;
    int8_t *vectors, *unpacked; /* [likes, columns]; [columns] */
    int64_t *queries; /* [tastes, then dislikes; columns] */
    int32_t *narrow; /* the same, where all scores fit in 32 bits */
    double *wide, *weights; /* [columns]; of each query */
    size_t taste_count, dislike_count;
    int fits_32, by_direction;
} asking;

static size_t alike_places(const manifest *about) {
    size_t n = about->rows < ROWS_OF_PAIRS ? about->rows : ROWS_OF_PAIRS;
    return n * (n - 1) / 2 * (about->has_preference ? 3 : 30) / 1000 + 1;
}

size_t ranking_bytes(const manifest *about, const mignon_options *options) {
    size_t rows = about->rows, columns = about->columns, likes = (size_t)options->most_likes + 1;
    size_t k = options->most_results < rows ? options->most_results : rows, bits = rows / 8 + 16;
    size_t known = (rows < MOST_AS_WELL_KNOWN ? rows : MOST_AS_WELL_KNOWN) * 12 + bits + 4 * k;
    size_t fixed = 3 * bits + likes * (sizeof(like) + sizeof(double) + columns * 13) + columns * 9 + 128;
    size_t lists = likes * (k * 12 + 40), alike = alike_places(about) * 8;
    return fixed + (known > lists + alike ? known : lists + alike);
}

static double times(double one, double other) { /* a product that is rounded before it is added to anything */
    volatile double product = one * other;
    return product;
}

static int is_worse(const heap *h, size_t one, size_t other) {
    if (h->scores[one] != h->scores[other]) return h->scores[one] < h->scores[other];
    return h->rows && h->rows[one] > h->rows[other];
}

static void swap(heap *h, size_t one, size_t other) {
    double score = h->scores[one];
    h->scores[one] = h->scores[other];
    h->scores[other] = score;
    if (!h->rows) return;
    uint32_t row = h->rows[one];
    h->rows[one] = h->rows[other];
    h->rows[other] = row;
}

static void sink(heap *h, size_t at, size_t count) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_worse(h, child + 1, child)) child++;
        if (!is_worse(h, child, at)) return;
        swap(h, child, at);
    }
}

static void offer(heap *h, double score, uint32_t row) { /* rows come in order, so that equal ones stay out */
    size_t at = h->count;
    if (at < h->limit) {
        h->scores[at] = score;
        if (h->rows) h->rows[at] = row;
        for (h->count++; at && is_worse(h, at, (at - 1) / 2); at = (at - 1) / 2) swap(h, at, (at - 1) / 2);
    } else if (score > h->scores[0]) {
        h->scores[0] = score;
        if (h->rows) h->rows[0] = row;
        sink(h, 0, at);
    }
}

static void sort_best_first(heap *h) {
    for (size_t left = h->count; left > 1;) {
        swap(h, 0, --left);
        sink(h, 0, left);
    }
}

static int64_t dot(const int8_t *row, const int64_t *query, uint32_t columns) {
    int64_t sum = 0;
    for (uint32_t c = 0; c < columns; c++) sum += row[c] * query[c];
    return sum;
}

static int32_t dot_32(const int8_t *row, const int32_t *query, uint32_t columns) {
    int32_t sum = 0;
    for (uint32_t c = 0; c < columns; c++) sum += row[c] * query[c];
    return sum;
}

static int64_t dot_rows(const int8_t *one, const int8_t *other, uint32_t dims) {
    int64_t sum = 0;
    for (uint32_t c = 0; c < dims; c++) sum += one[c] * other[c];
    return sum;
}

static double cosine(double product, double one, double other) { /* by the squares of the lengths */
    return product / sqrt(times(one, other) > 1 ? times(one, other) : 1);
}

/* What three in a hundred pairs of rows spread over the table reach, or in a thousand of what people like. */
static double alike_from(asking *a) {
    mignon *m = a->m;
    uint32_t rows = m->manifest.rows, count = rows < ROWS_OF_PAIRS ? rows : ROWS_OF_PAIRS;
    size_t used = m->used;
    if (m->alike >= -1) return m->alike;
    heap greatest = {NULL, NULL, 0, alike_places(&m->manifest)};
    greatest.scores = take(m, greatest.limit, sizeof(double));
    if (!greatest.scores) return NAN;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = (uint32_t)((uint64_t)i * rows / count);
        const int8_t *one = read_row(m, row, a->unpacked);
        int8_t *kept = (int8_t *)a->wide; /* apart from the other row: at 4 bits both are unpacked */
        memcpy(kept, one, a->dims);
        double square = (double)dot_rows(kept, kept, a->dims);
        for (uint32_t j = 0; j < i; j++) {
            const int8_t *other = read_row(m, (uint32_t)((uint64_t)j * rows / count), a->unpacked);
            offer(&greatest, cosine((double)dot_rows(kept, other, a->dims), square, (double)dot_rows(other, other, a->dims)), 0);
        }
    }
    m->alike = greatest.count ? greatest.scores[0] : 1;
    m->used = used;
    return m->alike;
}

/* Rounded to the finest whole numbers whose scores float32 holds. */
static void lengthen(const double *wide, uint32_t columns, int64_t *query) {
    double square = 0, root = sqrt((double)columns);
    for (uint32_t c = 0; c < columns; c++) square += times(wide[c], wide[c]);
    double length = sqrt(square), factor = length > 0 ? (16777216.0 / (LARGEST_ENTRY * root) - root) / length : 0;
    for (uint32_t c = 0; c < columns; c++) query[c] = (int64_t)rint(wide[c] * factor);
}

/* The query of the likes of a group; returns 0 where they cancel out. */
static int form_query(asking *a, uint32_t group, int weighted, int64_t *query) {
    const manifest *about = &a->m->manifest;
    double count = 0, greatest = 0, most = 0;
    int whole = 1, any = 0;
    for (size_t i = 0; i < a->like_count; i++) {
        double weight = a->likes[i].weight;
        if (weight <= 0 || a->likes[i].group != group) continue;
        count += weight;
        greatest = weight > greatest ? weight : greatest;
        whole &= weight == rint(weight);
    }
    whole &= times(count, LARGEST_ENTRY * LARGEST_ENTRY) * a->columns < 9007199254740992.0 || !weighted;
    double unit = whole ? 1 : greatest;
    for (uint32_t c = 0; c < a->columns; c++) {
        int sign = !about->has_preference ? 1 : c == a->dims ? 0 : c >= a->dims - about->negative_columns ? -1 : 1;
        a->wide[c] = 0;
        for (size_t i = 0; i < a->like_count; i++) {
            if (a->likes[i].weight <= 0 || a->likes[i].group != group) continue;
            a->wide[c] += times(a->likes[i].weight / unit, sign * a->vectors[i * a->columns + c]);
        }
        most = fabs(a->wide[c]) > most ? fabs(a->wide[c]) : most;
    }
    if (most <= (whole ? 0 : 1e-9 * count / unit)) return 0;
    if (about->has_preference) {
        double bias = times(about->bias_entry, pow(count, about->bias_power));
        a->wide[a->dims] = whole ? rint(bias) : bias / unit;
    }
    if (!whole) lengthen(a->wide, a->columns, query);
    for (uint32_t c = 0; c < a->columns; c++) {
        if (whole) query[c] = (int64_t)a->wide[c];
        any |= query[c] != 0;
    }
    return any;
}

static double alike_groups(const asking *a, const double *squares, uint32_t one, uint32_t other) {
    int64_t product = 0;
    for (uint32_t c = 0; c < a->dims; c++) product += a->queries[one * a->columns + c] * a->queries[other * a->columns + c];
    return cosine((double)product, squares[one], squares[other]);
}

/* The nearest of the groups after `one`: NO_PLACE where there is none. */
static uint32_t nearest_group(const asking *a, const double *squares, uint32_t one, double *best) {
    uint32_t found = NO_PLACE;
    for (uint32_t other = one + 1; other < a->like_count; other++) {
        if (a->likes[other].group != other || a->likes[other].weight <= 0) continue;
        double alike = alike_groups(a, squares, one, other);
        if (found == NO_PLACE || alike > *best) {
            *best = alike;
            found = other;
        }
    }
    return found;
}

static double square_of(const int64_t *query, uint32_t count) {
    double square = 0;
    for (uint32_t c = 0; c < count; c++) square += times((double)query[c], (double)query[c]);
    return square;
}

/* Merges the two groups of favorites that are nearest to one another, as long as they are alike. */
static mignon_status group_likes(asking *a, uint32_t first) {
    size_t n = a->like_count, used = a->m->used;
    double *squares = take(a->m, n, sizeof *squares), *best = take(a->m, n, sizeof *best), least = alike_from(a);
    uint32_t *partner = take(a->m, n, sizeof *partner);
    int all_alike = 1;
    if (!squares || !best || !partner || isnan(least)) return MIGNON_NO_ROOM;
    for (uint32_t i = 0; i < n; i++) {
        if (a->likes[i].weight <= 0) continue;
        for (uint32_t c = 0; c < a->columns; c++) a->queries[i * a->columns + c] = c < a->dims ? a->vectors[i * a->columns + c] : 0;
        squares[i] = square_of(a->queries + i * a->columns, a->dims);
        a->likes[i].group = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (a->likes[i].weight <= 0) continue;
        all_alike &= cosine(squares[i], squares[i], squares[i]) >= least;
        partner[i] = nearest_group(a, squares, i, &best[i]);
        for (uint32_t j = i + 1; j < n && all_alike; j++) {
            if (a->likes[j].weight <= 0) continue;
            int64_t product = dot_rows(a->vectors + i * a->columns, a->vectors + j * a->columns, a->dims);
            all_alike &= cosine((double)product, squares[i], squares[j]) >= least;
        }
    }
    for (uint32_t i = 0; i < n && all_alike; i++) a->likes[i].group = first;
    while (!all_alike) {
        uint32_t kept = NO_PLACE;
        for (uint32_t i = 0; i < n; i++) {
            if (a->likes[i].weight <= 0 || a->likes[i].group != i || partner[i] == NO_PLACE) continue;
            if (kept == NO_PLACE || best[i] > best[kept]) kept = i;
        }
        if (kept == NO_PLACE || best[kept] < least) break;
        uint32_t merged = partner[kept];
        int64_t *sum = a->queries + kept * a->columns;
        for (uint32_t c = 0; c < a->dims; c++) sum[c] += a->queries[merged * a->columns + c];
        squares[kept] = square_of(sum, a->dims);
        for (uint32_t i = 0; i < n; i++) {
            if (a->likes[i].weight > 0 && a->likes[i].group == merged) a->likes[i].group = kept;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (a->likes[i].weight <= 0 || a->likes[i].group != i) continue;
            if (i == kept || partner[i] == kept || partner[i] == merged) {
                partner[i] = nearest_group(a, squares, i, &best[i]);
            } else if (i < kept) {
                double alike = alike_groups(a, squares, i, kept);
                if (alike < best[i] || (alike == best[i] && partner[i] < kept)) continue;
                best[i] = alike;
                partner[i] = kept;
            }
        }
    }
    a->m->used = used;
    return MIGNON_OK;
}

static void deny(asking *a, uint32_t row) { a->allowed[row / 8] &= (uint8_t)~(1u << row % 8); }

static int is_allowed(const uint8_t *bits, uint32_t row) { return bits[row / 8] >> row % 8 & 1; }

/* Keeps back the rows of a family, or with `others` all but these. */
static mignon_status deny_family(asking *a, const target *what, int others) {
    size_t bytes = ((size_t)a->m->manifest.rows + 7) / 8, used = a->m->used;
    uint8_t *marked = take(a->m, bytes, 1);
    if (!marked) return MIGNON_NO_ROOM;
    memset(marked, 0, bytes);
    mignon_status status = mark_rows(a->m, what->attribute, what->value, marked);
    for (size_t i = 0; i < bytes; i++) a->allowed[i] &= others ? marked[i] : (uint8_t)~marked[i];
    a->m->used = used;
    return status;
}

static mignon_status place_item(asking *a, const mignon_item *item, int unwanted, target *found) {
    if (item->name) {
        mignon_text text = {item->name, strlen(item->name)};
        if (!is_utf8(text)) return fail(a->m, MIGNON_INVALID_ARGUMENT, "", "a name is not UTF-8");
        return resolve_item(a->m, text, unwanted, found);
    }
    *found = (target){item->row, {NULL, 0}, {NULL, 0}};
    if (item->row < a->m->manifest.rows) return MIGNON_OK;
    return fail(a->m, MIGNON_UNKNOWN_ITEM, "", "there is no row %lu of %lu", (unsigned long)item->row, (unsigned long)a->m->manifest.rows);
}

/* The row that points where `wide` does, as long as those of the table are, and not longer. */
static mignon_status row_towards(asking *a, int8_t *row) {
    double square = 0, radius = 1 / a->m->manifest.scale, delta = (1.0 - 0.002) - 1.0;
    for (uint32_t c = 0; c < a->dims; c++) square += times(a->wide[c], a->wide[c]);
    if (square == 0) return fail(a->m, MIGNON_INVALID_ARGUMENT, "", "the items of a family cancel one another out");
    for (int i = 0; i < 250; i++) {
        double factor = times(1.0 + times(i, delta), radius);
        int64_t sum = 0;
        for (uint32_t c = 0; c < a->dims; c++) {
            double entry = rint(a->wide[c] / sqrt(square) * factor);
            row[c] = (int8_t)(entry > LARGEST_ENTRY ? LARGEST_ENTRY : entry < -LARGEST_ENTRY ? -LARGEST_ENTRY : entry);
            sum += row[c] * row[c];
        }
        if ((double)sum <= times(radius, radius) * (1 + 1e-9)) break;
    }
    return MIGNON_OK;
}

/* The row of a family: by the vector of its value, or else in the middle of its items. */
static mignon_status family_row(asking *a, const target *family, int8_t *row) {
    const mignon *m = a->m;
    uint32_t line = m->manifest.has_preference ? NO_PLACE : vocabulary_line(m, family->attribute, family->value);
    size_t bytes = ((size_t)m->manifest.rows + 7) / 8, used = m->used;
    int64_t count = 0;
    if (line != NO_PLACE) {
        for (uint32_t c = 0; c < a->dims; c++) a->wide[c] = m->vectors[(size_t)line * a->dims + c];
        return row_towards(a, row);
    }
    uint8_t *marked = take(a->m, bytes, 1);
    if (!marked) return MIGNON_NO_ROOM;
    memset(marked, 0, bytes);
    mignon_status status = mark_rows(a->m, family->attribute, family->value, marked);
    memset(a->wide, 0, a->columns * sizeof *a->wide);
    for (uint32_t r = 0; status == MIGNON_OK && r < m->manifest.rows; r++) {
        if (!is_allowed(marked, r)) continue;
        const int8_t *one = read_row(m, r, a->unpacked);
        for (uint32_t c = 0; c < a->columns; c++) a->wide[c] += one[c];
        count++;
    }
    a->m->used = used;
    if (status != MIGNON_OK || !m->manifest.has_preference) return status == MIGNON_OK ? row_towards(a, row) : status;
    for (uint32_t c = 0; c < a->columns; c++) row[c] = (int8_t)floor((2 * a->wide[c] + (double)count) / (2 * (double)count));
    return MIGNON_OK;
}

static mignon_status start(asking *a, mignon *m, const mignon_question *question, size_t like_count) {
    size_t bytes = ((size_t)m->manifest.rows + 7) / 8, columns = m->manifest.columns, places = like_count + 1;
    *a = (asking){m, question, question->k, m->manifest.columns, m->manifest.dims, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL,
                  0, 0, 1, 0};
    m->used = m->kept;
    if (!a->k) return fail(m, MIGNON_INVALID_ARGUMENT, "", "k is 0; give a number from 1");
    if ((unsigned)question->blend > MIGNON_BLEND_TOGETHER) return fail(m, MIGNON_INVALID_ARGUMENT, "", "there is no such blend");
    if (a->k > m->manifest.rows) a->k = m->manifest.rows;
    if (a->k > m->options.most_results) return fail(m, MIGNON_NO_ROOM, "", "k is above the options' most_results");
    if (like_count > m->options.most_likes) return fail(m, MIGNON_NO_ROOM, "", "there are more likes than the options' most_likes");
    a->allowed = take(m, bytes, 1);
    a->likes = take(m, places, sizeof *a->likes);
    a->vectors = take(m, places * columns, 1);
    a->unpacked = take(m, columns, 1);
    a->queries = take(m, places * columns, sizeof *a->queries);
    a->narrow = take(m, places * columns, sizeof *a->narrow);
    a->wide = take(m, columns, sizeof *a->wide);
    a->weights = take(m, places, sizeof *a->weights);
    if (!a->weights) return MIGNON_NO_ROOM;
    memset(a->allowed, 0xff, bytes);
    mignon_status status = meet_conditions(m, question->where, question->where_count, a->allowed);
    for (size_t i = 0; status == MIGNON_OK && i < question->excluded_count; i++) {
        target found;
        size_t used = m->used;
        status = place_item(a, &question->excluded[i], 1, &found);
        m->used = used;
        if (status != MIGNON_OK) break;
        if (found.row != MIGNON_NO_ROW) deny(a, found.row);
        else status = deny_family(a, &found, 0);
    }
    return status;
}

/* What a row loses by all dislikes. */
static double loss_of(const asking *a, const int8_t *row, double alike) {
    double loss = 0, length = 1 / a->m->manifest.scale;
    if (!a->dislike_count) return 0;
    if (a->m->manifest.has_preference) length = sqrt((double)dot_rows(row, row, a->dims));
    for (size_t i = a->taste_count; i < a->taste_count + a->dislike_count; i++) {
        const int64_t *query = a->queries + i * a->columns;
        double bound = rint(times(sqrt(square_of(query, a->columns)), times((1 + alike) / 2, length)));
        double beyond = (double)dot(row, query, a->columns) - bound;
        if (beyond > 0) loss += rint(2 * a->weights[i] * beyond);
    }
    return loss;
}

static double score_of(const asking *a, const int8_t *row, size_t taste, double loss) {
    double score;
    if (a->fits_32) score = dot_32(row, a->narrow + taste * a->columns, a->columns);
    else score = (double)dot(row, a->queries + taste * a->columns, a->columns);
    if (a->by_direction) {
        int64_t square = dot_rows(row, row, a->dims);
        return square ? score * (1 / sqrt((double)square)) : 0;
    }
    return score - loss;
}

static float as_cosine(const asking *a, double score, size_t taste) {
    double square = square_of(a->queries + taste * a->columns, a->dims);
    if (square < 1) square = 1;
    if (a->by_direction) return (float)(score / sqrt(square));
    float norm = (float)sqrt((double)(float)square), step = (float)((float)a->m->manifest.scale / norm);
    return (float)((float)score * step);
}

static void narrow_queries(asking *a) {
    for (size_t i = 0; i < a->taste_count; i++) {
        double sum = 0;
        for (uint32_t c = 0; c < a->columns; c++) sum += fabs((double)a->queries[i * a->columns + c]);
        a->fits_32 &= sum * 128 < 2147483647.0;
    }
    for (size_t i = 0; a->fits_32 && i < a->taste_count * a->columns; i++) a->narrow[i] = (int32_t)a->queries[i];
}

/* Rows in turns of the tastes: of that with the greatest weight / (2 turns + 1), then the fewest turns, then the first. */
static uint32_t interleave(asking *a, const heap *lists, mignon_neighbor *neighbors) {
    size_t *turns = take(a->m, a->taste_count, 2 * sizeof *turns), *places = turns + a->taste_count;
    uint32_t count = 0;
    if (!turns) return NO_PLACE;
    memset(turns, 0, a->taste_count * 2 * sizeof *turns);
    while (count < a->k) {
        size_t next = a->taste_count;
        for (size_t t = 0; t < a->taste_count; t++) {
            if (turns[t] == a->k) continue;
            double share = a->weights[t] / (double)(2 * turns[t] + 1);
            double best = next < a->taste_count ? a->weights[next] / (double)(2 * turns[next] + 1) : -1;
            if (share > best || (share == best && turns[t] < turns[next])) next = t;
        }
        if (next == a->taste_count) break;
        turns[next]++;
        while (places[next] < lists[next].count) {
            uint32_t row = lists[next].rows[places[next]++];
            if (!is_allowed(a->allowed, row)) continue; /* it was given before */
            deny(a, row);
            neighbors[count++].row = row;
            break;
        }
    }
    return count;
}

static mignon_status answer(asking *a, mignon_neighbor *neighbors, uint32_t *count) {
    mignon *m = a->m;
    double alike = a->dislike_count ? alike_from(a) : 0;
    heap *lists = take(m, a->taste_count, sizeof *lists);
    if (!lists || isnan(alike)) return MIGNON_NO_ROOM;
    for (size_t t = 0; t < a->taste_count; t++) {
        double *scores = take(m, a->k, sizeof *scores);
        lists[t] = (heap){scores, take(m, a->k, sizeof(uint32_t)), 0, a->k};
        if (!scores || !lists[t].rows) return MIGNON_NO_ROOM;
    }
    narrow_queries(a);
    for (uint32_t row = 0; row < m->manifest.rows; row++) {
        if (!is_allowed(a->allowed, row)) continue;
        const int8_t *entries = read_row(m, row, a->unpacked);
        double loss = loss_of(a, entries, alike);
        for (size_t t = 0; t < a->taste_count; t++) offer(&lists[t], score_of(a, entries, t, loss), row);
    }
    for (size_t t = 0; t < a->taste_count; t++) sort_best_first(&lists[t]);
    *count = interleave(a, lists, neighbors);
    if (*count == NO_PLACE) return MIGNON_NO_ROOM;
    for (uint32_t i = 0; i < *count; i++) {
        const int8_t *entries = read_row(m, neighbors[i].row, a->unpacked);
        double loss = loss_of(a, entries, alike);
        for (size_t t = 0; t < a->taste_count; t++) {
            float score = as_cosine(a, score_of(a, entries, t, loss), t);
            if (t == 0 || score > neighbors[i].score) neighbors[i].score = score;
        }
    }
    return MIGNON_OK;
}

/* Each like once: items, then families, in the order in which they were named. */
static mignon_status resolve_likes(asking *a) {
    const mignon_question *question = a->question;
    for (int families = 0; families < 2; families++) {
        for (size_t i = 0; i < question->like_count; i++) {
            like one = {{0, {NULL, 0}, {NULL, 0}}, question->likes[i].weight, 0};
            size_t used = a->m->used, j = 0;
            if (!isfinite(one.weight)) return fail(a->m, MIGNON_INVALID_ARGUMENT, "", "a weight is not a finite number");
            mignon_status status = place_item(a, &question->likes[i].item, one.weight < 0, &one.what);
            a->m->used = used;
            if (status != MIGNON_OK) return status;
            if ((one.what.row == MIGNON_NO_ROW) != families) continue;
            while (j < a->like_count && !(a->likes[j].what.row == one.what.row && same_text(a->likes[j].what.attribute, one.what.attribute) &&
                                          same_text(a->likes[j].what.value, one.what.value))) {
                j++;
            }
            if (j < a->like_count && a->likes[j].weight != one.weight) {
                return fail(a->m, MIGNON_INVALID_ARGUMENT, "", "an item is given two weights, where a dislike is negative; give one");
            }
            if (j < a->like_count) continue;
            int8_t *vector = a->vectors + a->like_count * a->columns;
            a->likes[a->like_count++] = one;
            if (families) status = family_row(a, &one.what, vector);
            else memcpy(vector, read_row(a->m, one.what.row, a->unpacked), a->columns);
            if (status == MIGNON_OK && families && one.weight < 0) status = deny_family(a, &one.what, 0);
            else if (!families) deny(a, one.what.row);
            if (status != MIGNON_OK) return status;
        }
    }
    return MIGNON_OK;
}

/* Lowers what is far from a row by how near it is to it; `places` rows, of which there are `count`. */
static void draw_near(const asking *a, const uint32_t *rows, size_t count, double *nearest, const int8_t *one) {
    double square = (double)dot_rows(one, one, a->dims);
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = read_row(a->m, rows[i], a->unpacked);
        double alike = cosine((double)dot_rows(row, one, a->dims), (double)dot_rows(row, row, a->dims), square);
        if (alike > nearest[i]) nearest[i] = alike;
    }
}

/* The best known rows, none alike to one before or to what is disliked; then the others. */
static mignon_status answer_best_known(asking *a, mignon_neighbor *neighbors, uint32_t *count) {
    mignon *m = a->m;
    size_t bytes = ((size_t)m->manifest.rows + 7) / 8, held = 0;
    size_t most = m->manifest.rows < MOST_AS_WELL_KNOWN ? m->manifest.rows : MOST_AS_WELL_KNOWN;
    double *nearest = take(m, most, sizeof *nearest), alike = alike_from(a);
    uint32_t *rows = take(m, most, sizeof *rows), *chosen = take(m, a->k, sizeof *chosen), counts[256] = {0}, greatest = 1;
    uint8_t *is_chosen = take(m, bytes, 1);
    if (!nearest || !rows || !chosen || !is_chosen || isnan(alike)) return MIGNON_NO_ROOM;
    memset(is_chosen, 0, bytes);
    for (uint32_t row = 0; row < m->manifest.rows; row++) {
        uint32_t known = popularity_of(m, row);
        greatest = known > greatest ? known : greatest;
        counts[known] += (uint32_t)is_allowed(a->allowed, row);
    }
    int8_t *one = (int8_t *)a->wide;
    for (uint32_t level = 256; level-- > 0 && held < a->k;) {
        size_t n = 0;
        for (uint32_t row = 0; counts[level] && n < most && row < m->manifest.rows; row++) {
            if (is_allowed(a->allowed, row) && popularity_of(m, row) == level) rows[n++] = row;
        }
        for (size_t i = 0; i < n; i++) nearest[i] = -HUGE_VAL;
        for (size_t i = 0; n && i < a->like_count; i++) {
            if (a->likes[i].weight < 0) draw_near(a, rows, n, nearest, a->vectors + i * a->columns);
        }
        for (size_t i = 0; n && i < held; i++) {
            memcpy(one, read_row(m, chosen[i], a->unpacked), a->columns);
            draw_near(a, rows, n, nearest, one);
        }
        while (n && held < a->k) {
            size_t least = 0;
            for (size_t i = 1; i < n; i++) least = nearest[i] < nearest[least] ? i : least;
            if (nearest[least] >= alike) break;
            chosen[held++] = rows[least];
            memcpy(one, read_row(m, rows[least], a->unpacked), a->columns);
            draw_near(a, rows, n, nearest, one);
        }
    }
    *count = 0;
    for (size_t i = 0; i < held; i++) {
        if (is_allowed(is_chosen, chosen[i])) continue; /* a row of zeros is alike to nothing, itself too */
        is_chosen[chosen[i] / 8] |= (uint8_t)(1u << chosen[i] % 8);
        neighbors[(*count)++].row = chosen[i];
    }
    for (uint32_t level = 256; level-- > 0;) {
        for (uint32_t row = 0; counts[level] && *count < a->k && row < m->manifest.rows; row++) {
            if (!is_allowed(a->allowed, row) || is_allowed(is_chosen, row) || popularity_of(m, row) != level) continue;
            neighbors[(*count)++].row = row;
        }
    }
    for (uint32_t i = 0; i < *count; i++) neighbors[i].score = (float)((float)popularity_of(m, neighbors[i].row) / (float)greatest);
    return MIGNON_OK;
}

/* A query for each taste, then one for each dislike, all as long where there are dislikes. */
static mignon_status form_queries(asking *a) {
    uint32_t first = NO_PLACE;
    size_t liked = 0;
    int weighted = a->m->manifest.has_preference;
    double greatest = 0;
    mignon_blend blend = a->question->blend;
    for (size_t i = 0; i < a->like_count; i++) {
        const like *one = &a->likes[i];
        weighted |= one->weight != 1;
        a->dislike_count += one->weight < 0;
        if (one->weight <= 0) continue;
        if (!liked++) first = (uint32_t)i;
        greatest = one->weight > greatest ? one->weight : greatest;
    }
    for (size_t i = 0; i < a->like_count; i++) a->likes[i].group = first;
    if (blend == MIGNON_BLEND_EACH || (blend == MIGNON_BLEND_DEFAULT && !a->m->manifest.has_preference)) {
        mignon_status status = liked > 1 ? group_likes(a, first) : MIGNON_OK;
        if (status != MIGNON_OK) return status;
    }
    for (uint32_t i = 0; i < a->like_count; i++) {
        if (a->likes[i].weight <= 0 || a->likes[i].group != i) continue;
        int64_t *query = a->queries + a->taste_count * a->columns;
        if (!form_query(a, i, weighted, query)) {
            return fail(a->m, MIGNON_INVALID_ARGUMENT, "", "the favorites cancel one another out; change a weight");
        }
        for (uint32_t c = 0; a->dislike_count && c < a->columns; c++) a->wide[c] = (double)query[c];
        if (a->dislike_count) lengthen(a->wide, a->columns, query);
        a->weights[a->taste_count] = 0;
        for (size_t j = i; j < a->like_count; j++) {
            if (a->likes[j].weight > 0 && a->likes[j].group == i) a->weights[a->taste_count] += a->likes[j].weight;
        }
        a->taste_count++;
    }
    size_t place = a->taste_count;
    for (size_t i = 0; i < a->like_count; i++) {
        if (a->likes[i].weight >= 0) continue;
        for (uint32_t c = 0; c < a->columns; c++) a->wide[c] = c < a->dims ? a->vectors[i * a->columns + c] : 0;
        lengthen(a->wide, a->columns, a->queries + place * a->columns);
        a->weights[place++] = -a->likes[i].weight / greatest;
    }
    return MIGNON_OK;
}

mignon_status mignon_recommend(mignon *m, const mignon_question *question, mignon_neighbor *neighbors, uint32_t *count) {
    asking a;
    int liked = 0;
    *count = 0;
    mignon_status status = start(&a, m, question, question->like_count);
    if (status == MIGNON_OK) status = resolve_likes(&a);
    for (size_t i = 0; i < a.like_count; i++) liked |= a.likes[i].weight > 0;
    if (status == MIGNON_OK && !liked) status = answer_best_known(&a, neighbors, count);
    if (status == MIGNON_OK && liked) status = form_queries(&a);
    if (status == MIGNON_OK && liked) status = answer(&a, neighbors, count);
    m->used = m->kept;
    return status;
}

mignon_status mignon_similar(mignon *m, const mignon_item *item, const mignon_question *question, mignon_neighbor *neighbors,
                             uint32_t *count) {
    asking a;
    target found;
    *count = 0;
    mignon_status status = start(&a, m, question, 0);
    size_t used = m->used;
    if (status == MIGNON_OK) status = place_item(&a, item, 0, &found);
    if (status == MIGNON_OK) {
        m->used = used;
        if (found.row != MIGNON_NO_ROW) {
            memcpy(a.vectors, read_row(m, found.row, a.unpacked), a.columns);
            deny(&a, found.row);
        } else if ((status = deny_family(&a, &found, 1)) == MIGNON_OK) {
            status = family_row(&a, &found, a.vectors);
        }
    }
    if (status == MIGNON_OK) {
        for (uint32_t c = 0; c < a.columns; c++) a.queries[c] = c < a.dims ? a.vectors[c] : 0;
        a.weights[0] = 1;
        a.taste_count = 1;
        a.by_direction = m->manifest.has_preference;
        status = answer(&a, neighbors, count);
    }
    m->used = m->kept;
    return status;
}
