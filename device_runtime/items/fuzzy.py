"""How like texts are: by the pairs and triples of letters that they share, by words, and by edits of letters.

Texts are folded before. All weights and thresholds were tuned on 501 names as people type them
(tests/device_runtime/items/names_as_typed.csv) and asked once on 172 others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 64  # letters of a text that are looked at, so that edits fit in int8
_FAR = np.int8(99)  # more edits than there can be
_BUCKETS = 1 << 15  # of grams; half of them for pairs, half for triples
_SHARE_OF_GRAMS = 0.2  # in a score; the rest is by words, or in one word
_LEAST_BY_GRAMS = 0.9  # of their coefficient: what shares nearly all grams is alike however it is spelled
_EQUAL_BUT_FOR_PLURAL = 0.97
_FLOOR = 0.6  # of a likeness by words where the other direction finds nothing
_WITHIN = 0.75  # where all words of a text are found in a longer one that was asked for
_MOST_TYPOS = 3  # in a word
_LETTERS_TO_A_TYPO = 4  # in a word that was begun
_FEW_SHARED = 4  # entries with a fourth of the grams that the best shares are hardly ever among the nearest
_BEGUN = 0.75  # where a word was begun and most of it is left out

Codes = NDArray[np.uint32]
Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


class Grams(NamedTuple):
    """Which entries have which grams: those of bucket b are `entries[starts[b] : starts[b + 1]]`, ascending."""

    entries: Ints
    starts: NDArray[np.int32]
    sizes: NDArray[np.int64]  # how many different grams an entry has

    @classmethod
    def of(cls, texts: Sequence[str]) -> Grams:
        """Those of some texts, by their position."""
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
        found = np.flatnonzero(shared > shared.max() // _FEW_SHARED)
        dice = 2 * shared[found] / (self.sizes[found] + len(asked))
        if len(found) > count:
            kept = np.flatnonzero(dice >= np.partition(dice, -count)[-count])
            kept = kept[np.argsort(-dice[kept], kind="stable")][:count]
            found, dice = found[kept], dice[kept]
        return found, dice


def likeness(folded: str, texts: Sequence[str], shared: Floats) -> Floats:
    """How like each text is to `folded`: [texts], 0 to 1.

    Args:
        shared: the coefficient of their grams.
    """
    scores = np.maximum(_likeness_by_words(folded.split(), texts), _likeness_in_one_word(folded, texts))
    scores = np.maximum(scores, _LEAST_BY_GRAMS * shared)
    return (1 - _SHARE_OF_GRAMS) * scores + _SHARE_OF_GRAMS * shared


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
    return np.maximum(found * (_FLOOR + (1 - _FLOOR) * covered), _WITHIN * covered * (_FLOOR + (1 - _FLOOR) * found))


def _likeness_of_words(asked: Sequence[str], words: Sequence[str]) -> Floats:
    """How like each word is to each one asked for, in full, as one begun, or but for its plural: [asked, words]."""
    lengths = np.array([len(word) for word in words])
    asked_lengths = np.array([[len(word)] for word in asked])
    distances = edits_to_beginnings(asked, words, int(asked_lengths.max()) + _MOST_TYPOS)
    longer = np.maximum(lengths, asked_lengths)
    edits = edits_to_words(distances, lengths)
    typos = np.where(longer < 4, 1, np.where(longer < 8, 2, 3))  # as many as still look like the word
    whole = np.where(edits <= typos, 1 - edits / longer, 0)
    within = np.arange(len(distances))[:, None, None] <= lengths
    edits = np.where(within, distances, _FAR).min(axis=0)
    begun = (1 - edits / asked_lengths) * (_BEGUN + (1 - _BEGUN) * np.minimum(1, asked_lengths / lengths))
    alike = np.maximum(whole, np.where(edits <= asked_lengths // _LETTERS_TO_A_TYPO, begun, 0))
    stems = np.array([stem(word) for word in words])
    same = np.array([[stem(word)] for word in asked]) == stems
    return np.where(same, np.maximum(alike, _EQUAL_BUT_FOR_PLURAL), alike)


def _likeness_in_one_word(folded: str, texts: Sequence[str]) -> Floats:
    """How like the texts are to `folded` when nothing stands between words: [texts], 0 to 1."""
    asked = folded.replace(" ", "")
    words = [text.replace(" ", "") for text in texts]
    lengths = np.array([len(word) for word in words])
    edits = edits_to_words(edits_to_beginnings([asked], words, len(asked) + 2 * _MOST_TYPOS), lengths)[0]
    return np.maximum(0, 1 - edits / np.maximum(lengths, len(asked)))


def stem(word: str) -> str:
    """What the singular and the plural of most English and French words share: berries, berry; crepes, crepe."""
    if len(word) > 3 and word[-1] in "sx" and word[-2] != "s":
        word = word[:-1]
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word[-1] == "y" else word


def edits_to_words(to_beginnings: NDArray[np.int8], lengths: Ints) -> Ints:
    """Edits to the whole words, of these lengths: each letter that was cut off is one more. [asked, words]."""
    compared = np.minimum(lengths, len(to_beginnings) - 1)
    return to_beginnings[compared, :, np.arange(len(lengths))].T + (lengths - compared)


def edits_to_beginnings(asked: Sequence[str], words: Sequence[str], longest: int) -> NDArray[np.int8]:
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
