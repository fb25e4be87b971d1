/* What a text that somebody typed means: the steps of device_runtime/items/fuzzy.py and names.py, to the last score. */
#include <math.h>
#include <stdio.h>

#include "reader.h"

#define SURE 0.9
#define UNSURE 0.8999 /* the most that what is only alike can reach */
#define LONGEST 64u /* letters of a text that are looked at */
#define MOST_TYPOS 3u
#define LEAST_CANDIDATES 48u
#define SUGGESTIONS 3u

typedef struct {
    const uint32_t *at;
    size_t count;
} letters;

typedef struct {
    letters word;
    uint32_t last; /* what the last letter counts as */
} stem;

typedef struct {
    uint32_t typed[LONGEST + 1], folded[LONGEST + 1], joined[LONGEST], together[LONGEST]; /* `folded` without small words */
    size_t typed_count, folded_count, joined_count, together_count, word_count, longest;
    letters words[LONGEST];
    stem stems[LONGEST];
} query;

typedef struct {
    record name;
    double dice, likeness, level;
    size_t edits, letters; /* to the whole, written as one word, and of the shorter */
    int same, longer;
} candidate;

typedef struct {
    uint32_t row;
    double score;
} scored;

size_t find_bytes(const mignon_options *options) {
    size_t most = options->most_results > 6 ? 8 * (size_t)options->most_results : LEAST_CANDIDATES;
    return most * sizeof(candidate) + 2 * (most + 4) * sizeof(scored) + 2 * (size_t)(options->most_results + 4) * sizeof(mignon_match);
}

static double larger(double one, double other) { return one > other ? one : other; }

static int next_word(letters text, size_t *place, letters *word) {
    while (*place < text.count && text.at[*place] == ' ') ++*place;
    size_t start = *place;
    while (*place < text.count && text.at[*place] != ' ') ++*place;
    *word = (letters){text.at + start, *place - start};
    return word->count > 0;
}

static int is_small(letters word) { /* in the languages that catalogs have names in */
    static const char small[] = " the a an some and with of n le la les l un une des du de d et aux au el los las una unos unas y "
                                "con der die das den dem ein eine einen und mit il lo gli i uno e dei degli delle o os as um uma "
                                "uns umas com ";
    char spaced[9] = " ";
    if (word.count > 6) return 0;
    for (size_t i = 0; i < word.count; i++) {
        if (word.at[i] >= 0x80) return 0;
        spaced[i + 1] = (char)word.at[i];
    }
    spaced[word.count + 1] = ' ';
    return strstr(small, spaced) != NULL;
}

/* Without articles and the like, or as it is where hardly anything else is left. */
static size_t drop_small_words(letters text, uint32_t *out) {
    letters word;
    size_t count = 0;
    for (size_t place = 0; next_word(text, &place, &word);) {
        if (is_small(word)) continue;
        if (count) out[count++] = ' ';
        memcpy(out + count, word.at, word.count * sizeof *out);
        count += word.count;
    }
    if (count >= 3) return count;
    memcpy(out, text.at, text.count * sizeof *out);
    return text.count;
}

static size_t drop_spaces(letters text, uint32_t *out) {
    size_t count = 0;
    for (size_t i = 0; i < text.count; i++) {
        if (text.at[i] != ' ') out[count++] = text.at[i];
    }
    return count;
}

static int same_letters(letters one, letters other) {
    return one.count == other.count && memcmp(one.at, other.at, one.count * sizeof *one.at) == 0;
}

static stem stem_of(letters word) {
    size_t n = word.count;
    if (n > 3 && (word.at[n - 1] == 's' || word.at[n - 1] == 'x') && word.at[n - 2] != 's') n--;
    if (n > 3 && word.at[n - 1] == 'e') n--;
    stem s = {{word.at, n}, n ? word.at[n - 1] : 0};
    if (n > 2 && s.last == 'y') s.last = 'i';
    return s;
}

