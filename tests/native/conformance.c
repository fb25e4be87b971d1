/* Asks a folder like tests/golden all of its cases and prints one line of JSON: conformance FOLDER. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mignon.h"

#define MOST 4096

/* Just enough of JSON for the cases: a value is where its text starts. */
static const char *skip(const char *at) { return at + strspn(at, " ,:\n"); }

static const char *after(const char *at) {
    int depth = 0;
    do {
        at = skip(at);
        if (*at == '"') {
            for (at++; *at != '"'; at++) at += *at == '\\';
            at++;
        } else if (strchr("[{", *at)) {
            depth++;
            at++;
        } else if (strchr("]}", *at)) {
            depth--;
            at++;
        } else {
            at += strcspn(at, ",]} \n");
        }
    } while (depth);
    return at;
}

static char pool[1 << 20];
static size_t pooled;

static char *text_at(const char *at) { /* unescaped, in `pool` */
    char *start = pool + pooled;
    for (at = skip(at) + 1; *at != '"'; at++) {
        if (*at == '\\' && *++at == 'u') {
            unsigned code = (unsigned)strtoul((char[]){at[1], at[2], at[3], at[4], 0}, NULL, 16);
            if (code >= 0x800) pool[pooled++] = (char)(0xe0 | code >> 12);
            if (code >= 0x80) pool[pooled++] = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 63) : 0xc0 | code >> 6);
            pool[pooled++] = (char)(code >= 0x80 ? 0x80 | (code & 63) : code);
            at += 4;
        } else {
            pool[pooled++] = *at;
        }
    }
    pool[pooled++] = 0;
    return start;
}

static const char *field(const char *object, const char *name) {
    for (const char *at = skip(object + 1); *at != '}'; at = skip(after(after(at)))) {
        size_t length = strlen(name);
        if (strncmp(at + 1, name, length) == 0 && at[1 + length] == '"') return skip(after(at));
    }
    return NULL;
}

static size_t texts_at(const char *at, const char **texts) { /* of a list, or of one text */
    size_t count = 0;
    if (at && *at == '"') return texts[0] = text_at(at), 1;
    for (at = at ? skip(at + 1) : "]"; *at != ']'; at = skip(after(at))) texts[count++] = text_at(at);
    return count;
}

static mignon_like likes[MOST];
static mignon_item excluded[MOST];
static mignon_condition where[64];
static const char *values[MOST];
static mignon_neighbor neighbors[MOST];
static mignon_match matches[MOST];

static mignon_question question_of(const char *line) {
    mignon_question q = {likes, 0, excluded, 0, where, 0, 10, MIGNON_BLEND_DEFAULT};
    const char *items = field(line, "items"), *at = field(line, "k"), *text, *names[MOST];
    if (at) q.k = (uint32_t)(atol(at) < 0 ? 0 : atol(at));
    if (items && *items == '{') {
        for (at = skip(items + 1); *at != '}'; at = skip(after(after(at)))) {
            likes[q.like_count++] = (mignon_like){{text_at(at), 0}, atof(skip(after(at)))};
        }
    } else {
        size_t count = texts_at(items, names);
        for (size_t i = 0; i < count; i++) likes[q.like_count++] = (mignon_like){{names[i], 0}, 1};
    }
    size_t count = texts_at(field(line, "dislikes"), names);
    for (size_t i = 0; i < count; i++) likes[q.like_count++] = (mignon_like){{names[i], 0}, -1};
    q.excluded_count = texts_at(field(line, "exclude"), names);
    for (size_t i = 0; i < q.excluded_count; i++) excluded[i] = (mignon_item){names[i], 0};
    size_t used = 0;
    for (at = (at = field(line, "where")) ? skip(at + 1) : "}"; *at != '}'; at = skip(after(after(at)))) {
        const char *value = skip(after(at));
        int forbids = *value == '{';
        count = texts_at(forbids ? field(value, "not") : value, values + used);
        where[q.where_count++] = (mignon_condition){text_at(at), values + used, count, forbids};
        used += count;
    }
    if ((at = field(line, "blend")) != NULL) {
        text = text_at(at);
        q.blend = strcmp(text, "each") == 0       ? MIGNON_BLEND_EACH
                  : strcmp(text, "together") == 0 ? MIGNON_BLEND_TOGETHER
                                                  : (mignon_blend)99;
    }
    return q;
}

