/* Text without case, accents and punctuation, and where folded names are kept. */
#include "reader.h"

/* What Latin letters from U+00C0 on become where the file does not say it: a capital stands for the letters below. */
static const char latin[] =
    "aaaaaaAceeeeiiiidnooooo ouuuuyTSaaaaaaAceeeeiiiidnooooo ouuuuyTyaaaaaaccccccccddddeeeeeeeeeegggg"
    "gggghhhhiiiiiiiiiiJJjjkkkllllllllllnnnnnnnnnooooooOOrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

uint32_t next_letter(const uint8_t **at) {
    uint32_t letter = *(*at)++;
    if (letter < 0x80) return letter;
    int more = letter >= 0xf0 ? 3 : letter >= 0xe0 ? 2 : 1;
    letter &= 0x3fu >> more;
    while (more--) letter = letter << 6 | (*(*at)++ & 0x3fu);
    return letter;
}

size_t write_letter(uint32_t letter, char *out) {
    int more = letter >= 0x10000 ? 3 : letter >= 0x800 ? 2 : letter >= 0x80 ? 1 : 0;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(heads[more] | letter >> 6 * more);
    for (int i = 1; i <= more; i++) out[i] = (char)(0x80 | (letter >> 6 * (more - i) & 0x3f));
    return (size_t)more + 1;
}

mignon_status read_folding(mignon *m) {
    entry found;
    mignon_status status;
    if (!find_entry(m->bytes, m->length, "folding.tsv", &found)) return MIGNON_OK;
    m->has_folding = 1;
    if ((status = read_entry(m, "folding.tsv", &m->folding)) != MIGNON_OK) return status;
    size_t most = found.bytes / 4 + 1; /* no line is shorter: two bytes, a tab, a line feed */
    m->folding_starts = take(m, most, sizeof(uint32_t));
    if (!m->folding_starts) return MIGNON_NO_ROOM;
    uint32_t before = 0x7f;
    for (mignon_text left = m->folding; left.length && memchr(left.start, '\n', left.length);) {
        const uint8_t *at = (const uint8_t *)left.start;
        mignon_text line = take_until(&left, '\n');
        uint32_t letter = line.length ? next_letter(&at) : 0;
        if (letter <= before || *at != '\t' || memchr(at + 1, '\t', line.length - (size_t)((const char *)at + 1 - line.start))) {
            return fail(m, MIGNON_FOREIGN, "", "entry folding.tsv is not of ascending characters, a tab, and a text");
        }
        before = letter;
        m->folding_starts[m->folding_count++] = (uint32_t)(line.start - m->folding.start);
    }
    return MIGNON_OK;
}

/* What a letter beyond ASCII becomes; `own` has room for what is put together. */
static mignon_text fold_letter(const mignon *m, uint32_t letter, char own[12]) {
    size_t first = 0, last = m->folding_count, length = 0;
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        const uint8_t *at = (const uint8_t *)m->folding.start + m->folding_starts[middle];
        uint32_t found = next_letter(&at);
        if (found == letter) return (mignon_text){(const char *)at + 1, strcspn((const char *)at + 1, "\n")};
        if (found < letter) first = middle + 1;
        else last = middle;
    }
    if (letter >= 0xac00 && letter < 0xac00 + 19 * 21 * 28) { /* a syllable of Hangul (The Unicode Standard, 3.12) */
        uint32_t number = letter - 0xac00;
        length = write_letter(0x1100 + number / 588, own);
        length += write_letter(0x1161 + number % 588 / 28, own + length);
        if (number % 28) length += write_letter(0x11a7 + number % 28, own + length);
    } else if ((letter >= 0xfe00 && letter < 0xfe10) || (!m->has_folding && letter >= 0x300 && letter < 0x370)) {
        length = 0;
    } else if ((letter >= 0x2000 && letter < 0x2c00) || (letter >= 0x3000 && letter < 0x3004) ||
               (letter >= 0x1f000 && letter < 0x1fb00) || (!m->has_folding && letter < 0xc0)) {
        own[length++] = ' ';
    } else if (!m->has_folding && letter < 0x180) {
        static const char *const pairs[] = {"Aae", "Ooe", "Tth", "Sss", "Jij"};
        char code = latin[letter - 0xc0];
        for (size_t i = 0; i < 5; i++) {
            if (pairs[i][0] == code) return (mignon_text){pairs[i] + 1, 2};
        }
        own[length++] = code;
    } else {
        length = write_letter(m->has_folding ? letter : small_letter(letter), own);
    }
    return (mignon_text){own, length};
}

