/* What the file says of itself: manifest.json, as strictly as Python's json reads it. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "reader.h"

#define MOST_DEPTH 512u

typedef struct {
    const char *name;
    char kind; /* of JSON: i whole number, f other number, s, o, a, b, n; 0 where the field is absent */
    double number;
    const char *start; /* of the value */
} field;

int is_utf8(mignon_text text) {
    const uint8_t *at = (const uint8_t *)text.start, *end = at + text.length;
    while (at < end) {
        uint8_t byte = *at++;
        if (byte < 0x80) continue;
        int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
        uint32_t code = byte & (0x3fu >> more);
        if (byte < 0xc2 || byte > 0xf4 || end - at < more) return 0;
        for (int i = 0; i < more; i++, at++) {
            if ((*at & 0xc0) != 0x80) return 0;
            code = code << 6 | (*at & 0x3fu);
        }
        if (code < (more == 3 ? 0x10000u : more == 2 ? 0x800u : 0x80u) || code > 0x10ffff || code >> 11 == 0x1b) return 0;
    }
    return 1;
}

static const char *skip_spaces(const char *at) { return at + strspn(at, " \t\n\r"); }

/* A string, of which up to `room` - 1 bytes are written; no name has what is escaped as more than one letter: '?'. */
static const char *read_string(const char *at, char *out, size_t room) {
    size_t length = 0;
    if (*at++ != '"') return NULL;
    while (*at != '"') {
        char letter = *at++;
        if ((unsigned char)letter < 0x20) return NULL;
        if (letter == '\\') {
            if (*at == 'u') {
                char digits[5] = {0};
                if (strspn(at + 1, "0123456789abcdefABCDEF") < 4) return NULL;
                memcpy(digits, at + 1, 4);
                long code = strtol(digits, NULL, 16);
                letter = code > 0 && code < 128 ? (char)code : '?';
                at += 4;
            } else if (!*at || !strchr("\"\\/bfnrt", *at)) {
                return NULL;
            } else {
                letter = strchr("\"\\/", *at) ? *at : '?';
            }
            at++;
        }
        if (length + 1 < room) out[length++] = letter;
        else if (room) out[0] = 0; /* longer than any name that is looked for */
    }
    if (room && (out[0] || !length)) out[length] = 0;
    return at + 1;
}

static const char *read_number(const char *at, field *found) {
    const char *start = at, *end;
    found->kind = 'i';
    at += *at == '-';
    if (*at == '0') at++;
    else if (*at >= '1' && *at <= '9') at += strspn(at, "0123456789");
    else return NULL;
    if (*at == '.' && at[1] >= '0' && at[1] <= '9') {
        found->kind = 'f';
        at += 1 + strspn(at + 1, "0123456789");
    }
    if (*at == 'e' || *at == 'E') {
        end = at + 1 + (at[1] == '+' || at[1] == '-');
        if (*end >= '0' && *end <= '9') {
            found->kind = 'f';
            at = end + strspn(end, "0123456789");
        }
    }
    char copy[64], *stop; /* of strtod, which expects the point of the locale; no number that counts is longer */
    size_t length = (size_t)(at - start) < sizeof copy ? (size_t)(at - start) : sizeof copy - 1;
    memcpy(copy, start, length);
    copy[length] = 0;
    found->number = strtod(copy, &stop);
    if (*stop == '.') {
        *stop = *localeconv()->decimal_point;
        found->number = strtod(copy, NULL);
    }
    if ((size_t)(at - start) > length && found->kind == 'i') found->number = *start == '-' ? -HUGE_VAL : HUGE_VAL;
    return at;
}

static const char *read_scalar(const char *at, field *found) {
    static const char *const words[] = {"btrue", "bfalse", "nnull", "fNaN", "fInfinity", "f-Infinity"};
    found->number = 0;
    found->kind = 's';
    if (*at == '"') return read_string(at, NULL, 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i] + 1);
        if (strncmp(at, words[i] + 1, length) != 0) continue;
        found->kind = words[i][0];
        found->number = i < 4 ? -1 : HUGE_VAL; /* neither is within any bounds */
        return at + length;
    }
    return read_number(at, found);
}