static int same_stem(stem one, stem other) {
    return one.word.count == other.word.count && one.last == other.last &&
           (one.word.count < 2 || memcmp(one.word.at, other.word.at, (one.word.count - 1) * sizeof *one.word.at) == 0);
}

/* The edits from `asked` to each beginning of up to `count` letters of `word`: insertions, deletions, replacements, and
 * swaps of two neighbors. */
static void edits_to_beginnings(letters asked, letters word, size_t count, uint8_t *edits) {
    uint8_t rows[3][LONGEST + 2 * MOST_TYPOS + 1];
    uint8_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= count; j++) last[j] = (uint8_t)j;
    for (size_t i = 1; i <= asked.count; i++) {
        now[0] = (uint8_t)i;
        for (size_t j = 1; j <= count; j++) {
            int best = last[j - 1] + (asked.at[i - 1] != word.at[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && asked.at[i - 1] == word.at[j - 2] && asked.at[i - 2] == word.at[j - 1] && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            now[j] = (uint8_t)best;
        }
        uint8_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    memcpy(edits, last, count + 1);
}

static double likeness_of_words(letters asked, stem asked_stem, letters word, size_t cut) {
    uint8_t edits[LONGEST + 2 * MOST_TYPOS + 1], least;
    size_t count = word.count < cut ? word.count : cut, longer = word.count > asked.count ? word.count : asked.count;
    double length = (double)asked.count, alike = 0;
    edits_to_beginnings(asked, word, count, edits);
    size_t whole = edits[count] + word.count - count;
    if (whole <= (longer < 4 ? 1u : longer < 8 ? 2u : 3u)) alike = 1 - (double)whole / (double)longer;
    least = edits[0];
    for (size_t j = 1; j <= count; j++) least = edits[j] < least ? edits[j] : least;
    if (least <= asked.count / 4) { /* the word was begun */
        double share = length / (double)word.count;
        alike = larger(alike, (1 - least / length) * (0.75 + (1 - 0.75) * (share < 1 ? share : 1)));
    }
    return same_stem(asked_stem, stem_of(word)) ? larger(alike, 0.97) : alike;
}

/* How much of what was asked is found in the words of `text`, and how much of them in it. */
static double likeness_by_words(const query *q, letters text) {
    double best[LONGEST] = {0}, found = 0, weight = 0, covered = 0, all = 0;
    letters word;
    for (size_t place = 0; next_word(text, &place, &word);) {
        double most = 0;
        for (size_t i = 0; i < q->word_count; i++) {
            double alike = likeness_of_words(q->words[i], q->stems[i], word, q->longest + MOST_TYPOS);
            best[i] = larger(best[i], alike);
            most = larger(most, alike);
        }
        covered += (double)(word.count + 1) * most;
        all += (double)(word.count + 1);
    }
    for (size_t i = 0; i < q->word_count; i++) {
        found += (double)(q->words[i].count + 1) * best[i];
        weight += (double)(q->words[i].count + 1);
    }
    found /= weight;
    covered /= all;
    return larger(found * (0.6 + (1 - 0.6) * covered), 0.75 * covered * (0.6 + (1 - 0.6) * found));
}

/* Whether the stems of all words of `text` are those asked for; `all_in` whether those asked for are among them. */
static int same_stems(const query *q, letters text, int *all_in) {
    uint64_t matched = 0, among = 0, every = q->word_count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << q->word_count) - 1;
    letters word;
    int same = 1;
    for (size_t place = 0; next_word(text, &place, &word);) {
        stem s = stem_of(word);
        int used = 0;
        for (size_t i = 0; i < q->word_count; i++) {
            if (!same_stem(s, q->stems[i])) continue;
            among |= UINT64_C(1) << i;
            if (!used && !(matched >> i & 1)) {
                matched |= UINT64_C(1) << i;
                used = 1;
            }
        }
        same &= used;
    }
    *all_in = among == every;
    return same && matched == every;
}

static void compare(const query *q, candidate *c) {
    uint32_t text[LONGEST_NAME], plain[LONGEST_NAME], joined[LONGEST_NAME];
    const uint8_t *at = (const uint8_t *)c->name.text.start, *end = at + c->name.text.length;
    size_t count = 0;
    while (at < end) text[count++] = next_letter(&at);
    letters whole = {text, count}, words = {plain, drop_small_words(whole, plain)};
    letters one = {joined, drop_spaces(words, joined)}, asked = {q->joined, q->joined_count};
    uint8_t edits[LONGEST + 2 * MOST_TYPOS + 1];
    size_t cut = asked.count + 2 * MOST_TYPOS, compared = one.count < cut ? one.count : cut;
    edits_to_beginnings(asked, one, compared, edits);
    c->edits = edits[compared] + one.count - compared;
    c->letters = one.count < asked.count ? one.count : asked.count;
    if (asked.count >= 5 && same_stem(stem_of(asked), stem_of(one))) c->edits = 0;
    int all_in, is_level;
    c->same = same_stems(q, words, &all_in);
    uint32_t *spaceless = plain; /* the words are not needed any more */
    letters full = {spaceless, drop_spaces(whole, spaceless)}, together = {q->together, q->together_count};
    if (same_letters(full, together)) c->edits = 0;
    c->longer = all_in || (full.count >= asked.count && memcmp(full.at, asked.at, asked.count * sizeof *asked.at) == 0);
    double sum = (double)(c->letters + c->edits);
    double likeness = larger(likeness_by_words(q, whole), larger(0, 1 - (double)c->edits / larger(1, sum)));
    if (count >= q->typed_count && memcmp(text, q->typed, q->typed_count * sizeof *text) == 0) {
        likeness = larger(likeness, 0.9 + (1 - 0.9) * ((double)together.count / (double)count));
    }
    likeness = (1 - 0.2) * larger(likeness, 0.9 * c->dice) + 0.2 * c->dice;
    if (c->name.is_alias) likeness *= 0.95;
    c->likeness = likeness;
    is_level = likeness > 0.45;
    c->level = is_level && c->edits == 0 ? 0.97 : 0;
    if (is_level && c->edits == 1 && c->letters >= 5) c->level = 0.95;
    if (is_level && c->edits == 2 && c->letters >= 9) c->level = 0.92;
    if (is_level && c->same) c->level = 0.99;
    c->same &= is_level;
    c->longer &= is_level;
}

static int is_near(const candidate *c) { return c->level > 0 && c->level < 0.97; }

/* Takes sureness from what is a spelling away where another name may be meant as well. */
static void weigh_levels(candidate *c, size_t count) {
    int same = 0, begun = 0, rivals = 0;
    double best = 0;
    for (size_t i = 0; i < count; i++) {
        int own = 0;
        for (size_t j = 0; j < count && !own; j++) own = is_near(&c[j]) && c[j].name.row == c[i].name.row;
        same |= c[i].same;
        begun |= c[i].longer && !own;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_near(&c[i]) && begun && !same) c[i].level = 0;
        best = larger(best, c[i].level);
    }
    if (best == 0 || best >= 0.97) return;
    const candidate *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (c[i].level != best) continue;
        if (!first) first = &c[i];
        rivals |= (c[i].name.row != first->name.row) | (same_text(c[i].name.text, first->name.text) ? 0 : 2);
    }
    for (size_t i = 0; i < count && rivals == 3; i++) c[i].level = 0;
}

