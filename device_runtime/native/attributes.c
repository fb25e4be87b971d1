/* Which items have which attributes, and kinds of items, read from the text of the file whenever they are asked for. */
#include "reader.h"

mignon_text take_until(mignon_text *text, char separator) {
    const char *found = text->length ? memchr(text->start, separator, text->length) : NULL;
    mignon_text before = {text->start, found ? (size_t)(found - text->start) : text->length};
    text->start = found ? found + 1 : NULL;
    text->length = found ? text->length - before.length - 1 : 0;
    return before;
}

int same_text(mignon_text one, mignon_text other) {
    return one.length == other.length && (!one.length || memcmp(one.start, other.start, one.length) == 0);
}

/* The small form of a letter: of Latin, Greek and Cyrillic, which names of attributes are mostly written in. */
uint32_t small_letter(uint32_t letter) {
    if (letter < 0x80) return letter >= 'A' && letter <= 'Z' ? letter + 32 : letter;
    if ((letter >= 0xc0 && letter <= 0xde && letter != 0xd7) || (letter >= 0x391 && letter <= 0x3a9) ||
        (letter >= 0x410 && letter <= 0x42f)) {
        return letter + 32;
    }
    if (letter >= 0x400 && letter <= 0x40f) return letter + 80;
    if ((letter >= 0x139 && letter <= 0x148) || (letter >= 0x179 && letter <= 0x17e)) return letter + letter % 2;
    return letter >= 0x100 && letter <= 0x177 && letter != 0x130 && letter != 0x131 ? letter | 1 : letter;
}

int same_but_for_case(mignon_text one, mignon_text other) {
    const uint8_t *a = (const uint8_t *)one.start, *b = (const uint8_t *)other.start;
    const uint8_t *a_end = a + one.length, *b_end = b + other.length;
    while (a < a_end && b < b_end) {
        if (small_letter(next_letter(&a)) != small_letter(next_letter(&b))) return 0;
    }
    return a == a_end && b == b_end;
}

attribute_line attribute_lines(const mignon *m) {
    attribute_line line = {m->attributes.start, m->attributes.start + m->attributes.length, 0, {NULL, 0}, {NULL, 0}};
    return line;
}

int next_line(attribute_line *line) {
    const char *feed = line->at < line->end ? memchr(line->at, '\n', (size_t)(line->end - line->at)) : NULL;
    if (!feed) return 0; /* what follows the last line feed is no line */
    for (line->row = 0; *line->at != '\t'; line->at++) line->row = line->row * 10 + (uint32_t)(*line->at - '0');
    line->at++;
    line->values = (mignon_text){line->at, (size_t)(feed - line->at)};
    line->attribute = take_until(&line->values, '\t');
    line->at = feed + 1;
    return 1;
}

/* The next of the values of the line; an empty text holds one, which is empty. */
int next_value(mignon_text *values, mignon_text *value) {
    if (!values->start) return 0;
    *value = take_until(values, '|');
    return 1;
}

/* The first of the pairs of attribute and value that these mean: just so, or else but for case and spaces around. */
typedef struct {
    mignon_text asked, plain, found;
    int just_so;
} meaning;

static meaning meaning_of(mignon_text asked) {
    meaning m = {asked, asked, {NULL, 0}, 0};
    while (m.plain.length && strchr(" \t\n\r\v\f", m.plain.start[0])) m.plain.start++, m.plain.length--;
    while (m.plain.length && strchr(" \t\n\r\v\f", m.plain.start[m.plain.length - 1])) m.plain.length--;
    return m;
}

static void consider(meaning *m, mignon_text known) {
    if (m->just_so) return;
    m->just_so = same_text(m->asked, known);
    if (m->just_so || (!m->found.start && same_but_for_case(m->plain, known))) m->found = known;
}

static mignon_status unknown(mignon *m, const char *kind, mignon_text text) {
    return fail(m, MIGNON_UNKNOWN_ATTRIBUTE, "", "no item has the %s '%.*s'", kind, (int)(text.length < 99 ? text.length : 99),
                text.start);
}

mignon_status mark_rows(mignon *m, mignon_text attribute, mignon_text value, uint8_t *marked) {
    meaning name = meaning_of(attribute), same = meaning_of(value);
    attribute_line line;
    mignon_text one;
    for (line = attribute_lines(m); !name.just_so && next_line(&line);) consider(&name, line.attribute);
    if (!name.found.start) return unknown(m, "attribute", attribute);
    for (line = attribute_lines(m); !same.just_so && next_line(&line);) {
        if (same_text(line.attribute, name.found)) {
            while (next_value(&line.values, &one)) consider(&same, one);
        }
    }
    if (!same.found.start) return unknown(m, "value", value);
    for (line = attribute_lines(m); next_line(&line);) {
        if (!same_text(line.attribute, name.found)) continue;
        while (next_value(&line.values, &one)) {
            if (same_text(one, same.found)) marked[line.row / 8] |= (uint8_t)(1u << line.row % 8);
        }
    }
    return MIGNON_OK;
}

int has_attribute(const mignon *m, mignon_text attribute, mignon_text value) {
    mignon_text one;
    for (attribute_line line = attribute_lines(m); next_line(&line);) {
        while (same_text(line.attribute, attribute) && next_value(&line.values, &one)) {
            if (same_text(one, value)) return 1;
        }
    }
    return 0;
}

mignon_status meet_conditions(mignon *m, const mignon_condition *where, size_t count, uint8_t *allowed) {
    size_t bytes = ((size_t)m->manifest.rows + 7) / 8, used = m->used;
    if (count && !(m->options.parts & MIGNON_ATTRIBUTES)) {
        return fail(m, MIGNON_INVALID_ARGUMENT, "", "conditions need MIGNON_ATTRIBUTES; open the model with it");
    }
    uint8_t *marked = count ? take(m, bytes, 1) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (!marked) return MIGNON_NO_ROOM;
        memset(marked, 0, bytes);
        mignon_text attribute = {where[i].attribute, strlen(where[i].attribute)};
        meaning name = meaning_of(attribute);
        for (attribute_line line = attribute_lines(m); !name.just_so && next_line(&line);) consider(&name, line.attribute);
        if (!name.found.start) return unknown(m, "attribute", attribute);
        for (size_t j = 0; j < where[i].value_count; j++) {
            mignon_text value = {where[i].values[j], strlen(where[i].values[j])};
            mignon_status status = mark_rows(m, attribute, value, marked);
            if (status != MIGNON_OK) return status;
        }
        for (size_t j = 0; j < bytes; j++) allowed[j] &= (uint8_t)(where[i].forbids ? ~marked[j] : marked[j]);
    }
    m->used = used;
    return MIGNON_OK;
}

/* The line of the vocabulary that places this value, of lines that say the same the last; NO_PLACE for none. */
uint32_t vocabulary_line(const mignon *m, mignon_text attribute, mignon_text value) {
    meaning name = meaning_of(attribute), same = meaning_of(value);
    uint32_t found = NO_PLACE;
    for (int round = 0; round < 3; round++) {
        mignon_text left = m->vocabulary;
        for (uint32_t number = 0; left.length; number++) {
            mignon_text line = take_until(&left, '\n'), known = take_until(&line, '\t');
            if (round == 0) consider(&name, known);
            if (round == 1 && same_text(known, name.found)) consider(&same, line);
            if (round == 2 && same_text(known, name.found) && same_text(line, same.found)) found = number;
        }
        if (round < 2 && !(round == 0 ? name : same).found.start) return NO_PLACE;
    }
    return found;
}
