"""Finding by name as docs/find.md says it, in plain loops over texts: what the runtime must agree with."""

import itertools
import math
import unicodedata

SMALL = set("""
the a an some and with of n le la les l un une des du de d et aux au el los las una unos unas y con der die das den dem
ein eine einen und mit il lo gli i uno e dei degli delle o os as um uma uns umas com
""".split())  # fmt: skip # noqa: SIM905
WORD = 2**32


def rounded(x):
    return float(round(x * 10000)) / 10000  # round() takes halves to even


def fold(text, table):
    out = []
    for letter in text:
        code = ord(letter)
        if code < 128:
            out.append(letter.lower() if letter.isalnum() else " ")
        elif letter in table:
            out.append(table[letter])
        elif 0xAC00 <= code < 0xAC00 + 11172:
            n = code - 0xAC00
            out.append(chr(0x1100 + n // 588) + chr(0x1161 + n % 588 // 28) + (chr(0x11A7 + n % 28) if n % 28 else ""))
        elif 0xFE00 <= code <= 0xFE0F:
            continue
        elif 0x2000 <= code <= 0x2BFF or 0x3000 <= code <= 0x3003 or 0x1F000 <= code <= 0x1FAFF:
            out.append(" ")
        else:
            out.append(letter)
    return " ".join(word for word in "".join(out).split(" ") if word)


def fold_by_unicode(text):
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    for letter, instead in zip("łøđðıæœþ", ["l", "o", "d", "d", "i", "ae", "oe", "th"], strict=True):
        plain = plain.replace(letter, instead)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() or unicodedata.category(c) == "Mc" else " " for c in plain).split())


def without_small(folded):
    rest = " ".join(word for word in folded.split(" ") if word not in SMALL)
    return rest if len(rest) >= 3 else folded


def stem(word):
    if len(word) > 3 and word[-1] in "sx" and word[-2] != "s":
        word = word[:-1]
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    if len(word) > 2 and word[-1] == "y":
        word = word[:-1] + "i"
    return word


def stems(text):
    return sorted(stem(word) for word in without_small(text).split(" "))