static void prepare(query *q, const char *folded) {
    const uint8_t *at = (const uint8_t *)folded;
    memset(q, 0, sizeof *q);
    while (*at != '\n' && q->typed_count < LONGEST) q->typed[q->typed_count++] = next_letter(&at);
    if (q->typed_count && q->typed[q->typed_count - 1] == ' ') q->typed_count--;
    letters typed = {q->typed, q->typed_count}, word;
    q->folded_count = drop_small_words(typed, q->folded);
    letters kept = {q->folded, q->folded_count};
    q->joined_count = drop_spaces(kept, q->joined);
    q->together_count = drop_spaces(typed, q->together);
    for (size_t place = 0; next_word(kept, &place, &word);) {
        q->stems[q->word_count] = stem_of(word);
        q->words[q->word_count++] = word;
        if (word.count > q->longest) q->longest = word.count;
    }
}

static uint32_t known(const mignon *m, const name_index *index, uint32_t row) {
    return index == &m->items ? popularity_of(m, row) : m->families[m->family_names[row].family].items;
}

static int comes_before(const mignon *m, const name_index *index, scored one, scored other) {
    if (one.score != other.score) return one.score > other.score;
    uint32_t a = known(m, index, one.row), b = known(m, index, other.row);
    return a != b ? a > b : one.row < other.row;
}