static const char *read_key(const char *at, char *key, size_t room) {
    at = read_string(skip_spaces(at), key, room);
    if (!at || *(at = skip_spaces(at)) != ':') return NULL;
    return at + 1;
}

/* Any value; without recursion, so that no file decides how much of the stack is taken. */
static const char *read_value(const char *at, field *found) {
    uint8_t is_object[MOST_DEPTH / 8] = {0};
    unsigned depth = 0;
    field inner, *now = found;
    for (;; now = &inner) {
        at = skip_spaces(at);
        if (now == found) found->start = at;
        if (*at == '{' || *at == '[') {
            unsigned object = *at == '{';
            now->kind = object ? 'o' : 'a';
            if (depth == MOST_DEPTH) return NULL;
            is_object[depth / 8] = (uint8_t)((is_object[depth / 8] & ~(1u << depth % 8)) | object << depth % 8);
            depth++;
            at = skip_spaces(at + 1);
            if (*at != (object ? '}' : ']')) {
                if (object && !(at = read_key(at, NULL, 0))) return NULL;
                continue;
            }
        } else if (!(at = read_scalar(at, now))) {
            return NULL;
        }
        for (;; at++, depth--) { /* a bracket that closes one depth after another */
            if (depth && *(at = skip_spaces(at)) == ']' && !(is_object[(depth - 1) / 8] >> (depth - 1) % 8 & 1)) continue;
            if (depth && *at == '}' && (is_object[(depth - 1) / 8] >> (depth - 1) % 8 & 1)) continue;
            break;
        }
        if (!depth) return at;
        if (*at++ != ',') return NULL;
        if ((is_object[(depth - 1) / 8] >> (depth - 1) % 8 & 1) && !(at = read_key(at, NULL, 0))) return NULL;
    }
}

/* The fields of the object that starts at `at`, the last of a name; returns how many others it has, or -1 for no object. */
static int read_object(const char *at, field *fields, size_t count, const char **end) {
    int others = 0;
    char key[32];
    if (*at != '{') return -1;
    at = skip_spaces(at + 1);
    for (int first = 1; *at != '}'; first = 0) {
        field found = {NULL, 0, 0, NULL};
        size_t i = 0;
        if (!first && *at++ != ',') return -1;
        if (!(at = read_key(at, key, sizeof key)) || !(at = read_value(at, &found))) return -1;
        at = skip_spaces(at);
        while (i < count && strcmp(fields[i].name, key) != 0) i++;
        if (i == count) {
            others++;
        } else {
            found.name = fields[i].name;
            fields[i] = found;
        }
    }
    *end = at + 1;
    return others;
}

static int is_whole(const field *f, double least, double most) {
    return f->kind == 'i' && f->number >= least && f->number <= most;
}

static mignon_status wrong(mignon *m, const char *what) {
    return fail(m, MIGNON_FOREIGN, "", "manifest.json %s; export the model again", what);
}

static int read_preference(manifest *about, const char *text) {
    field f[] = {{"entry", 0, 0, 0}, {"power", 0, 0, 0}, {"negative_columns", 0, 0, 0}};
    const char *end;
    if (read_object(text, f, 3, &end) != 0 || f[0].kind != 'f' || !(fabs(f[0].number) < 1 << 20)) return 0;
    if (f[1].kind != 'f' || !(f[1].number >= 0 && f[1].number <= 1) || !is_whole(&f[2], 0, UINT32_MAX)) return 0;
    about->has_preference = 1;
    about->bias_entry = f[0].number;
    about->bias_power = f[1].number;
    about->negative_columns = (uint32_t)f[2].number;
    return 1;
}

