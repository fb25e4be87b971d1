/* What the parts of the reader share; apps include mignon.h alone. */
#ifndef MIGNON_READER_H
#define MIGNON_READER_H

#include <stdarg.h>
#include <string.h>

#include "mignon.h"

#ifdef __FAST_MATH__
#error "scores are exact to the bit: compile without -ffast-math"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* gcc leaves it off with -std=c99 */
#endif

#define DIGEST_LENGTH 64u
#define SEAL "mignon sha256 "
#define SEAL_LENGTH 14u
#define RING_BYTES 32768u /* as far back as deflate looks */
#define LARGEST_ENTRY 127
#define NO_PLACE UINT32_MAX

typedef struct {
    const char *name;
    size_t name_length;
    uint32_t checksum, stored_bytes, bytes;
    size_t header, start;
    int deflated;
    const uint8_t *record; /* in the directory */
} entry;

typedef struct {
    uint32_t rows, dims, columns, bits;
    size_t table_offset, row_bytes, table_bytes;
    double scale;
    int has_preference, has_checksums;
    double bias_entry, bias_power; /* of the preference */
    uint32_t negative_columns, table_checksum, graph_checksum;
} manifest;

/* Names folded, one record after the other: row, how many grams it has and shares with what was asked last, text, '\n'. */
typedef struct {
    uint8_t *records;
    size_t bytes, first_alias; /* where the records of aliases start */
} name_index;

#define RECORD_HEAD 8u
#define LONGEST_NAME 1024u /* bytes of a folded name */
#define GRAM_BUCKETS 32768u

typedef struct {
    uint32_t row, grams, shared;
    mignon_text text;
    int is_alias;
    size_t next; /* where the next one starts */
} record;

typedef struct {
    mignon_text attribute, value;
    uint32_t items, next; /* how many have it; the next family of the same hash */
} family;

typedef struct {
    uint32_t family;
    mignon_text name;
} family_name;

#define FAMILY_HEADS 4096u

struct mignon {
    const uint8_t *bytes;
    size_t length;
    mignon_options options;
    uint8_t *arena;
    size_t arena_bytes, used, kept;
    manifest manifest;
    const uint8_t *table;
    const uint8_t *popularity; /* [rows], or NULL */
    mignon_text ids, names, aliases, attributes, folding, vocabulary;
    uint32_t *id_starts, *name_starts, *folding_starts; /* one more than there are lines */
    size_t folding_count;
    int has_folding;
    name_index items, kinds; /* a row of `kinds` is the number of a family_name */
    uint8_t *gram_bits, *asked_bits; /* GRAM_BUCKETS bits each */
    const int8_t *vectors; /* of the vocabulary */
    family *families;
    family_name *family_names;
    uint32_t family_count, family_name_count;
    double alike; /* from which cosine on rows are alike; below -1 while it is not known */
    mignon_fault fault;
    void *owned_bytes, *owned_arena; /* what mignon_open_file allocated */
};

/* What `text` was found to mean: a row, or with MIGNON_NO_ROW a family. */
typedef struct {
    uint32_t row;
    mignon_text attribute, value;
} target;

/* reader.c */
mignon_status fail(mignon *m, mignon_status status, const char *part, const char *format, ...);
void *take(mignon *m, size_t count, size_t size); /* from the arena; NULL, and a fault, where there is no room */
mignon_text text_of(const mignon *m, uint32_t row, int is_name); /* the id or the name of a row */
uint32_t popularity_of(const mignon *m, uint32_t row);
const int8_t *read_row(const mignon *m, uint32_t row, int8_t *unpacked);

uint32_t row_in(mignon_text number, uint32_t rows); /* MIGNON_NO_ROW where it is none */
mignon_status read_manifest(mignon *m);

/* archive.c */
mignon_status check_digest(mignon *m);
const char *check_archive(const uint8_t *bytes, size_t length); /* what is wrong, or NULL; so does inflate_entry */
int find_entry(const uint8_t *bytes, size_t length, const char *name, entry *found);
const char *inflate_entry(const uint8_t *bytes, const entry *e, uint8_t *out, size_t mask);
mignon_status read_entry(mignon *m, const char *name, mignon_text *text); /* into the arena, a zero after it */

/* manifest.c */
int is_utf8(mignon_text text);
mignon_status parse_manifest(mignon *m, const char *text, size_t length);

/* folding.c */
uint32_t next_letter(const uint8_t **at);
size_t write_letter(uint32_t letter, char *out);
mignon_status read_folding(mignon *m);
size_t fold(const mignon *m, mignon_text text, char *out, size_t room);
size_t count_grams(const uint8_t *text, const uint8_t *asked, uint8_t *seen, int keep);
record read_record_at(const name_index *index, size_t place);
mignon_status add_name(mignon *m, name_index *index, size_t room, uint32_t row, mignon_text text);

/* names.c */
size_t find_bytes(const mignon_options *options);
mignon_status resolve_item(mignon *m, mignon_text text, int unwanted, target *found);

/* attributes.c */
typedef struct {
    const char *at, *end;
    uint32_t row;
    mignon_text attribute, values; /* of the line that was read last; values are what is left of it */
} attribute_line;

mignon_text take_until(mignon_text *text, char separator);
int same_text(mignon_text one, mignon_text other);
uint32_t small_letter(uint32_t letter);
int same_but_for_case(mignon_text one, mignon_text other);
attribute_line attribute_lines(const mignon *m);
int next_line(attribute_line *line);
int next_value(mignon_text *values, mignon_text *value);
mignon_status mark_rows(mignon *m, mignon_text attribute, mignon_text value, uint8_t *marked);
mignon_status meet_conditions(mignon *m, const mignon_condition *where, size_t count, uint8_t *allowed);
int has_attribute(const mignon *m, mignon_text attribute, mignon_text value);
uint32_t vocabulary_line(const mignon *m, mignon_text attribute, mignon_text value);

/* ranking.c */
size_t ranking_bytes(const manifest *about, const mignon_options *options);

#endif