/* The names that share the most grams with what was asked, and their coefficients; of equal ones the first. */
static size_t nearest(mignon *m, name_index *index, const query *q, candidate *best, size_t most) {
    char folded[4 * LONGEST + 1];
    size_t length = 0, count = 0, worst = 0, greatest = 0;
    for (size_t i = 0; i < q->folded_count; i++) length += write_letter(q->folded[i], folded + length);
    folded[length] = '\n';
    memset(m->asked_bits, 0, GRAM_BUCKETS / 8);
    size_t asked = count_grams((const uint8_t *)folded, NULL, m->asked_bits, 1);
    for (size_t place = 0; place < index->bytes;) {
        const uint8_t *text = index->records + place + RECORD_HEAD;
        uint16_t shared = (uint16_t)count_grams(text, m->asked_bits, m->gram_bits, 0);
        memcpy(index->records + place + 6, &shared, sizeof shared);
        if (shared > greatest) greatest = shared;
        place = read_record_at(index, place).next;
    }
    for (size_t place = 0; place < index->bytes;) {
        candidate c = {read_record_at(index, place), 0, 0, 0, 0, 0, 0, 0};
        place = c.name.next;
        if (c.name.shared <= greatest / 4) continue;
        c.dice = 2.0 * c.name.shared / (double)(c.name.grams + asked);
        if (count < most) {
            best[count++] = c;
        } else if (c.dice > best[worst].dice) {
            best[worst] = c;
        } else {
            continue;
        }
        if (count < most) continue;
        worst = 0;
        for (size_t i = 1; i < count; i++) { /* of equal ones the last goes first */
            if (best[i].dice < best[worst].dice || (best[i].dice == best[worst].dice && best[i].name.next > best[worst].name.next)) {
                worst = i;
            }
        }
    }
    return count;
}

/* Up to `limit` rows of an index that are most like `text`, best first; `exact` is the row that is called just so. */
static mignon_status find_in(mignon *m, name_index *index, mignon_text text, size_t limit, uint32_t exact, scored **found, size_t *count) {
    query q;
    char folded[LONGEST_NAME];
    size_t most = 2 * limit > LEAST_CANDIDATES ? 2 * limit : LEAST_CANDIDATES, near = 0, kept = 0;
    scored *best = *found = take(m, most + 1, sizeof *best);
    candidate *candidates = take(m, most, sizeof *candidates);
    *count = 0;
    if (!best || !candidates) return MIGNON_NO_ROOM;
    fold(m, text, folded, sizeof folded);
    prepare(&q, folded);
    if (q.typed_count) near = nearest(m, index, &q, candidates, most);
    for (size_t i = 0; i < near; i++) compare(&q, &candidates[i]);
    weigh_levels(candidates, near);
    if (exact != MIGNON_NO_ROW) best[kept++] = (scored){exact, 1};
    double least = kept ? 1 : 0;
    for (size_t i = 0; i < near; i++) {
        candidate *c = &candidates[i];
        double score = c->level > 0 ? c->level - (c->name.is_alias ? 0.01 : 0) : SURE * c->likeness;
        if (c->level <= 0 && score > UNSURE) score = UNSURE;
        score = rint(score * 10000) / 10000;
        size_t j = 0;
        while (j < kept && best[j].row != c->name.row) j++;
        if (score < 0.4 || (j < kept && best[j].score >= score)) continue;
        best[j] = (scored){c->name.row, score};
        kept += j == kept;
        least = larger(least, score);
    }
    for (size_t i = 0; i < kept; i++) { /* the few that are left, in order */
        scored one = best[i];
        size_t j = *count;
        if (one.score < 0.5 * least) continue;
        for (; j > 0 && comes_before(m, index, one, best[j - 1]); j--) best[j] = best[j - 1];
        best[j] = one;
        ++*count;
    }
    if (*count > limit) *count = limit;
    return MIGNON_OK;
}