static const char *kind_of(mignon_status status) {
    switch (status) {
        case MIGNON_DAMAGED: return "damaged";
        case MIGNON_FOREIGN: return "foreign";
        case MIGNON_LATER_VERSION: return "later version";
        case MIGNON_UNKNOWN_ITEM: return "unknown item";
        case MIGNON_UNKNOWN_ATTRIBUTE: return "unknown attribute";
        case MIGNON_INVALID_ARGUMENT: return "invalid argument";
        default: return "other";
    }
}

static int passes(mignon *m, const char *line) {
    const char *call = text_at(field(line, "call")), *error = field(line, "error"), *at;
    mignon_question q = question_of(line);
    uint32_t count = 0, limit = field(line, "bits") ? q.k : 1;
    mignon_status status;
    int is_find = strcmp(call, "find") == 0;
    if (is_find) {
        status = mignon_find(m, text_at(field(line, "text")), field(line, "k") ? q.k : limit, matches, &count);
    } else if (strcmp(call, "similar") == 0) {
        mignon_item item = {text_at(field(line, "item")), 0};
        status = mignon_similar(m, &item, &q, neighbors, &count);
    } else {
        status = mignon_recommend(m, &q, neighbors, &count);
    }
    if (status != MIGNON_OK || error) return error && strcmp(text_at(error), kind_of(status)) == 0;
    const char *ids[MOST], *bits = field(line, "bits");
    if (texts_at(field(line, "ids"), ids) != count) return 0;
    at = bits ? skip(bits + 1) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        float score = is_find ? (float)matches[i].score : neighbors[i].score;
        int32_t as_bits;
        char id[1024];
        if (is_find && matches[i].row == MIGNON_NO_ROW) {
            snprintf(id, sizeof id, "%.*s=%.*s", (int)matches[i].attribute.length, matches[i].attribute.start,
                     (int)matches[i].name.length, matches[i].name.start);
        } else {
            snprintf(id, sizeof id, "%s", mignon_id(m, is_find ? matches[i].row : neighbors[i].row));
        }
        memcpy(&as_bits, &score, sizeof score);
        if (strcmp(id, ids[i]) != 0 || (at && as_bits != atol(at))) return 0;
        if (at) at = skip(after(at));
    }
    return 1;
}

int main(int count, char **arguments) {
    static const char *const files[][2] = {{"", "meals-8"}, {"", "meals-4"}, {"", "likes"}, {"", "damaged"},
                                           {"earlier/", "meals-8"}, {"earlier/", "meals-4"}, {"earlier/", "likes"}};
    static char line[1 << 20], path[4096], failed[1 << 16];
    int cases = 0, passed = 0;
    if (count != 2) return fprintf(stderr, "usage: conformance FOLDER\n"), 2;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        mignon_options options = {MIGNON_ALL, 2000, 256};
        mignon_fault fault;
        mignon *m = NULL;
        int number = 0, is_damaged = strcmp(files[f][1], "damaged") == 0;
        snprintf(path, sizeof path, "%s/%sfiles/%s.tflite", arguments[1], files[f][0], files[f][1]);
        if (!is_damaged && mignon_open_file(&m, path, &options, &fault) != MIGNON_OK) {
            return fprintf(stderr, "%s: %s\n", path, fault.message), 1;
        }
        snprintf(path, sizeof path, "%s/%scases/%s.jsonl", arguments[1], files[f][0], files[f][1]);
        FILE *stream = fopen(path, "r");
        if (!stream) return fprintf(stderr, "%s cannot be opened\n", path), 2;
        while (fgets(line, sizeof line, stream)) {
            int is_right;
            pooled = 0;
            if (is_damaged) {
                const char *part = field(line, "part");
                snprintf(path, sizeof path, "%s/damaged/%s", arguments[1], text_at(field(line, "file")));
                mignon_status status = mignon_open_file(&m, path, NULL, &fault);
                is_right = strcmp(kind_of(status), text_at(field(line, "error"))) == 0 &&
                           strcmp(fault.part, *part == '"' ? text_at(part) : "") == 0;
            } else {
                is_right = passes(m, line);
            }
            number++;
            cases++;
            passed += is_right;
            size_t used = strlen(failed);
            if (!is_right) snprintf(failed + used, sizeof failed - used, "%s\"%s%s:%d\"", used ? ", " : "", files[f][0], files[f][1],
                                    number);
        }
        fclose(stream);
        if (!is_damaged) mignon_close(m);
    }
    printf("{\"reader\": \"C\", \"version\": \"%s\", \"cases\": %d, \"passed\": %d, \"failed\": [%s]}\n", MIGNON_READER_VERSION, cases,
           passed, failed);
    return passed != cases;
}
