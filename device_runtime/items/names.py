"""Names as people type them: case, accents, plurals, word order, typos, missing spaces, beginnings and aliases.

`row` is exact. `find` takes the entries (names and aliases) that share the most grams with a text, then compares words
and letters. All is deterministic: whole numbers are counted, scores are rounded, and ties go to the lower row.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_ASCII_FOLDED = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))

_LONGEST = 64  # letters of a text that are looked at, so that edits fit in int8
_FAR = np.int8(99)
_CANDIDATES = 48
_BUCKETS = 1 << 15  # of grams; half of them for pairs, half for triples
_LEAST_SCORE = 0.4
_BELOW_EQUAL = 0.99
_EQUAL_BUT_FOR_PLURAL = 0.97
_SHARE_OF_GRAMS = 0.2
_ALIAS = 0.95

Codes = NDArray[np.uint32]
Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def fold(text: str) -> str:
    """`text` without case, accents and punctuation, its words separated by one space."""
    if text.isascii():  # the same, and ten times faster
        return " ".join(text.translate(_ASCII_FOLDED).split())
    decomposed = unicodedata.normalize("NFKD", text)  # before and after: a styled capital only then has a small form
    plain = unicodedata.normalize("NFKD", decomposed.casefold()).translate(_LETTERS_WITHOUT_DECOMPOSITION)
    kept = (c if c.isalnum() or unicodedata.category(c) == "Mc" else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


class NameIndex:
    """Finds rows by id, name or alias. What only some questions need is made when the first of them comes.

    Args:
        ids: of each row, or {id: row} where that is there already.
        names: one of each row.
        aliases: (row, alias) pairs, read when first needed.
    """

    def __init__(
        self, ids: Sequence[str] | Mapping[str, int], names: Sequence[str], aliases: Iterable[tuple[int, str]]
    ) -> None:
        self._row_of_id = ids if isinstance(ids, Mapping) else dict(zip(ids, range(len(ids)), strict=True))
        self._names = names
        self._unread = aliases

    def row(self, text: str) -> int | None:
        """The row with this id, name or alias: an id wins over a name, a name over an alias, equal over folded."""
        row = self._row_of_id.get(text)
        if row is None:
            row = self._row_of_name.get(text)
        if row is None:
            row = self._row_of_alias.get(text)
        return self._row_of_folded.get(fold(text)) if row is None else row

    def rows_by_kind(self, text: str, hidden: frozenset[int] = frozenset()) -> Iterator[int | None]:
        """What `text` finds as a name, as an alias and folded, in the order in which these win; none of `hidden`."""
        yield _visible(self._row_of_name, text, enumerate(self._names), hidden)
        yield _visible(self._row_of_alias, text, self.aliases, hidden)
        entries = self._entries
        yield _visible(self._row_of_folded, fold(text), zip(map(int, entries.rows), entries.texts, strict=True), hidden)

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Up to `limit` rows whose name or an alias is most like `text`, best first, and how like: above 0, up to 1.

        1 is kept for the row that `row` gives. Candidates share the most letter pairs, whatever the order of the two,
        and triples with `text`; pairs so counted outlive letters swapped. Candidates are ranked by how much of `text`
        is found in their words and of their words in `text`, where a word is compared by edits (Damerau, "A technique
        for computer detection and correction of spelling errors", 1964), as a beginning and without its plural; by
        edits between the two written in one word; and by the coefficient of their grams (Dice, "Measures of the amount
        of ecologic association between species", 1945).
        """
        return best_first(self.alike(text, limit), self.row(text), limit)

    def alike(self, text: str, limit: int, hidden: frozenset[int] = frozenset()) -> dict[int, float]:
        """The rows that resemble `text`, and how much, as for `find`; none of `hidden`."""
        best: dict[int, float] = {}
        folded = fold(text)[:_LONGEST].strip()
        if folded and self._entries.texts:
            for row, score in self._alike(folded, max(_CANDIDATES, 2 * limit), hidden):
                if score >= _LEAST_SCORE and score > best.get(row, 0):
                    best[row] = score
        return best

    def _alike(self, folded: str, count: int, hidden: frozenset[int]) -> Iterable[tuple[int, float]]:
        entries = self._entries
        passed_over = np.flatnonzero(np.isin(entries.rows, list(hidden))) if hidden else np.empty(0, np.int64)
        found, shared = self._grams.nearest(folded, count, passed_over)
        texts = [entries.texts[entry] for entry in found.tolist()]
        if not texts:
            return ()
        scores = np.maximum(_likeness_by_words(folded.split(), texts), _likeness_in_one_word(folded, texts))
        scores = np.maximum(scores, 0.9 * shared)
        scores = (1 - _SHARE_OF_GRAMS) * scores + _SHARE_OF_GRAMS * shared
        scores[found >= entries.first_alias] *= _ALIAS  # of two as like, the one that is called so is meant
        scores = np.minimum(scores, _BELOW_EQUAL).round(4)  # so that a tie is one on every processor
        return zip(entries.rows[found].tolist(), scores.tolist(), strict=True)

    @cached_property
    def aliases(self) -> list[tuple[int, str]]:
        """All (row, alias) pairs."""
        return list(self._unread)

    @cached_property
    def _row_of_name(self) -> dict[str, int]:
        return _first_of_each(self._names, range(len(self._names)))

    @cached_property
    def _row_of_alias(self) -> dict[str, int]:
        return _first_of_each([alias for _, alias in self.aliases], [row for row, _ in self.aliases])

    @cached_property
    def _row_of_folded(self) -> dict[str, int]:
        return _first_of_each(self._entries.texts, self._entries.rows.tolist())

    @cached_property
    def _entries(self) -> _Entries:
        names = [(row, text) for row, name in enumerate(self._names) if (text := fold(name))]
        aliases = [(row, text) for row, alias in self.aliases if (text := fold(alias))]
        rows, texts = zip(*names, *aliases, strict=True) if names or aliases else ((), ())
        return _Entries(np.array(rows, np.int32), texts, len(names))

    @cached_property
    def _grams(self) -> _Grams:
        return _Grams.of(self._entries.texts)


