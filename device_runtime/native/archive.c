/* The bytes of the file: its digest, the ZIP archive at its end, and which part was altered. */
#include "reader.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
int fuzz_trusts; /* then no digest and no checksum is compared, so that mutations reach what lies behind them */
#else
enum { fuzz_trusts = 0 };
#endif

static uint32_t little(const uint8_t *at, int bytes) {
    uint32_t value = 0;
    while (bytes--) value = value << 8 | at[bytes];
    return value;
}

/* SHA-256 (FIPS 180-4). */
static const uint32_t rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void digest_block(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (unsigned i = 0; i < 64; i++) { /* not the words move, but the place where they start */
        uint32_t a = s[-i & 7], b = s[(1 - i) & 7], c = s[(2 - i) & 7], e = s[(4 - i) & 7], *last = &s[(7 - i) & 7];
        uint32_t choice = (e & s[(5 - i) & 7]) ^ (~e & s[(6 - i) & 7]), most = (a & b) ^ (a & c) ^ (b & c);
        uint32_t first = *last + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + rounds[i] + w[i];
        s[(3 - i) & 7] += first;
        *last = first + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + most;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void digest(const uint8_t *bytes, size_t length, char hexadecimal[DIGEST_LENGTH]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t last[128] = {0};
    size_t whole = length / 64, rest = length % 64, end = rest < 56 ? 64 : 128;
    for (size_t i = 0; i < whole; i++) digest_block(state, bytes + 64 * i);
    if (rest) memcpy(last, bytes + 64 * whole, rest);
    last[rest] = 0x80;
    for (unsigned i = 0; i < 8; i++) last[end - 1 - i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
    for (size_t at = 0; at < end; at += 64) digest_block(state, last + at);
    for (unsigned i = 0; i < DIGEST_LENGTH; i++) hexadecimal[i] = "0123456789abcdef"[state[i / 8] >> (28 - i % 8 * 4) & 15];
}

static uint32_t checksum(uint32_t crc, const uint8_t *bytes, size_t length) { /* CRC-32, as in ZIP */
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    for (size_t i = 0; i < length; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
    return ~crc;
}

/* Deflate (RFC 1951). Output goes to out[place & mask]: all of it, or the ring of what may still be repeated. */
#define QUICK_BITS 9

typedef struct {
    uint16_t counts[16], symbols[288]; /* canonical: how many codes of each length; symbols in the order of their codes */
    uint16_t quick[1 << QUICK_BITS]; /* by the next bits: symbol << 4 | length; 0 for longer codes */
} codes;

typedef struct {
    const uint8_t *in, *in_end;
    uint8_t *out;
    size_t mask, place, size;
    uint32_t crc, bits;
    int bit_count, padding; /* bits at hand, and how many of them, the last, are zeros beyond the end */
} stream;

static int make_codes(codes *c, const uint8_t *lengths, int count, int may_be_single) {
    uint16_t index[17] = {0}, code[17] = {0};
    int left = 1, used = 0;
    memset(c, 0, sizeof *c);
    for (int i = 0; i < count; i++) c->counts[lengths[i]]++;
    c->counts[0] = 0;
    for (int n = 1; n < 16; n++) {
        left = 2 * left - c->counts[n];
        if (left < 0) return 0;
        used += c->counts[n];
        index[n + 1] = (uint16_t)used;
        code[n + 1] = (uint16_t)((code[n] + c->counts[n]) << 1);
    }
    for (int i = 0; i < count; i++) {
        int n = lengths[i];
        if (!n) continue;
        unsigned reversed = 0, own = code[n]++;
        c->symbols[index[n]++] = (uint16_t)i;
        for (int bit = 0; bit < n; bit++) reversed |= (own >> bit & 1u) << (n - 1 - bit);
        for (; n <= QUICK_BITS && reversed < 1u << QUICK_BITS; reversed += 1u << n) {
            c->quick[reversed] = (uint16_t)(i << 4 | n);
        }
    }
    return left == 0 || (may_be_single && used == c->counts[1]); /* of those left open, what zlib takes */
}

static void need_bits(stream *s, int count) {
    while (s->bit_count < count) {
        if (s->in < s->in_end) s->bits |= (uint32_t)*s->in++ << s->bit_count;
        else s->padding += 8;
        s->bit_count += 8;
    }
}

static int is_overdrawn(const stream *s) { return s->bit_count < s->padding; }

static uint32_t take_bits(stream *s, int count) {
    need_bits(s, count);
    uint32_t value = s->bits & ((1u << count) - 1);
    s->bits >>= count;
    s->bit_count -= count;
    return value;
}

static int next_symbol(stream *s, const codes *c) {
    need_bits(s, 15);
    unsigned quick = c->quick[s->bits & ((1u << QUICK_BITS) - 1)];
    if (quick) {
        take_bits(s, quick & 15);
        return (int)(quick >> 4);
    }
    int code = 0, first = 0, index = 0;
    for (int n = 1; n < 16; n++) {
        code |= (int)(s->bits >> (n - 1) & 1);
        if (code - first < c->counts[n]) {
            take_bits(s, n);
            return c->symbols[index + code - first];
        }
        index += c->counts[n];
        first = (first + c->counts[n]) << 1;
        code <<= 1;
    }
    return -1;
}

static int put(stream *s, uint8_t byte) {
    if (s->place == s->size) return 0;
    s->out[s->place++ & s->mask] = byte;
    if ((s->place & s->mask) == 0) s->crc = checksum(s->crc, s->out, s->mask + 1); /* a ring is full */
    return 1;
}

static int copy_block(stream *s) {
    take_bits(s, s->bit_count & 7);
    uint32_t length = take_bits(s, 16), inverse = take_bits(s, 16);
    if (length != (inverse ^ 0xffff)) return 0;
    while (length--) {
        uint8_t byte = (uint8_t)take_bits(s, 8);
        if (is_overdrawn(s) || !put(s, byte)) return 0;
    }
    return 1;
}

static int read_codes(stream *s, codes *literals, codes *distances) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[320] = {0}, of_lengths[19] = {0};
    int literal_count = (int)take_bits(s, 5) + 257, distance_count = (int)take_bits(s, 5) + 1;
    int count = (int)take_bits(s, 4) + 4, all = literal_count + distance_count, at = 0;
    if (literal_count > 286 || distance_count > 30) return 0;
    for (int i = 0; i < count; i++) of_lengths[order[i]] = (uint8_t)take_bits(s, 3);
    if (!make_codes(literals, of_lengths, 19, 0)) return 0;
    while (at < all) {
        int symbol = next_symbol(s, literals), times = 1;
        if (symbol < 0 || is_overdrawn(s) || (symbol == 16 && at == 0)) return 0;
        if (symbol == 16) times = 3 + (int)take_bits(s, 2);
        if (symbol == 17) times = 3 + (int)take_bits(s, 3);
        if (symbol == 18) times = 11 + (int)take_bits(s, 7);
        uint8_t value = (uint8_t)(symbol < 16 ? symbol : symbol == 16 ? lengths[at - 1] : 0);
        if (times > all - at) return 0;
        while (times--) lengths[at++] = value;
    }
    return lengths[256] && make_codes(literals, lengths, literal_count, 1) &&
           make_codes(distances, lengths + literal_count, distance_count, 1);
}

static int fixed_codes(codes *literals, codes *distances) {
    uint8_t lengths[288];
    for (int i = 0; i < 288; i++) lengths[i] = (uint8_t)(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
    make_codes(literals, lengths, 288, 1);
    memset(lengths, 5, 32);
    return make_codes(distances, lengths, 32, 1);
}

static int inflate_block(stream *s, const codes *literals, const codes *distances) {
    for (;;) {
        int symbol = next_symbol(s, literals);
        if (symbol < 0 || symbol > 285 || is_overdrawn(s)) return 0;
        if (symbol == 256) return 1;
        if (symbol < 256) {
            if (!put(s, (uint8_t)symbol)) return 0;
            continue;
        }
        unsigned code = (unsigned)symbol - 257, extra = code < 8 || code == 28 ? 0 : code / 4 - 1;
        size_t length = code == 28 ? 258 : (code < 8 ? code : (4 + code % 4) << extra) + 3;
        length += take_bits(s, (int)extra);
        if ((symbol = next_symbol(s, distances)) < 0 || symbol > 29) return 0;
        extra = symbol < 4 ? 0 : (unsigned)symbol / 2 - 1;
        size_t distance = (symbol < 4 ? (unsigned)symbol : (2 + (unsigned)symbol % 2) << extra) + 1;
        distance += take_bits(s, (int)extra);
        if (is_overdrawn(s) || distance > s->place) return 0;
        while (length--) {
            if (!put(s, s->out[(s->place - distance) & s->mask])) return 0;
        }
    }
}

static int inflate(stream *s) {
    codes literals, distances;
    for (uint32_t last = 0; !last;) {
        last = take_bits(s, 1);
        uint32_t kind = take_bits(s, 2);
        if (is_overdrawn(s) || kind == 3) return 0;
        if (kind == 0) {
            if (!copy_block(s)) return 0;
        } else if (!(kind == 1 ? fixed_codes(&literals, &distances) : read_codes(s, &literals, &distances)) ||
                   !inflate_block(s, &literals, &distances)) {
            return 0;
        }
    }
    return s->in == s->in_end && s->bit_count - s->padding < 8;
}

/* Writes an entry whose header was checked; `mask` is SIZE_MAX, or RING_BYTES - 1 to check it and keep nothing. */
const char *inflate_entry(const uint8_t *bytes, const entry *e, uint8_t *out, size_t mask) {
    stream s = {bytes + e->start, bytes + e->start + e->stored_bytes, out, mask, 0, e->bytes, 0, 0, 0, 0};
    if (e->deflated) {
        if (!inflate(&s)) return "its bytes cannot be inflated";
        s.crc = checksum(s.crc, out, s.place & mask);
    } else {
        s.place = e->stored_bytes;
        s.crc = checksum(0, s.in, s.place);
        if (mask == SIZE_MAX && s.place == e->bytes && s.place) memcpy(out, s.in, s.place);
    }
    return s.place != e->bytes || (s.crc != e->checksum && !fuzz_trusts) ? "it does not fit its size and CRC-32" : NULL;
}

/* The ZIP archive, as strictly as docs/format.md describes it. */
typedef struct {
    size_t position, entries, start, size, stop; /* of the record that ends the archive, and of the directory */
} archive_end;

#define END_BYTES 22u
#define RECORD_BYTES 46u
#define HEADER_BYTES 30u
#define MOST_ENTRIES 1024u /* far more than there are; names are compared one with another */

static const char *find_end(const uint8_t *bytes, size_t length, archive_end *end) {
    size_t at = length;
    while (at-- > 0) {
        if (bytes[at] == 'P' && length - at >= 4 && memcmp(bytes + at, "PK\5\6", 4) == 0) break;
    }
    if (at > length || length - at < END_BYTES) return "no end of an archive";
    end->position = at;
    end->entries = little(bytes + at + 10, 2);
    end->size = little(bytes + at + 12, 4);
    end->start = little(bytes + at + 16, 4);
    end->stop = at + END_BYTES + little(bytes + at + 20, 2);
    return NULL;
}

static const char *read_record(const uint8_t *bytes, const archive_end *end, size_t *position, entry *found) {
    const uint8_t *at = bytes + *position;
    size_t left = end->position - *position;
    if (left < RECORD_BYTES || memcmp(at, "PK\1\2", 4) != 0) return "its directory cannot be read";
    uint32_t flags = little(at + 8, 2), method = little(at + 10, 2);
    found->name = (const char *)at + RECORD_BYTES;
    found->name_length = little(at + 28, 2);
    size_t size = RECORD_BYTES + found->name_length + little(at + 30, 2) + little(at + 32, 2);
    if (size > left || little(at + 34, 2) != 0) return "its directory cannot be read";
    if ((method != 0 && method != 8) || (flags & 9)) return "an entry is stored in a way that is not known here";
    if (!is_utf8((mignon_text){found->name, found->name_length})) return "a name in its directory is not UTF-8";
    found->record = at;
    found->deflated = method == 8;
    found->checksum = little(at + 16, 4);
    found->stored_bytes = little(at + 20, 4);
    found->bytes = little(at + 24, 4);
    found->header = little(at + 42, 4);
    found->start = found->header + HEADER_BYTES + found->name_length;
    *position += size;
    return NULL;
}

static const char *check_directory(const uint8_t *bytes, const archive_end *end) {
    uint64_t sum = 0;
    size_t count = 0;
    if (end->size > end->position) return "its directory starts before the file";
    for (size_t at = end->position - end->size; at < end->position; count++) {
        entry found, other;
        const char *fault = count < MOST_ENTRIES ? read_record(bytes, end, &at, &found) : "it has too many entries";
        if (fault) return fault;
        for (size_t before = end->position - end->size; before < at;) {
            read_record(bytes, end, &before, &other);
            if (before < at && other.name_length == found.name_length &&
                memcmp(other.name, found.name, found.name_length) == 0) {
                return "an entry stands there more than once";
            }
        }
        sum += (uint64_t)found.stored_bytes + found.bytes;
    }
    if (!count || count != end->entries) return "its directory does not list as many entries as it says";
    return sum > UINT64_C(1) << 31 ? "its entries declare more than 2^31 bytes" : NULL;
}

static const char *check_header(const uint8_t *bytes, size_t length, const entry *e) {
    if (e->start > length || e->stored_bytes > length - e->start) return "an entry ends beyond the file";
    const uint8_t *at = bytes + e->header;
    if (memcmp(at, "PK\3\4", 4) != 0 || memcmp(at + 4, e->record + 6, 24) != 0 || little(at + 28, 2) != 0 ||
        memcmp(at + HEADER_BYTES, e->name, e->name_length) != 0) {
        return "the header of an entry differs from the directory";
    }
    return NULL;
}

const char *check_archive(const uint8_t *bytes, size_t length) {
    archive_end end;
    const char *fault = find_end(bytes, length, &end);
    if (fault || end.stop != length) return "no end of an archive";
    if (end.size > end.position || end.start != end.position - end.size) return "its directory does not end where it should";
    if ((fault = check_directory(bytes, &end)) != NULL) return fault;
    size_t expected = SIZE_MAX;
    for (size_t at = end.start; at < end.position;) {
        entry found;
        read_record(bytes, &end, &at, &found);
        if ((fault = check_header(bytes, length, &found)) != NULL) return fault;
        if (expected != SIZE_MAX && found.header != expected) return "an entry does not end where the next part starts";
        expected = found.start + found.stored_bytes;
    }
    return expected != end.start ? "an entry does not end where the next part starts" : NULL;
}

int find_entry(const uint8_t *bytes, size_t length, const char *name, entry *found) {
    archive_end end;
    if (find_end(bytes, length, &end) || end.size > end.position) return 0;
    for (size_t at = end.position - end.size; at < end.position;) {
        if (read_record(bytes, &end, &at, found)) return 0;
        if (name == NULL || (found->name_length == strlen(name) && memcmp(found->name, name, found->name_length) == 0)) return 1;
    }
    return 0;
}

mignon_status read_entry(mignon *m, const char *name, mignon_text *text) {
    entry found;
    if (!find_entry(m->bytes, m->length, name, &found)) {
        return fail(m, MIGNON_FOREIGN, "", "entry %s is missing; export the model again", name);
    }
    char *content = take(m, (size_t)found.bytes + 1, 1);
    if (!content) return MIGNON_NO_ROOM;
    const char *fault = inflate_entry(m->bytes, &found, (uint8_t *)content, SIZE_MAX);
    if (fault) return fail(m, MIGNON_FOREIGN, "", "entry %s cannot be read: %s", name, fault);
    content[found.bytes] = 0;
    *text = (mignon_text){content, found.bytes};
    return MIGNON_OK;
}

/* Which part of a file was altered whose digest does not fit. */
static mignon_status altered(mignon *m, const char *part, const char *words) {
    return fail(m, MIGNON_DAMAGED, part, "%s was altered since export; copy or export it again", words);
}

static mignon_status altered_entry(mignon *m, const archive_end *end, const char *only) {
    uint8_t *ring = m->arena_bytes - m->used >= RING_BYTES ? m->arena + m->used : NULL; /* or entries are not looked into */
    for (size_t at = end->position - end->size; at < end->position;) {
        entry e;
        char name[sizeof m->fault.part];
        read_record(m->bytes, end, &at, &e);
        size_t length = e.name_length < sizeof name - 1 ? e.name_length : sizeof name - 1;
        memcpy(name, e.name, length);
        name[length] = 0;
        if (only && strcmp(name, only) != 0) continue;
        if (check_header(m->bytes, m->length, &e) ||
            (!ring && e.deflated ? 0 : inflate_entry(m->bytes, &e, ring, RING_BYTES - 1) != NULL)) {
            return altered(m, name, name);
        }
    }
    return MIGNON_OK;
}

static mignon_status altered_flatbuffer(mignon *m, size_t size) {
    const manifest *about = &m->manifest;
    size_t start = about->table_offset, stop = start + about->table_bytes;
    if (!about->has_checksums || start > size || about->table_bytes > size - start) return MIGNON_OK;
    if (checksum(0, m->bytes + start, about->table_bytes) != about->table_checksum) return altered(m, "table", "its table");
    uint32_t before = checksum(0, m->bytes, start);
    if (checksum(before, m->bytes + stop, size - stop) != about->graph_checksum) return altered(m, "graph", "its graph");
    return MIGNON_OK;
}

static mignon_status diagnose_parts(mignon *m, const archive_end *end) {
    entry found;
    mignon_status status;
    if (!find_entry(m->bytes, m->length, "manifest.json", &found)) return altered(m, "directory", "the directory of its archive");
    if ((status = altered_entry(m, end, "manifest.json")) != MIGNON_OK) return status;
    if ((status = read_manifest(m)) != MIGNON_OK) return status; /* of a later version, above all */
    find_entry(m->bytes, m->length, NULL, &found); /* the first */
    if ((status = altered_flatbuffer(m, found.header)) != MIGNON_OK) return status;
    if ((status = altered_entry(m, end, NULL)) != MIGNON_OK) return status;
    if (!m->manifest.has_checksums) return fail(m, MIGNON_DAMAGED, "", "its digest does not fit; copy or export it again");
    return altered(m, "digest", "the digest at its end, or bytes that carry nothing,");
}

static int holds(const uint8_t *bytes, size_t length, const char *text) {
    size_t wanted = strlen(text);
    for (size_t at = 0; length >= wanted && at <= length - wanted; at++) {
        if (bytes[at] == (uint8_t)text[0] && memcmp(bytes + at, text, wanted) == 0) return 1;
    }
    return 0;
}

static mignon_status diagnose(mignon *m) {
    archive_end end;
    size_t length = m->length, seal = DIGEST_LENGTH + SEAL_LENGTH;
    int sealed = length >= seal && memcmp(m->bytes + length - seal, SEAL, SEAL_LENGTH) == 0;
    int has_end = find_end(m->bytes, length, &end) == NULL;
    if (!sealed && !holds(m->bytes, length, "manifest.json")) {
        if (length < 8 || memcmp(m->bytes + 4, "TFL3", 4) != 0) {
            return fail(m, MIGNON_FOREIGN, "", "is not a TFLite file; give a .tflite file made by mignon");
        }
        if (has_end) return fail(m, MIGNON_FOREIGN, "", "its archive has no manifest.json; give a .tflite file made by mignon");
    }
    if (!has_end || end.stop != length) {
        if (sealed) return altered(m, "directory", "the directory of its archive");
        if (has_end && end.stop < length) {
            return fail(m, MIGNON_DAMAGED, "", "has bytes too many after its end; copy or export it again");
        }
        return fail(m, MIGNON_DAMAGED, "", "breaks off before its digest, or was not made by mignon; copy or export it again");
    }
    if (check_directory(m->bytes, &end)) return altered(m, "directory", "the directory of its archive");
    size_t start = end.position - end.size;
    if (start == end.start) return diagnose_parts(m, &end);
    entry last;
    for (size_t at = start; at < end.position;) read_record(m->bytes, &end, &at, &last);
    if (last.start + last.stored_bytes == start) return altered(m, "directory", "the directory of its archive");
    return fail(m, MIGNON_DAMAGED, "", "%s bytes before the directory of its archive; copy or export it again",
                start < end.start ? "lacks" : "has too many");
}

mignon_status check_digest(mignon *m) {
    char hexadecimal[DIGEST_LENGTH];
    if (m->length >= DIGEST_LENGTH) {
        digest(m->bytes, m->length - DIGEST_LENGTH, hexadecimal);
        if (fuzz_trusts || memcmp(hexadecimal, m->bytes + m->length - DIGEST_LENGTH, DIGEST_LENGTH) == 0) {
            if (m->length >= 8 && memcmp(m->bytes + 4, "TFL3", 4) == 0) return MIGNON_OK;
            return fail(m, MIGNON_FOREIGN, "", "is not a TFLite file; give a .tflite file made by mignon");
        }
    }
    return m->length ? diagnose(m) : fail(m, MIGNON_FOREIGN, "", "is empty; give a .tflite file made by mignon");
}