/* Writes `text` folded, and a line feed; returns its length, or `room` where it is too long and was cut. */
size_t fold(const mignon *m, mignon_text text, char *out, size_t room) {
    const uint8_t *at = (const uint8_t *)text.start, *end = at + text.length;
    size_t length = 0;
    int space = 0;
    while (at < end) {
        uint32_t letter = next_letter(&at);
        char own[12];
        mignon_text folded = {own, 1};
        if (letter >= 0x80) folded = fold_letter(m, letter, own);
        else if ((letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z')) own[0] = (char)letter;
        else own[0] = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : ' ';
        for (size_t i = 0; i < folded.length; i++) {
            if (folded.start[i] == ' ') {
                space = length > 0;
                continue;
            }
            if (length + 2 >= room) {
                out[length] = '\n';
                return room;
            }
            if (space) out[length++] = ' ';
            out[length++] = folded.start[i];
            space = 0;
        }
    }
    out[length] = '\n';
    return length;
}

/* Counts the grams of `text`, which ends with a line feed: each letter pair, whatever its order, and triple, with a space
 * before and after the text, falls into a bucket, and each bucket counts once; where there are some `asked`, only those.
 * Their bits in `seen`, all of which are 0, stay set if they are to be kept. */
size_t count_grams(const uint8_t *text, const uint8_t *asked, uint8_t *seen, int keep) {
    uint16_t hits[2 * LONGEST_NAME + 2];
    uint32_t before = 0, last = ' ', next;
    size_t count = 0;
    do {
        next = *text < 0x80 ? *text++ : next_letter(&text);
        uint32_t bits = next == '\n' ? ' ' : next;
        for (int triple = 0; triple < 2 && (!triple || before); triple++) {
            uint32_t mixed = triple ? before * 31337u + last * 7919u + bits * 104729u : (last + bits) * 31337u + last * bits * 7919u;
            uint32_t bucket = (mixed * 0x9e3779b1u >> 18) + (triple ? GRAM_BUCKETS / 2 : 0), bit = 1u << bucket % 8;
            if ((asked && !(asked[bucket / 8] & bit)) || (seen[bucket / 8] & bit)) continue;
            seen[bucket / 8] |= (uint8_t)bit;
            hits[count++] = (uint16_t)bucket;
        }
        before = last;
        last = bits;
    } while (next != '\n');
    for (size_t i = 0; i < count && !keep; i++) seen[hits[i] / 8] = 0;
    return count;
}

static uint32_t read_number(const uint8_t *at) {
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

record read_record_at(const name_index *index, size_t place) {
    const uint8_t *at = index->records + place;
    const uint8_t *end = memchr(at + RECORD_HEAD, '\n', index->bytes - place - RECORD_HEAD);
    uint16_t counts[2];
    memcpy(counts, at + 4, sizeof counts);
    record r = {read_number(at), counts[0], counts[1], {(const char *)at + RECORD_HEAD, (size_t)(end - at) - RECORD_HEAD},
                place >= index->first_alias, (size_t)(end - index->records) + 1};
    return r;
}

/* Adds a name; one that folds to nothing, or to more than LONGEST_NAME bytes, is not found by what is like it. */
mignon_status add_name(mignon *m, name_index *index, size_t room, uint32_t row, mignon_text text) {
    uint8_t *at = index->records + index->bytes;
    char folded[LONGEST_NAME];
    size_t length = fold(m, text, folded, sizeof folded);
    if (!length || length == sizeof folded) return MIGNON_OK;
    if (room - index->bytes < RECORD_HEAD + length + 1) {
        return fail(m, MIGNON_FOREIGN, "", "its names become three times as long when they are folded");
    }
    uint16_t counts[2] = {0, 0};
    memcpy(at, &row, sizeof row);
    memcpy(at + RECORD_HEAD, folded, length + 1);
    counts[0] = (uint16_t)count_grams(at + RECORD_HEAD, NULL, m->gram_bits, 0);
    memcpy(at + 4, counts, sizeof counts);
    index->bytes += RECORD_HEAD + length + 1;
    return MIGNON_OK;
}
