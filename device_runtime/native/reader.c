/* Opens a file: verifies it, then lays what is asked of it into the arena. */
#include <stdio.h>
#include <stdlib.h>

#include "reader.h"

#define MOST_MANIFEST_BYTES 8192u /* it is read on the stack; those of mignon have less than a tenth */
#define LINES_IN_BLOCK 16u /* of which only the first one's start is kept */

mignon_status fail(mignon *m, mignon_status status, const char *part, const char *format, ...) {
    va_list arguments;
    m->fault.status = status;
    snprintf(m->fault.part, sizeof m->fault.part, "%s", part);
    va_start(arguments, format);
    vsnprintf(m->fault.message, sizeof m->fault.message, format, arguments);
    va_end(arguments);
    return status;
}

static size_t rounded(size_t bytes) { return bytes > SIZE_MAX - 7 ? SIZE_MAX : (bytes + 7) / 8 * 8; }

void *take(mignon *m, size_t count, size_t size) {
    size_t left = m->arena_bytes - m->used, bytes = count > SIZE_MAX / size ? SIZE_MAX : rounded(count * size);
    if (bytes > left) {
        fail(m, MIGNON_NO_ROOM, "", "the arena of %lu bytes is too small; ask mignon_arena_size", (unsigned long)m->arena_bytes);
        return NULL;
    }
    void *taken = m->arena + m->used;
    m->used += bytes;
    return taken;
}

const int8_t *read_row(const mignon *m, uint32_t row, int8_t *unpacked) {
    const uint8_t *stored = m->table + row * m->manifest.row_bytes;
    if (m->manifest.bits == 8) return (const int8_t *)stored;
    for (size_t i = 0; i < m->manifest.row_bytes; i++) {
        unpacked[2 * i] = (int8_t)((int)((stored[i] & 15u) ^ 8u) - 8);
        unpacked[2 * i + 1] = (int8_t)((int)((stored[i] >> 4u) ^ 8u) - 8);
    }
    return unpacked;
}

uint32_t popularity_of(const mignon *m, uint32_t row) {
    if (m->popularity) return m->popularity[row];
    if (!m->manifest.has_preference) return 0;
    const uint8_t last = m->table[row * m->manifest.row_bytes + m->manifest.row_bytes - 1];
    int bias = m->manifest.bits == 8 ? (int)(last ^ 0x80u) - 128 : (int)((last >> 4u) ^ 8u) - 8;
    return (uint32_t)(bias + 128);
}

static mignon_status read_text(mignon *m, const char *name, mignon_text *text) {
    mignon_status status = read_entry(m, name, text);
    if (status != MIGNON_OK || is_utf8(*text)) return status;
    return fail(m, MIGNON_FOREIGN, "", "entry %s is not UTF-8; export the model again", name);
}

/* Reads an entry with a line for each row; line feeds become zeros, so that each line is a string. */
static mignon_status read_lines(mignon *m, const char *name, mignon_text *text, uint32_t **starts) {
    mignon_status status = read_text(m, name, text);
    uint32_t rows = m->manifest.rows, count = 0;
    if (status != MIGNON_OK) return status;
    char *content = (char *)m->arena + (text->start - (const char *)m->arena); /* the same, to be written */
    *starts = take(m, rows / LINES_IN_BLOCK + 1, sizeof **starts);
    if (!*starts) return MIGNON_NO_ROOM;
    for (size_t i = 0, start = 0; i < text->length && count <= rows; i++) {
        if (content[i] == 0) break; /* no text holds it */
        if (content[i] != '\n') continue;
        content[i] = 0;
        if (count < rows && count % LINES_IN_BLOCK == 0) (*starts)[count / LINES_IN_BLOCK] = (uint32_t)start;
        count++;
        start = i + 1;
        if (start == text->length && count == rows) return MIGNON_OK;
    }
    return fail(m, MIGNON_FOREIGN, "", "entry %s does not have a line for each of the %lu rows", name, (unsigned long)rows);
}

mignon_text text_of(const mignon *m, uint32_t row, int is_name) {
    mignon_text whole = is_name ? m->names : m->ids;
    const uint32_t *starts = is_name ? m->name_starts : m->id_starts;
    if (!starts || row >= m->manifest.rows) return (mignon_text){"", 0};
    const char *line = whole.start + starts[row / LINES_IN_BLOCK];
    for (uint32_t left = row % LINES_IN_BLOCK; left; left--) line += strlen(line) + 1;
    return (mignon_text){line, strlen(line)};
}