/* Of the names in the index that fold to the same, names before aliases, the best known. */
static uint32_t row_of_folded(const mignon *m, const name_index *index, mignon_text text) {
    char folded[LONGEST_NAME];
    size_t length = fold(m, text, folded, sizeof folded);
    scored best = {MIGNON_NO_ROW, 0};
    if (!length || length == sizeof folded) return MIGNON_NO_ROW;
    for (size_t place = 0; place < index->bytes;) {
        record r = read_record_at(index, place);
        place = r.next;
        if (!same_text(r.text, (mignon_text){folded, length})) continue;
        scored one = {r.row, r.is_alias ? 1 : 2};
        if (best.row == MIGNON_NO_ROW || comes_before(m, index, one, best)) best = one;
    }
    return best.row;
}

static uint32_t item_row(const mignon *m, mignon_text text) {
    scored best = {MIGNON_NO_ROW, 0};
    for (uint32_t row = 0; row < m->manifest.rows && (m->options.parts & MIGNON_IDS); row++) {
        if (same_text(text_of(m, row, 0), text)) return row;
    }
    if (!(m->options.parts & MIGNON_NAMES)) return MIGNON_NO_ROW;
    for (uint32_t row = 0; row < m->manifest.rows; row++) {
        scored one = {row, 2};
        if (same_text(text_of(m, row, 1), text) && (best.row == MIGNON_NO_ROW || comes_before(m, &m->items, one, best))) best = one;
    }
    if (best.row != MIGNON_NO_ROW) return best.row;
    for (mignon_text left = m->aliases; left.length;) {
        mignon_text line = take_until(&left, '\n'), number = take_until(&line, '\t');
        if (!line.start || !same_text(line, text)) continue;
        scored one = {row_in(number, m->manifest.rows), 1};
        if (best.row == MIGNON_NO_ROW || comes_before(m, &m->items, one, best)) best = one;
    }
    return best.row != MIGNON_NO_ROW ? best.row : row_of_folded(m, &m->items, text);
}

static int is_id_of(const family *f, mignon_text text) {
    size_t length = f->attribute.length;
    return text.length > length && text.start[length] == '=' && same_text((mignon_text){text.start, length}, f->attribute) &&
           same_text((mignon_text){text.start + length + 1, text.length - length - 1}, f->value);
}

static uint32_t kind_row(const mignon *m, mignon_text text) {
    scored best = {MIGNON_NO_ROW, 0};
    for (uint32_t row = 0; row < m->family_name_count; row++) {
        if (is_id_of(&m->families[m->family_names[row].family], text)) return row;
    }
    for (uint32_t row = 0; row < m->family_name_count; row++) {
        scored one = {row, 0};
        if (same_text(m->family_names[row].name, text) && (best.row == MIGNON_NO_ROW || comes_before(m, &m->kinds, one, best))) best = one;
    }
    return best.row != MIGNON_NO_ROW ? best.row : row_of_folded(m, &m->kinds, text);
}