def edits_by_length(a, b):
    """Edits from a to each beginning of b, the empty one first."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1]


def edits(a, b):
    return edits_by_length(a, b)[-1]


def buckets(text):
    codes = [ord(letter) for letter in f" {text} "]
    found = set()
    for a, b in itertools.pairwise(codes):
        found.add(((a + b) * 31337 + a * b * 7919) * 0x9E3779B1 % WORD >> 18)
    for a, b, c in zip(codes, codes[1:], codes[2:], strict=False):
        found.add(16384 + ((a * 31337 + b * 7919 + c * 104729) * 0x9E3779B1 % WORD >> 18))
    return found


class PlainIndex:
    """Rows by text. `popularity` is [rows] or None."""

    def __init__(self, ids, names, aliases, popularity, fold):
        self.ids, self.names, self.aliases, self.popularity, self.fold = ids, names, aliases, popularity, fold
        entries = [(fold(name), row, False) for row, name in enumerate(names)]
        entries += [(fold(alias), row, True) for row, alias in aliases]
        self.entries = [entry for entry in entries if entry[0]]
        self.grams = [buckets(text) for text, _, _ in self.entries]

    def order(self, row):
        return (-int(self.popularity[row]) if self.popularity is not None else 0, row)

    def row(self, text):
        if text in self.ids:
            return self.ids.index(text)
        folded = self.fold(text)
        equal = [(row, is_alias) for entry, row, is_alias in self.entries if entry == folded]
        kinds = [
            [row for row, name in enumerate(self.names) if name == text],
            [row for row, alias in self.aliases if alias == text],
            [row for row, is_alias in equal if not is_alias],
            [row for row, _ in equal],
        ]
        return next((min(rows, key=self.order) for rows in kinds if rows), None)

    def find(self, text, limit):
        t = self.fold(text)[:64].strip(" ")
        best = {}
        for (_, row, _), score in self.score(t, limit) if t else ():
            if score >= 0.4:
                best[row] = max(score, best.get(row, 0))
        exact = self.row(text)
        if exact is not None:
            best[exact] = 1.0
        least = 0.5 * max(best.values(), default=0)
        found = sorted((-score, *self.order(row), row) for row, score in best.items() if score >= least)
        return [(row, -score) for score, _, _, row in found[:limit]]

    def score(self, t, limit):
        w = without_small(t)
        asked = buckets(w)
        shared = [len(asked & grams) for grams in self.grams]
        near = [i for i, count in enumerate(shared) if count > max(shared, default=0) // 4]
        dice = {i: 2 * shared[i] / (len(asked) + len(self.grams[i])) for i in near}
        near = sorted(near, key=lambda i: (-dice[i], i))[: max(48, 2 * limit)]
        judged = [self.judge(t, w, self.entries[i], dice[i]) for i in near]
        levels = find_levels(w, [(self.entries[i], x, e, n) for i, (x, e, n) in zip(near, judged, strict=True)])
        for i, (x, _, _), level in zip(near, judged, levels, strict=True):
            is_alias = self.entries[i][2]
            yield self.entries[i], rounded(level - 0.01 * is_alias if level else min(0.9 * x, 0.8999))

    def judge(self, t, w, entry, dice):
        e, _, is_alias = entry
        u, v = w.replace(" ", ""), without_small(e).replace(" ", "")
        n = min(len(u), len(v))
        in_one = edits(u, v[: len(u) + 6]) + max(0, len(v) - len(u) - 6)
        if (len(u) >= 5 and stem(u) == stem(v)) or t.replace(" ", "") == e.replace(" ", ""):
            in_one = 0
        x = max(by_words(w.split(" "), e.split(" ")), 0, 1 - in_one / max(1, n + in_one))
        if e.startswith(t):
            x = max(x, 0.9 + (1 - 0.9) * (len(t.replace(" ", "")) / len(e)))
        x = max(x, 0.9 * dice)
        x = 0.8 * x + 0.2 * dice
        return x * 0.95 if is_alias else x, in_one, n


def by_words(asked, words):
    alike = [[like(a, b) for b in words] for a in asked]
    found = covered = 0.0
    for a, row in zip(asked, alike, strict=True):
        found += (len(a) + 1) * max(row)
    for place, b in enumerate(words):
        covered += (len(b) + 1) * max(row[place] for row in alike)
    found /= sum(len(a) + 1 for a in asked)
    covered /= sum(len(b) + 1 for b in words)
    return max(found * (0.6 + 0.4 * covered), 0.75 * covered * (0.6 + 0.4 * found))


def like(a, b):
    longer, away = max(len(a), len(b)), edits_by_length(a, b)
    typos = 1 if longer < 4 else 2 if longer < 8 else 3
    whole = 1 - away[-1] / longer if away[-1] <= typos else 0
    fewest = min(away)
    begun = (1 - fewest / len(a)) * (0.75 + 0.25 * min(1, len(a) / len(b))) if fewest <= len(a) // 4 else 0
    return max(whole, begun, 0.97 if stem(a) == stem(b) else 0)


def find_levels(w, judged):
    levels, asked, begun = [], stems(w), w.replace(" ", "")
    for (e, _, _), x, in_one, n in judged:
        level = 0.0
        if x > 0.45:
            level = 0.97 if in_one == 0 else 0.95 if in_one == 1 and n >= 5 else 0.92 if in_one == 2 and n >= 9 else 0.0
            level = 0.99 if stems(e) == asked else level
        levels.append(level)
    near = {entry[1] for (entry, *_), level in zip(judged, levels, strict=True) if 0 < level < 0.97}
    longer = any(
        x > 0.45 and e[1] not in near and (set(asked) <= set(stems(e[0])) or e[0].replace(" ", "").startswith(begun))
        for e, x, _, _ in judged
    )
    if near and longer and 0.99 not in levels:
        levels = [0.0 if 0 < level < 0.97 else level for level in levels]
    best = max(levels, default=0)
    if 0 < best < 0.97:
        rivals = [entry for (entry, *_), level in zip(judged, levels, strict=True) if level == best]
        if len({entry[0] for entry in rivals}) > 1 and len({entry[1] for entry in rivals}) > 1:
            levels = [0.0 if level < 0.97 else level for level in levels]
    return levels


class PlainItems:
    """Items and families of a file, by text: ids of items, and `attribute=value` for families."""

    def __init__(self, file):
        lines = {name: file.text(name).split("\n")[:-1] for name in ("ids.txt", "names.txt", "vocabulary.tsv")}
        records = [line.split("\t") for line in file.text("attributes.tsv").split("\n")[:-1]]
        aliases = [line.split("\t") for line in file.text("aliases.tsv").split("\n")[:-1]]
        others = [line.split("\t") for line in file.text("families.tsv").split("\n")[:-1]]
        table = dict(line.split("\t") for line in file.text("folding.tsv").split("\n")[:-1])
        self.rows_of = {}
        for row, attribute, values in records:
            for value in values.split("|"):
                self.rows_of.setdefault(f"{attribute}={value}", []).append(int(row))
        self.ids = lines["ids.txt"]
        known = None
        if file.manifest.preference:
            known = [int(row[-1]) + 128 for row in file.table]
        elif file.has("popularity.uint8"):
            known = list(file.data("popularity.uint8"))

        def folded(text):
            return fold(text, table)

        self.fold, self.known = folded, known
        self.names = lines["names.txt"]
        self.items = PlainIndex(self.ids, self.names, [(int(r), a) for r, a in aliases], known, folded)
        self.families = list(dict.fromkeys([*("=".join(line.split("\t")) for line in lines["vocabulary.tsv"])]))
        self.families = list(dict.fromkeys([*self.families, *(f"{a}={v}" for a, v, _ in others)]))
        named = [(family, family.split("=", 1)[1]) for family in self.families]
        named += [(f"{a}={v}", name) for a, v, name in others]
        self.named = [family for family, _ in named]
        sizes = [len(self.rows_of.get(family, ())) for family in self.named]
        self.index = PlainIndex(self.named, [name for _, name in named], [], sizes, folded)

    def find_families(self, text, limit):
        best = {}
        for place, score in self.index.find(text, 4 * limit):
            best.setdefault(self.named[place], score)
        return [(family, score) for family, score in list(best.items())[:limit] if self.rows_of.get(family)]

    def find(self, text, limit):
        found = [(self.ids[row], score) for row, score in self.items.find(text, limit)]
        for family, s in self.find_families(text, limit):
            less = s - 0.003 if s in (1, 0.95) else s - 0.0355 if s > 0.95 else min(s, 0.8999)
            found.append((family, rounded(less)))
        return sorted(found, key=lambda one: -one[1])[:limit]

    def resolve(self, text):
        """A row, an `attribute=value`, or None where nothing is surely meant."""
        row = self.items.row(text)
        if row is not None:
            return row
        place = self.index.row(text)
        if place is not None:
            return self.named[place]
        if "=" in text and text in self.rows_of:
            return text
        best = next(iter(self.find(text, 3)), None)
        if best is None or best[1] < 0.9:
            return None
        return best[0] if best[0] in self.rows_of else self.ids.index(best[0])

    def resolve_unwanted(self, text):
        found = self.resolve(text)
        if isinstance(found, int) and text != self.ids[found] and self.fold(text) != self.fold(self.names[found]):
            family = next(iter(self.find_families(text, 1)), None)
            if family and family[1] > 0.95:
                return family[0]
        return found


def place_family(file, family, rows):
    """The row of a family in a model of attributes, or the mean of its rows in one of what people like."""
    table = [[int(x) for x in row] for row in file.table]
    if file.manifest.preference:
        sums = [sum(table[row][c] for row in rows) for c in range(len(table[0]))]
        return [(2 * total + len(rows)) // (2 * len(rows)) for total in sums]
    lines = file.text("vocabulary.tsv").split("\n")[:-1]
    dims, line = file.manifest.dims, "\t".join(family.split("=", 1))
    if line in lines:
        data = file.data("vocabulary.int8")
        start = lines.index(line) * dims
        v = [x - 256 if x > 127 else x for x in data[start : start + dims]]
    else:
        v = [sum(table[row][c] for row in rows) for c in range(dims)]
    radius, length = 1 / file.manifest.scale, math.sqrt(sum(x * x for x in v))
    for i in range(250):
        s = 1 + i * (0.998 - 1)
        row = [max(-127, min(127, round(x / length * (s * radius)))) for x in v]
        if sum(x * x for x in row) <= radius * radius * (1 + 1e-9):
            break
    return row