uint32_t row_in(mignon_text number, uint32_t rows) {
    uint64_t row = 0;
    size_t digits = 1;
    for (uint32_t left = rows; left >= 10; left /= 10) digits++;
    if (!number.length || number.length > digits) return MIGNON_NO_ROW;
    for (size_t i = 0; i < number.length; i++) {
        if (number.start[i] < '0' || number.start[i] > '9') return MIGNON_NO_ROW;
        row = row * 10 + (uint64_t)(number.start[i] - '0');
    }
    return row < rows ? (uint32_t)row : MIGNON_NO_ROW;
}

/* Reads an entry of lines with so many fields; where `has_rows`, the first of them is a row. */
static mignon_status read_records(mignon *m, const char *name, int fields, int has_rows, mignon_text *text) {
    mignon_status status = read_text(m, name, text);
    if (status != MIGNON_OK) return status;
    while (text->length && text->start[text->length - 1] != '\n') text->length--; /* what follows the last is no line */
    for (mignon_text left = *text; left.length;) {
        mignon_text line = take_until(&left, '\n'), rest = line, first = take_until(&rest, '\t');
        int found = 1;
        for (size_t i = 0; i < line.length; i++) found += line.start[i] == '\t';
        if (found != fields || (has_rows && row_in(first, m->manifest.rows) == MIGNON_NO_ROW)) {
            return fail(m, MIGNON_FOREIGN, "", "entry %s has a line that is not of %d fields: %.*s", name, fields,
                        (int)(line.length < 60 ? line.length : 60), line.start);
        }
    }
    return MIGNON_OK;
}

static size_t bytes_of(const mignon *m, const char *name) {
    entry found;
    return find_entry(m->bytes, m->length, name, &found) ? found.bytes : 0;
}

typedef struct {
    size_t families, names, index; /* at most, by the sizes of entries: of no line is a field empty */
} kind_sizes;

static kind_sizes sizes_of_kinds(const mignon *m) {
    size_t values = bytes_of(m, "vocabulary.tsv"), others = bytes_of(m, "families.tsv");
    kind_sizes sizes = {values / 4 + others / 6 + 1, values / 4 + others / 3 + 1, 0};
    sizes.index = 3 * (values + others) + (RECORD_HEAD + 1) * sizes.names;
    return sizes;
}

static size_t bytes_of_index(const mignon *m) {
    return 3 * (bytes_of(m, "names.txt") + bytes_of(m, "aliases.tsv")) + (RECORD_HEAD + 1) * m->manifest.rows;
}

/* An upper bound of what `open_parts` and the questions take, in the same order. */
static uint64_t bytes_of_parts(const mignon *m) {
    uint64_t sum = bytes_of(m, "popularity.uint8") + 16, starts = 4 * (m->manifest.rows / LINES_IN_BLOCK + 2);
    unsigned parts = m->options.parts;
    if (parts & MIGNON_IDS) sum += bytes_of(m, "ids.txt") + starts + 16;
    if (parts & MIGNON_NAMES) {
        sum += (uint64_t)bytes_of(m, "names.txt") + starts + bytes_of(m, "aliases.tsv") + 2 * (uint64_t)bytes_of(m, "folding.tsv") + 64;
        sum += bytes_of_index(m) + GRAM_BUCKETS / 4 + 16 + find_bytes(&m->options) + 64;
    }
    if (parts & MIGNON_ATTRIBUTES) sum += bytes_of(m, "attributes.tsv") + 16;
    if (parts & MIGNON_FAMILIES) {
        kind_sizes sizes = sizes_of_kinds(m);
        sum += (uint64_t)bytes_of(m, "vocabulary.tsv") + bytes_of(m, "families.tsv") + bytes_of(m, "vocabulary.int8") + 48;
        sum += sizes.families * sizeof(family) + sizes.names * sizeof(family_name) + sizes.index + FAMILY_HEADS * 4 + 32;
    }
    return sum + ranking_bytes(&m->manifest, &m->options) + rounded(sizeof *m) + 8;
}

static family *find_family(mignon *m, uint32_t *heads, mignon_text attribute, mignon_text value, int may_add) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < attribute.length; i++) hash = (hash ^ (uint8_t)attribute.start[i]) * 16777619u;
    for (size_t i = 0; i < value.length; i++) hash = (hash ^ (uint8_t)value.start[i]) * 16777619u;
    uint32_t *place = &heads[hash % FAMILY_HEADS];
    for (; *place != NO_PLACE; place = &m->families[*place].next) {
        family *f = &m->families[*place];
        if (same_text(f->attribute, attribute) && same_text(f->value, value)) return f;
    }
    if (!may_add) return NULL;
    *place = m->family_count;
    m->families[m->family_count] = (family){attribute, value, 0, NO_PLACE};
    return &m->families[m->family_count++];
}