static mignon_match match_of_family(const family *f, double score) {
    return (mignon_match){MIGNON_NO_ROW, f->attribute, f->value, score, f->items};
}

/* Families whose name resembles `text`, best first, by the best of their names. */
static mignon_status find_families(mignon *m, mignon_text text, size_t limit, mignon_match *matches, size_t *count) {
    scored *found;
    size_t names = 0;
    *count = 0;
    if (!(m->options.parts & MIGNON_FAMILIES)) return MIGNON_OK;
    mignon_status status = find_in(m, &m->kinds, text, 4 * limit, kind_row(m, text), &found, &names);
    for (size_t i = 0; i < names && *count < limit; i++) {
        const family *f = &m->families[m->family_names[found[i].row].family];
        size_t j = 0;
        while (j < *count && !(same_text(matches[j].attribute, f->attribute) && same_text(matches[j].name, f->value))) j++;
        if (j == *count) matches[(*count)++] = match_of_family(f, found[i].score);
    }
    return status;
}

/* Rows and families, best first, of equal ones rows first. */
static mignon_status find_all(mignon *m, mignon_text text, size_t limit, mignon_match *matches, size_t *count) {
    scored *found;
    size_t items = 0, families = 0, used = m->used;
    mignon_match *of_families = take(m, limit, sizeof *of_families);
    if (!of_families) return MIGNON_NO_ROOM;
    size_t inner = m->used;
    mignon_status status = find_families(m, text, limit, of_families, &families);
    m->used = inner;
    if (status == MIGNON_OK) status = find_in(m, &m->items, text, limit, item_row(m, text), &found, &items);
    *count = 0;
    for (size_t i = 0; status == MIGNON_OK && i < items; i++) {
        matches[(*count)++] = (mignon_match){found[i].row, {NULL, 0}, text_of(m, found[i].row, 1), found[i].score, 1};
    }
    for (size_t i = 0; i < families; i++) {
        mignon_match one = of_families[i];
        double score = one.score;
        if (!one.items) continue;
        if (score > 0.95) score -= score == 1 ? 0.003 : 0.0355; /* of two called just so, or nearly so, the item is meant */
        else if (score == 0.95) score -= 0.003;
        else if (score > UNSURE) score = UNSURE;
        one.score = rint(score * 10000) / 10000;
        size_t j = *count < limit ? *count : limit;
        if (j == limit && one.score <= matches[j - 1].score) continue;
        if (j == limit) j--;
        for (; j > 0 && one.score > matches[j - 1].score; j--) matches[j] = matches[j - 1];
        matches[j] = one;
        if (*count < limit) ++*count;
    }
    m->used = used;
    return status;
}

static mignon_status check_text(mignon *m, const char *text, mignon_text *whole) {
    *whole = (mignon_text){text, text ? strlen(text) : 0};
    if (text && is_utf8(*whole)) return MIGNON_OK;
    return fail(m, MIGNON_INVALID_ARGUMENT, "", "an item is asked for by a text in UTF-8, not by %s", text ? "other bytes" : "NULL");
}

mignon_status mignon_find(mignon *m, const char *text, uint32_t limit, mignon_match *matches, uint32_t *count) {
    mignon_text whole;
    size_t found = 0;
    *count = 0;
    mignon_status status = check_text(m, text, &whole);
    if (status != MIGNON_OK) return status;
    if (!(m->options.parts & MIGNON_NAMES)) return fail(m, MIGNON_INVALID_ARGUMENT, "", "names are found with MIGNON_NAMES alone");
    if (!limit) return fail(m, MIGNON_INVALID_ARGUMENT, "", "limit is 0; give a number from 1");
    if (limit > m->options.most_results) return fail(m, MIGNON_NO_ROOM, "", "limit is above the options' most_results");
    status = find_all(m, whole, limit, matches, &found);
    *count = (uint32_t)found;
    return status;
}

