"""How like a text somebody typed is to names: the same but for small things, a slip of the finger away, or only alike.

A score means the same for short and long names:

    1              the name itself, whatever its case and accents
    0.96 to 0.99   the same but for a plural, the order of words, an article, or where words are split
    0.90 to 0.95   a spelling away: one letter wrong, missing, doubled or swapped in five or more, two in nine or more
    below 0.90     only alike

From `SURE` on what was meant is sure. Below it, the score is `SURE` times a likeness of words, letters and grams.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.folding import Codes, encode

SURE = 0.9
SAME, SAME_IN_ONE_WORD, ONE_EDIT, TWO_EDITS = 0.99, 0.97, 0.95, 0.92
AN_ALIAS = 0.01  # how much less an alias counts than a name of the same level: that is what the item is called
_LEAST_TO_LOOK_CLOSER = 0.45  # likeness; what is a spelling away has more
UNSURE = 0.8999  # the most that what is only alike can reach
_LETTERS_FOR_ONE_EDIT, _LETTERS_FOR_TWO = 5, 9
LONGEST = 64  # letters of a text that are looked at, so that edits fit in int8
_FLOOR = 0.6  # of a likeness by words where the other direction finds nothing
_WITHIN = 0.75  # where all words of a text are found in a longer one that was asked for
_MOST_TYPOS = 3  # in a word
_LETTERS_TO_A_TYPO = 4  # in a word that was begun
_BEGUN = 0.75  # where a word was begun and most of it is left out
_LEAST_BY_GRAMS = 0.9  # of their coefficient: what shares nearly all grams is alike however it is spelled
_BEGUN_NAME = 0.9  # likeness of a name of which the beginning was typed, and more for most of it
_LETTERS_OF_A_NAME = 3  # at least: what is left of a name without its small words
_FAR = np.int8(99)  # more edits than there can be
_EQUAL_BUT_FOR_PLURAL = 0.97
_SHARE_OF_GRAMS = 0.2
_ALIAS = 0.95
_ARTICLES_AND_THE_LIKE = (
    "the a an some and with of n le la les l un une des du de d et aux au el los las una unos unas y con der die das "
    "den dem ein eine einen und mit il lo gli i uno e dei degli delle o os as um uma uns umas com"
)  # in the languages that the catalog has names in; no name consists of these alone
_SMALL_WORDS = frozenset(_ARTICLES_AND_THE_LIKE.split())

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def without_small_words(folded: str) -> str:
    """`folded` without articles and the like, or as it is where hardly anything else is left."""
    rest = " ".join(word for word in folded.split() if word not in _SMALL_WORDS)
    return rest if len(rest) >= _LETTERS_OF_A_NAME else folded


def score_texts(
    typed: str, texts: Sequence[str], rows: Sequence[int], shared: Floats, alias: NDArray[np.bool_]
) -> Floats:
    """How like `typed` is to each of `texts`, as the module describes: [texts]. All are folded.

    Args:
        rows: what each text is a name of.
        shared: the Dice coefficient of the grams of each text.
        alias: which of the texts are aliases.
    """
    folded = without_small_words(typed)
    edits, letters = _edits_in_one_word(folded, texts)
    together = typed.replace(" ", "")
    edits[np.array([text.replace(" ", "") == together for text in texts], bool)] = 0  # with its small words
    in_one_word = np.maximum(0, 1 - edits / np.maximum(1, np.maximum(letters + edits, letters)))
    likeness = np.maximum(_likeness_by_words(folded.split(), texts), in_one_word)
    begun = np.array([len(together) / len(text) * text.startswith(typed) for text in texts])
    likeness = np.maximum(likeness, np.where(begun > 0, _BEGUN_NAME + (1 - _BEGUN_NAME) * begun, 0))
    likeness = np.maximum(likeness, _LEAST_BY_GRAMS * shared)
    likeness = (1 - _SHARE_OF_GRAMS) * likeness + _SHARE_OF_GRAMS * shared
    likeness[alias] *= _ALIAS  # of two as like, the one that is called so is meant
    near = np.flatnonzero(likeness > _LEAST_TO_LOOK_CLOSER).tolist()
    levels = np.zeros(len(texts))
    levels[near] = _levels(
        folded, [texts[place] for place in near], [rows[place] for place in near], edits[near], letters[near]
    )
    sure = levels - AN_ALIAS * alias
    scores = np.where(levels > 0, sure, np.minimum(SURE * likeness, UNSURE))
    return scores.round(4)  # so that a tie is one on every processor


def _levels(folded: str, texts: Sequence[str], rows: Sequence[int], edits: Ints, letters: Ints) -> Floats:
    """`SAME` and the like of each text, 0 where it is only alike: [texts]."""
    asked = _stems(folded)
    begun = folded.replace(" ", "")
    stems = [_stems(text) for text in texts]
    levels = np.where(edits == 0, SAME_IN_ONE_WORD, 0.0)
    one = (edits == 1) & (letters >= _LETTERS_FOR_ONE_EDIT)
    two = (edits == 2) & (letters >= _LETTERS_FOR_TWO)
    levels[one], levels[two] = ONE_EDIT, TWO_EDITS
    same = np.array([other == asked for other in stems], bool)
    levels[same] = SAME
    near = (levels > 0) & (levels < SAME_IN_ONE_WORD)
    own = {row for row, is_near in zip(rows, near.tolist(), strict=True) if is_near}
    longer = (
        row not in own and ({*asked} <= {*other} or text.replace(" ", "").startswith(begun))
        for row, other, text in zip(rows, stems, texts, strict=True)
    )
    if own and not same.any() and any(longer):  # what was typed may be the beginning or a part of another name
        levels[near] = 0
    return _without_rivals(levels, texts, rows)


def _without_rivals(levels: Floats, texts: Sequence[str], rows: Sequence[int]) -> Floats:
    """Names of two items as near in spelling, and not the same: neither is sure."""
    best = levels.max(initial=0)
    if 0 < best < SAME_IN_ONE_WORD:
        rivals = [(text, row) for text, row, level in zip(texts, rows, levels, strict=True) if level == best]
        if len({text for text, _ in rivals}) > 1 and len({row for _, row in rivals}) > 1:
            levels = np.where(levels < SAME_IN_ONE_WORD, 0.0, levels)
    return levels


def _stems(text: str) -> list[str]:
    return sorted(stem(word) for word in without_small_words(text).split())


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
    found = np.zeros(len(texts))
    for of_one in asked_weights * best:  # in order, as readers in other languages add
        found += of_one
    found /= asked_weights.sum()
    owners = np.repeat(np.arange(len(texts)), np.diff([*starts, len(occurring)]))
    covered = np.bincount(owners, (weights * alike.max(axis=0))[numbers]).astype(np.float64)  # in order, too
    covered /= np.bincount(owners, weights[numbers])
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


def _edits_in_one_word(folded: str, texts: Sequence[str]) -> tuple[Ints, Ints]:
    """Edits from `folded` to each text when nothing stands between words, and letters of the shorter: [texts] each."""
    asked = folded.replace(" ", "")
    words = [without_small_words(text).replace(" ", "") for text in texts]
    lengths = np.array([len(word) for word in words])
    edits = edits_to_words(edits_to_beginnings([asked], words, len(asked) + 2 * _MOST_TYPOS), lengths)[0]
    if len(asked) >= _LETTERS_FOR_ONE_EDIT:
        asked_stem = stem(asked)
        edits[np.array([stem(word) == asked_stem for word in words], bool)] = 0  # hotdogs, hot dog
    return edits, np.minimum(lengths, len(asked))


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
    return np.ascontiguousarray(encode(padded).reshape(len(words), longest).T)