static mignon_status add_family_name(mignon *m, const kind_sizes *sizes, uint32_t of, mignon_text name) {
    m->family_names[m->family_name_count] = (family_name){of, name};
    return add_name(m, &m->kinds, sizes->index, m->family_name_count++, name);
}

/* Every family with its value, then with each of its other names; and how many items each has. */
static mignon_status open_families(mignon *m) {
    kind_sizes sizes = sizes_of_kinds(m);
    mignon_text others = {NULL, 0}, vectors;
    size_t lines = 0;
    mignon_status status = read_records(m, "vocabulary.tsv", 2, 0, &m->vocabulary);
    if (status == MIGNON_OK) status = read_entry(m, "vocabulary.int8", &vectors);
    if (status == MIGNON_OK && bytes_of(m, "families.tsv")) status = read_records(m, "families.tsv", 3, 0, &others);
    if (status != MIGNON_OK) return status;
    for (size_t i = 0; i < m->vocabulary.length; i++) lines += m->vocabulary.start[i] == '\n';
    if (lines * m->manifest.dims != vectors.length) return fail(m, MIGNON_FOREIGN, "", "vocabulary.int8 does not fit vocabulary.tsv");
    m->vectors = (const int8_t *)vectors.start;
    m->families = take(m, sizes.families, sizeof *m->families);
    m->family_names = take(m, sizes.names, sizeof *m->family_names);
    m->kinds.records = take(m, sizes.index, 1);
    size_t used = m->used;
    uint32_t *heads = take(m, FAMILY_HEADS, sizeof *heads);
    if (!m->families || !m->family_names || !m->kinds.records || !heads) return MIGNON_NO_ROOM;
    memset(heads, 0xff, FAMILY_HEADS * sizeof *heads);
    for (int round = 0; round < 2; round++) {
        for (mignon_text left = round ? others : m->vocabulary; left.length;) {
            mignon_text value = take_until(&left, '\n'), attribute = take_until(&value, '\t'), rest = value;
            if (round) value = take_until(&rest, '\t');
            if (m->family_count == sizes.families) return fail(m, MIGNON_FOREIGN, "", "families.tsv or vocabulary.tsv holds empty names");
            find_family(m, heads, attribute, value, 1);
        }
    }
    for (uint32_t i = 0; i < m->family_count && status == MIGNON_OK; i++) {
        if (m->family_name_count == sizes.names) return fail(m, MIGNON_FOREIGN, "", "families.tsv or vocabulary.tsv holds empty names");
        status = add_family_name(m, &sizes, i, m->families[i].value);
    }
    for (mignon_text left = others; left.length && status == MIGNON_OK;) {
        mignon_text name = take_until(&left, '\n'), attribute = take_until(&name, '\t'), value = take_until(&name, '\t');
        if (m->family_name_count == sizes.names) return fail(m, MIGNON_FOREIGN, "", "families.tsv or vocabulary.tsv holds empty names");
        status = add_family_name(m, &sizes, (uint32_t)(find_family(m, heads, attribute, value, 1) - m->families), name);
    }
    m->kinds.first_alias = m->kinds.bytes;
    mignon_text value;
    for (attribute_line line = attribute_lines(m); next_line(&line);) {
        while (next_value(&line.values, &value)) {
            family *f = find_family(m, heads, line.attribute, value, 0);
            if (f) f->items++;
        }
    }
    m->used = used;
    return status;
}