class _Entries(NamedTuple):
    """Folded names, then folded aliases, with the row of each."""

    rows: NDArray[np.int32]
    texts: Sequence[str]
    first_alias: int


class _Grams(NamedTuple):
    """Which entries have which grams: those of bucket b are `entries[starts[b] : starts[b + 1]]`, ascending."""

    entries: Ints
    starts: NDArray[np.int32]
    sizes: NDArray[np.int64]  # how many different grams an entry has

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Grams:
        pairs, triples = _buckets(_codes(f" {' '.join(texts)} "))
        lengths = np.array([len(text) + 1 for text in texts])
        number = np.uint16 if len(texts) <= 1 << 16 else np.int32
        owners: Ints = np.repeat(np.arange(len(texts), dtype=number), lengths)
        within = np.ones(len(triples), bool)
        within[np.cumsum(lengths)[:-1] - 1] = False  # these lead from one text into the next
        kinds = [_without_repeats(pairs, owners), _without_repeats(triples[within], owners[:-1][within])]
        sizes = [np.bincount(buckets, minlength=_BUCKETS) for buckets, _ in kinds]
        starts = np.concatenate([[0], np.cumsum(sizes[0] + sizes[1])]).astype(np.int32)
        entries = np.concatenate([entries for _, entries in kinds])
        return cls(entries, starts, np.bincount(entries, minlength=len(texts)))

    def nearest(self, folded: str, count: int, passed_over: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats]:
        """Up to `count` entries by the Dice coefficient of their grams and those of `folded`, and the coefficient."""
        asked = np.array(sorted({*np.concatenate(_buckets(_codes(f" {folded} "))).tolist()}))  # np.unique imports much
        ranges = zip(self.starts[asked].tolist(), self.starts[asked + 1].tolist(), strict=True)
        shared = np.bincount(np.concatenate([self.entries[a:b] for a, b in ranges]), minlength=len(self.sizes))
        shared[passed_over] = 0
        found = np.flatnonzero(shared > shared.max() // 4)  # the others are hardly ever among the nearest
        dice = 2 * shared[found] / (self.sizes[found] + len(asked))
        if len(found) > count:
            kept = np.flatnonzero(dice >= np.partition(dice, -count)[-count])
            kept = kept[np.argsort(-dice[kept], kind="stable")][:count]
            found, dice = found[kept], dice[kept]
        return found, dice


def best_first(scores: Mapping[int, float], exact: int | None, limit: int) -> list[tuple[int, float]]:
    """Rows and scores, best first and equal ones by row; `exact`, which is called just so, has the score 1."""
    best = dict(scores) if exact is None else {**scores, exact: 1.0}
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _visible(
    first: Mapping[str, int], text: str, entries: Iterable[tuple[int, str]], hidden: frozenset[int]
) -> int | None:
    row = first.get(text)
    if row is None or row not in hidden:
        return row
    return next((row for row, other in entries if other == text and row not in hidden), None)


def _first_of_each(texts: Sequence[str], rows: Sequence[int]) -> dict[str, int]:
    return dict(zip(reversed(texts), reversed(rows), strict=True))


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4")).astype(np.uint32)


def _buckets(codes: Codes) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """The buckets of the letter pairs, whatever the order of the two, and of the letter triples.

    Those of pairs come first. Grams that fall into one bucket count as one, which matters little to candidates.
    """
    first, second = codes[:-1], codes[1:]
    pairs = (first + second) * np.uint32(31337) + first * second * np.uint32(7919)
    triples = first[:-1] * np.uint32(31337) + second[:-1] * np.uint32(7919) + codes[2:] * np.uint32(104729)
    hashes = [(mixed * np.uint32(0x9E3779B1) >> np.uint32(18)).astype(np.uint16) for mixed in (pairs, triples)]
    return hashes[0], hashes[1] + np.uint16(_BUCKETS // 2)


def _without_repeats(buckets: NDArray[np.uint16], owners: Ints) -> tuple[NDArray[np.uint16], Ints]:
    """Both in order of the buckets, and each owner once in each."""
    order = np.argsort(buckets, kind="stable")
    buckets, owners = buckets[order], owners[order]
    new = np.ones(len(buckets), bool)
    new[1:] = (buckets[1:] != buckets[:-1]) | (owners[1:] != owners[:-1])
    return buckets[new], owners[new]


def _likeness_by_words(asked: Sequence[str], texts: Sequence[str]) -> Floats:
    """How much of `asked` is found in the words of each text and how much of them in `asked`: [texts], 0 to 1."""
    number_of: dict[str, int] = {}
    occurring: list[int] = []
    starts = []
    for text in texts:
        starts.append(len(occurring))
        occurring.extend(number_of.setdefault(word, len(number_of)) for word in text.split())
    words, numbers = list(number_of), np.array(occurring)
    alike = _likeness_of_words(asked, words)
    asked_weights = np.array([[len(word) + 1] for word in asked])
    weights = np.array([len(word) + 1 for word in words])
    best = np.maximum.reduceat(alike[:, numbers], starts, axis=1)
    found = (asked_weights * best).sum(axis=0) / asked_weights.sum()
    covered = np.add.reduceat((weights * alike.max(axis=0))[numbers], starts)
    covered = covered / np.add.reduceat(weights[numbers], starts)
    return np.maximum(found * (0.6 + 0.4 * covered), 0.75 * covered * (0.6 + 0.4 * found))


def _likeness_of_words(asked: Sequence[str], words: Sequence[str]) -> Floats:
    """How like each word is to each one asked for, in full, as one begun, or but for its plural: [asked, words]."""
    lengths = np.array([len(word) for word in words])
    asked_lengths = np.array([[len(word)] for word in asked])
    distances = _distances_to_beginnings(asked, words, int(asked_lengths.max()) + 3)
    longer = np.maximum(lengths, asked_lengths)
    edits = _distances(distances, lengths)
    whole = np.where(edits <= np.where(longer < 4, 1, np.where(longer < 8, 2, 3)), 1 - edits / longer, 0)
    within = np.arange(len(distances))[:, None, None] <= lengths
    edits = np.where(within, distances, _FAR).min(axis=0)
    begun = (1 - edits / asked_lengths) * (0.75 + 0.25 * np.minimum(1, asked_lengths / lengths))
    alike = np.maximum(whole, np.where(edits <= asked_lengths // 4, begun, 0))
    stems = np.array([_stem(word) for word in words])
    same = np.array([[_stem(word)] for word in asked]) == stems
    return np.where(same, np.maximum(alike, _EQUAL_BUT_FOR_PLURAL), alike)


def _likeness_in_one_word(folded: str, texts: Sequence[str]) -> Floats:
    """How like the texts are to `folded` when nothing stands between words: [texts], 0 to 1."""
    asked = folded.replace(" ", "")
    words = [text.replace(" ", "") for text in texts]
    lengths = np.array([len(word) for word in words])
    edits = _distances(_distances_to_beginnings([asked], words, len(asked) + 6), lengths)[0]
    return np.maximum(0, 1 - edits / np.maximum(lengths, len(asked)))


def _stem(word: str) -> str:
    """What the singular and the plural of most English and French words share: berries, berry; crepes, crepe."""
    if len(word) > 3 and word[-1] in "sx" and word[-2] != "s":
        word = word[:-1]
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word[-1] == "y" else word


def _distances(to_beginnings: NDArray[np.int8], lengths: Ints) -> Ints:
    """Edits to the whole words, of these lengths: each letter that was cut off is one more. [asked, words]."""
    compared = np.minimum(lengths, len(to_beginnings) - 1)
    return to_beginnings[compared, :, np.arange(len(lengths))].T + (lengths - compared)


def _distances_to_beginnings(asked: Sequence[str], words: Sequence[str], longest: int) -> NDArray[np.int8]:
    """Edits from each text asked for to each beginning of each word: [1 + letters of the longest word, asked, words].

    An edit inserts, deletes or replaces a letter or swaps two neighbors (Damerau, 1964; the table is that of Wagner and
    Fischer, "The string-to-string correction problem", 1974). Words are cut after `longest` letters. The tables of all
    pairs are filled together, a letter of `asked` at a time. They hold distances less the length of the beginning:
    then the best insertions before a place are a running minimum.
    """
    letters = _letters(words, min(longest, max(map(len, words))))[:, None, :]
    table = np.zeros((len(letters) + 1, len(asked), len(words)), np.int8)
    before, matched, result = table, np.zeros(0, bool), np.empty_like(table)
    for place, letter in enumerate(_letters(asked, max(map(len, asked)))[:, :, None]):
        matches = letters == letter
        new = table + np.int8(1)
        np.minimum(new[1:], table[:-1] - matches, out=new[1:])
        if place:
            swapped = np.where(matches[:-1] & matched[1:], before[:-2] - np.int8(1), _FAR)
            np.minimum(new[2:], swapped, out=new[2:])
        np.minimum.accumulate(new, axis=0, out=new)
        before, table, matched = table, new, matches
        for index, word in enumerate(asked):
            if len(word) == place + 1:
                result[:, index] = table[:, index]
    return result + np.arange(len(result), dtype=np.int8)[:, None, None]


def _letters(words: Sequence[str], longest: int) -> Codes:
    """The codes of the letters of the words, 0 after their ends: [longest, words]."""
    padded = "".join(word[:longest].ljust(longest, "\0") for word in words)
    return np.ascontiguousarray(_codes(padded).reshape(len(words), longest).T)