enum { VERSION, ROWS, DIMS, COLUMNS, BITS, OFFSET, SCALE, NAME, OBJECTIVE, LICENSE, QUALITY, PREFERENCE, OF_TABLE, OF_GRAPH };

mignon_status parse_manifest(mignon *m, const char *text, size_t length) {
    static const char kinds[] = "iiiiiifssso";
    field f[] = {{"format_version", 0, 0, 0}, {"rows", 0, 0, 0}, {"dims", 0, 0, 0}, {"columns", 0, 0, 0}, {"bits", 0, 0, 0},
                 {"table_offset", 0, 0, 0}, {"scale", 0, 0, 0}, {"name", 0, 0, 0}, {"objective", 0, 0, 0},
                 {"license", 0, 0, 0}, {"quality", 0, 0, 0}, {"preference", 0, 0, 0}, {"table_crc32", 0, 0, 0},
                 {"graph_crc32", 0, 0, 0}};
    manifest *about = &m->manifest;
    const char *end = NULL;
    if (!is_utf8((mignon_text){text, length})) return fail(m, MIGNON_FOREIGN, "", "manifest.json is not UTF-8");
    if (read_object(skip_spaces(text), f, sizeof f / sizeof *f, &end) < 0 || skip_spaces(end) != text + length) {
        return wrong(m, "is not a JSON object");
    }
    if (f[VERSION].kind == 'i' && f[VERSION].number > 1) {
        return fail(m, MIGNON_LATER_VERSION, "", "is of a later format than version 1; install a later reader");
    }
    if (f[VERSION].kind != 'i' || f[VERSION].number != 1) return wrong(m, "has no format_version that is known");
    memset(about, 0, sizeof *about);
    if (f[PREFERENCE].kind && f[PREFERENCE].kind != 'n' && !read_preference(about, f[PREFERENCE].start)) {
        return wrong(m, "gives a preference that is none");
    }
    for (size_t i = 0; kinds[i]; i++) {
        if (f[i].kind != kinds[i]) return wrong(m, "lacks a field, or gives it in another kind");
    }
    for (int i = ROWS; i <= OFFSET; i++) {
        if (!is_whole(&f[i], i == OFFSET ? 0 : 1, UINT32_MAX - 1)) return wrong(m, "gives a number that is out of range");
    }
    about->rows = (uint32_t)f[ROWS].number;
    about->dims = (uint32_t)f[DIMS].number;
    about->columns = (uint32_t)f[COLUMNS].number;
    about->bits = (uint32_t)f[BITS].number;
    about->table_offset = (size_t)f[OFFSET].number;
    about->scale = f[SCALE].number;
    if ((about->bits != 4 && about->bits != 8) || (about->bits == 4 && about->columns % 2)) return wrong(m, "gives odd bits");
    if (about->columns != (uint64_t)about->dims + (about->has_preference != 0)) return wrong(m, "gives columns that do not fit dims");
    if (about->negative_columns > about->dims) return wrong(m, "gives more negative_columns than dims");
    if (!(about->scale > 0 && about->scale < 1)) return wrong(m, "gives a scale that is not between 0 and 1");
    uint64_t row = (uint64_t)about->columns * about->bits / 8, table = row * about->rows;
    if (row > SIZE_MAX / 2 / about->rows) return wrong(m, "declares a table larger than memory");
    about->row_bytes = (size_t)row;
    about->table_bytes = (size_t)table;
    about->has_checksums = f[OF_GRAPH].kind && f[OF_GRAPH].kind != 'n';
    about->table_checksum = is_whole(&f[OF_TABLE], 0, UINT32_MAX) ? (uint32_t)f[OF_TABLE].number : 0;
    about->graph_checksum = is_whole(&f[OF_GRAPH], 0, UINT32_MAX) ? (uint32_t)f[OF_GRAPH].number : 0;
    return MIGNON_OK;
}