static mignon_status open_names(mignon *m) {
    size_t room = bytes_of_index(m);
    mignon_status status = read_lines(m, "names.txt", &m->names, &m->name_starts);
    if (status == MIGNON_OK) status = read_records(m, "aliases.tsv", 2, 1, &m->aliases);
    if (status == MIGNON_OK) status = read_folding(m);
    if (status != MIGNON_OK) return status;
    m->gram_bits = take(m, GRAM_BUCKETS / 8, 1);
    m->asked_bits = take(m, GRAM_BUCKETS / 8, 1);
    m->items.records = take(m, room, 1);
    if (!m->gram_bits || !m->asked_bits || !m->items.records) return MIGNON_NO_ROOM;
    memset(m->gram_bits, 0, GRAM_BUCKETS / 8);
    for (uint32_t row = 0; row < m->manifest.rows && status == MIGNON_OK; row++) {
        status = add_name(m, &m->items, room, row, text_of(m, row, 1));
    }
    m->items.first_alias = m->items.bytes;
    for (mignon_text left = m->aliases; left.length && status == MIGNON_OK;) {
        mignon_text alias = take_until(&left, '\n'), number = take_until(&alias, '\t');
        status = add_name(m, &m->items, room, row_in(number, m->manifest.rows), alias);
    }
    m->used -= (room - m->items.bytes) / 8 * 8; /* what the names did not need; nothing lies behind it yet */
    return status;
}

static mignon_status open_parts(mignon *m) {
    mignon_text known;
    mignon_status status = MIGNON_OK;
    if (bytes_of(m, "popularity.uint8")) {
        status = read_entry(m, "popularity.uint8", &known);
        if (status == MIGNON_OK && known.length != m->manifest.rows) {
            status = fail(m, MIGNON_FOREIGN, "", "popularity.uint8 does not have a byte for each row");
        }
        m->popularity = (const uint8_t *)known.start;
    }
    unsigned parts = m->options.parts;
    if (status == MIGNON_OK && (parts & MIGNON_IDS)) status = read_lines(m, "ids.txt", &m->ids, &m->id_starts);
    if (status == MIGNON_OK && (parts & MIGNON_NAMES)) status = open_names(m);
    if (status == MIGNON_OK && (parts & MIGNON_ATTRIBUTES)) status = read_records(m, "attributes.tsv", 3, 1, &m->attributes);
    if (status == MIGNON_OK && (parts & MIGNON_FAMILIES)) status = open_families(m);
    m->kept = m->used;
    return status;
}

static void set_options(mignon *m, const mignon_options *options) {
    static const mignon_options usual = {MIGNON_ALL, 100, 64};
    m->options = options ? *options : usual;
    if (m->options.parts & MIGNON_FAMILIES) m->options.parts = MIGNON_ALL;
    if (!m->options.most_results) m->options.most_results = usual.most_results;
    m->alike = -2;
}

mignon_status read_manifest(mignon *m) {
    entry found;
    uint8_t text[MOST_MANIFEST_BYTES + 1];
    if (!find_entry(m->bytes, m->length, "manifest.json", &found)) {
        return fail(m, MIGNON_FOREIGN, "", "entry manifest.json is missing; export the model again");
    }
    if (found.bytes > MOST_MANIFEST_BYTES) return fail(m, MIGNON_FOREIGN, "", "manifest.json is longer than %u bytes", MOST_MANIFEST_BYTES);
    const char *fault = inflate_entry(m->bytes, &found, text, SIZE_MAX);
    if (fault) return fail(m, MIGNON_FOREIGN, "", "entry manifest.json cannot be read: %s", fault);
    text[found.bytes] = 0;
    return parse_manifest(m, (const char *)text, found.bytes);
}

size_t mignon_arena_size(const void *bytes, size_t length, const mignon_options *options) {
    mignon m;
    memset(&m, 0, sizeof m);
    m.bytes = bytes;
    m.length = length;
    set_options(&m, options);
    if (check_archive(bytes, length) || read_manifest(&m) != MIGNON_OK || m.manifest.table_bytes > length) {
        return rounded(sizeof m) + RING_BYTES + 64; /* room to tell what is wrong */
    }
    uint64_t needed = bytes_of_parts(&m);
    return needed < SIZE_MAX / 2 ? (size_t)needed : SIZE_MAX / 2;
}

static mignon_status check_table(mignon *m) {
    entry first;
    find_entry(m->bytes, m->length, NULL, &first);
    size_t start = m->manifest.table_offset;
    if (start % 16 || start > first.header || m->manifest.table_bytes > first.header - start) {
        return fail(m, MIGNON_FOREIGN, "", "its table does not lie within the flatbuffer at a multiple of 16");
    }
    m->table = m->bytes + start;
    return MIGNON_OK;
}