static mignon_status unknown_item(mignon *m, mignon_text text, const mignon_match *like, size_t count) {
    char names[160] = "";
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        size_t more = like[i].name.length;
        if (length + more + 20 > sizeof names) break;
        length += (size_t)sprintf(names + length, "%s%.*s", i ? ", " : "; did you mean ", (int)more, like[i].name.start);
    }
    return fail(m, MIGNON_UNKNOWN_ITEM, "", "no item is called '%.*s'%s", (int)(text.length < 64 ? text.length : 64), text.start, names);
}

static mignon_status resolve(mignon *m, mignon_text text, target *found) {
    mignon_match like[SUGGESTIONS];
    size_t count = 0;
    *found = (target){item_row(m, text), {NULL, 0}, {NULL, 0}};
    if (found->row != MIGNON_NO_ROW) return MIGNON_OK;
    if (m->options.parts & MIGNON_FAMILIES) {
        uint32_t kind = kind_row(m, text);
        if (kind != MIGNON_NO_ROW) {
            const family *f = &m->families[m->family_names[kind].family];
            *found = (target){MIGNON_NO_ROW, f->attribute, f->value};
            return MIGNON_OK;
        }
        mignon_text value = text, attribute = take_until(&value, '=');
        if (value.start && has_attribute(m, attribute, value)) {
            *found = (target){MIGNON_NO_ROW, attribute, value};
            return MIGNON_OK;
        }
    }
    if (m->options.parts & MIGNON_NAMES) {
        mignon_status status = find_all(m, text, SUGGESTIONS, like, &count);
        if (status != MIGNON_OK) return status;
    }
    if (!count || like[0].score < SURE) return unknown_item(m, text, like, count);
    *found = (target){like[0].row, like[0].attribute, like[0].name};
    if (found->row != MIGNON_NO_ROW) found->value = (mignon_text){NULL, 0}; /* items are told apart by their rows */
    return MIGNON_OK;
}

mignon_status resolve_item(mignon *m, mignon_text text, int unwanted, target *found) {
    mignon_status status = resolve(m, text, found);
    if (status != MIGNON_OK || !unwanted || found->row == MIGNON_NO_ROW || !(m->options.parts & MIGNON_FAMILIES)) return status;
    char folded[LONGEST_NAME], of_name[LONGEST_NAME];
    if (same_text(text, text_of(m, found->row, 0))) return status;
    size_t length = fold(m, text, folded, sizeof folded);
    if (length == fold(m, text_of(m, found->row, 1), of_name, sizeof of_name) && memcmp(folded, of_name, length) == 0) return status;
    mignon_match family;
    size_t count, used = m->used;
    status = find_families(m, text, 1, &family, &count);
    m->used = used;
    if (count && family.score > 0.95 && family.items) *found = (target){MIGNON_NO_ROW, family.attribute, family.name};
    return status;
}

static uint32_t count_items(mignon *m, mignon_text attribute, mignon_text value) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->family_count; i++) {
        const family *f = &m->families[i];
        if (same_text(f->attribute, attribute) && same_text(f->value, value)) return f->items;
    }
    mignon_text one;
    for (attribute_line line = attribute_lines(m); next_line(&line);) {
        while (same_text(line.attribute, attribute) && next_value(&line.values, &one)) count += (uint32_t)same_text(one, value);
    }
    return count;
}

mignon_status mignon_resolve(mignon *m, const char *text, int unwanted, mignon_match *match) {
    mignon_text whole;
    target found;
    mignon_status status = check_text(m, text, &whole);
    if (status == MIGNON_OK) status = resolve_item(m, whole, unwanted, &found);
    if (status != MIGNON_OK) return status;
    *match = (mignon_match){found.row, found.attribute, found.value, 1, 1};
    if (found.row != MIGNON_NO_ROW) match->name = text_of(m, found.row, (m->options.parts & MIGNON_NAMES) != 0);
    else match->items = count_items(m, found.attribute, found.value);
    return MIGNON_OK;
}