mignon_status mignon_open(mignon **model, const void *bytes, size_t length, const mignon_options *options, void *arena,
                          size_t arena_bytes, mignon_fault *fault) {
    size_t skipped = arena ? (8 - (uintptr_t)arena % 8) % 8 : 0;
    mignon_status status = MIGNON_OK;
    *model = NULL;
    if (!arena || arena_bytes < skipped + rounded(sizeof(mignon))) {
        mignon none;
        status = fail(&none, MIGNON_NO_ROOM, "", "there is no arena, or hardly one; ask mignon_arena_size");
        if (fault) *fault = none.fault;
        return status;
    }
    mignon *m = (mignon *)(void *)((uint8_t *)arena + skipped);
    memset(m, 0, sizeof *m);
    m->bytes = bytes;
    m->length = bytes ? length : 0;
    m->arena = (uint8_t *)m;
    m->arena_bytes = arena_bytes - skipped;
    m->used = rounded(sizeof *m);
    set_options(m, options);
    status = check_digest(m);
    const char *wrong = status == MIGNON_OK ? check_archive(m->bytes, m->length) : NULL;
    if (wrong) status = fail(m, MIGNON_FOREIGN, "", "the archive at its end cannot be read: %s", wrong);
    if (status == MIGNON_OK) status = read_manifest(m);
    if (status == MIGNON_OK) status = check_table(m);
    if (status == MIGNON_OK) status = open_parts(m);
    if (fault) *fault = m->fault;
    if (status == MIGNON_OK) *model = m;
    return status;
}

static mignon_status unreadable(mignon_fault *fault, const char *path, const char *why) {
    mignon none;
    mignon_status status = fail(&none, MIGNON_UNREADABLE, "", "%s: %s; give the path of a .tflite file made by mignon", path, why);
    if (fault) *fault = none.fault;
    return status;
}

mignon_status mignon_open_file(mignon **model, const char *path, const mignon_options *options, mignon_fault *fault) {
    FILE *file = fopen(path, "rb");
    long size = 0;
    *model = NULL;
    if (!file) return unreadable(fault, path, "cannot be opened");
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0) {
        fclose(file);
        return unreadable(fault, path, "cannot be read");
    }
    size_t length = (size_t)size;
    uint8_t *bytes = malloc(length + 1);
    int is_read = bytes && fread(bytes, 1, length, file) == length;
    fclose(file);
    size_t arena_bytes = is_read ? mignon_arena_size(bytes, length, options) : 0;
    uint8_t *arena = is_read ? malloc(arena_bytes) : NULL;
    if (!arena) {
        free(bytes);
        return unreadable(fault, path, is_read ? "its parts need more memory than there is" : "cannot be read, or is too large");
    }
    mignon_status status = mignon_open(model, bytes, length, options, arena, arena_bytes, fault);
    if (status == MIGNON_OK) {
        (*model)->owned_bytes = bytes;
        (*model)->owned_arena = arena;
    } else {
        free(arena);
        free(bytes);
    }
    return status;
}

void mignon_close(mignon *m) {
    if (!m || !m->owned_arena) return;
    free(m->owned_bytes);
    free(m->owned_arena);
}

const mignon_fault *mignon_last_fault(const mignon *m) { return &m->fault; }
uint32_t mignon_rows(const mignon *m) { return m->manifest.rows; }
uint32_t mignon_dims(const mignon *m) { return m->manifest.dims; }
size_t mignon_arena_used(const mignon *m) { return m->kept; }
const char *mignon_id(const mignon *m, uint32_t row) { return m->id_starts && row < m->manifest.rows ? text_of(m, row, 0).start : NULL; }
const char *mignon_name(const mignon *m, uint32_t row) { return m->name_starts && row < m->manifest.rows ? text_of(m, row, 1).start : NULL; }

uint32_t mignon_row(const mignon *m, const char *id) {
    const char *line = m->id_starts ? m->ids.start : NULL;
    for (uint32_t row = 0; line && row < m->manifest.rows; row++, line += strlen(line) + 1) {
        if (strcmp(line, id) == 0) return row;
    }
    return MIGNON_NO_ROW;
}

int mignon_alias(const mignon *m, uint32_t row, size_t number, mignon_text *alias) {
    for (mignon_text left = m->aliases; left.length;) {
        *alias = take_until(&left, '\n');
        mignon_text of = take_until(alias, '\t');
        if (row_in(of, m->manifest.rows) == row && number-- == 0) return 1;
    }
    return 0;
}

int mignon_attribute(const mignon *m, uint32_t row, size_t number, mignon_text *attribute, mignon_text *value) {
    for (attribute_line line = attribute_lines(m); next_line(&line);) {
        *attribute = line.attribute;
        while (line.row == row && next_value(&line.values, value)) {
            if (number-- == 0) return 1;
        }
    }
    return 0;
}
