"""All names and aliases, folded, in a few arrays: a text in the bytes of its letters and two bytes for each gram.

Python's own strings and dicts would take five times as much for the names of a catalog in six languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.folding import LINE_BREAK, Codes, Folding, encode

_SPACE = 32
_HASH_FACTOR = 0x01000193  # that of the FNV hash, odd and without a pattern; its powers tell places apart
_BUCKETS = 1 << 15  # of grams; half of them for pairs, half for triples
_BLOCK = 16  # entries of which only the first one's place is kept, and the widths of all
_MOST_BEGUN = 10_000
_SMALL = 1 << 16  # entries and rows of a catalog below it are numbered by two bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


class NameTable:
    """Folded names, then folded aliases; what folds to nothing is left out.

    Args:
        names: one of each row.
        aliases: (row, alias) pairs.
        folding: how both are folded.

    Attributes:
        rows: the row of each entry.
        first_alias: the number of entries that are names.
    """

    def __init__(self, names: Sequence[str], aliases: Iterable[tuple[int, str]], folding: Folding) -> None:
        alias_rows, alias_texts = _columns(aliases)
        rows = np.concatenate([np.arange(len(names)), np.array(alias_rows, np.int64)])
        codes = folding.fold_lines("".join(f"{_one_line(text)}\n" for texts in (names, alias_texts) for text in texts))
        starts, ends = _lines_of(codes)
        filled = ends > starts
        codes = _without(codes, ends[~filled])
        starts, ends = _lines_of(codes)
        self.first_alias = int(filled[: len(names)].sum())
        self.rows = rows[filled].astype(np.uint16 if len(names) < _SMALL else np.int32)
        self._number = np.uint16 if len(starts) < _SMALL else np.int32
        self._store_texts(codes, starts)
        self._store_hashes(codes, starts, ends)
        self._store_grams(codes, ends + 1 - starts)

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, entry: int) -> str:
        """The folded text of an entry."""
        block = entry // _BLOCK
        start = int(self._blocks[block]) + sum(self._widths[block * _BLOCK : entry].tolist())
        return self._texts[start : start + int(self._widths[entry]) - 1].decode("utf-8", "surrogatepass")

    def equal(self, folded: str) -> list[int]:
        """The entries with just this folded text, in order."""
        if not folded or not len(self):
            return []
        letters = encode(folded)
        wanted = np.add.reduce(letters * _powers(len(letters)), dtype=np.uint32).astype(np.uint16)
        first = int(np.searchsorted(self._hashes, wanted))
        last = int(np.searchsorted(self._hashes, wanted, "right"))
        return sorted(entry for entry in self._by_hash[first:last].tolist() if self.text(entry) == folded)

    def begun(self, folded: str) -> list[tuple[int, bool]]:
        """Entries with a word that begins with `folded`, in order, and whether it is their first; the first 10,000."""
        found = (
            match.start() for match in re.finditer(re.escape(folded.encode("utf-8", "surrogatepass")), self._texts)
        )
        places = list(islice((place for place in found if self._texts[place - 1] in b"\n "), _MOST_BEGUN))
        starts = np.append(0, np.cumsum(self._widths, dtype=np.int64))
        entries = np.searchsorted(starts, places, "right") - 1
        return list(zip(entries.tolist(), (starts[entries] == places).tolist(), strict=True))

    def nearest(self, folded: str, count: int, passed_over: Ints) -> tuple[NDArray[np.int64], Floats]:
        """Up to `count` entries by the Dice coefficient of their grams and those of `folded`, and the coefficient."""
        asked = np.array(sorted({*np.concatenate(_buckets(encode(f" {folded} "))).tolist()}))  # np.unique imports much
        ends = np.cumsum(self._counts, dtype=np.int64)  # not kept: places take more room than counts
        ranges = zip((ends[asked] - self._counts[asked]).tolist(), ends[asked].tolist(), strict=True)
        shared = np.bincount(np.concatenate([self._grams[a:b] for a, b in ranges]), minlength=len(self))
        shared[passed_over] = 0
        found = np.flatnonzero(shared > shared.max() // 4)  # the others are hardly ever among the nearest
        dice = 2 * shared[found] / (self._sizes[found].astype(np.int64) + len(asked))
        if len(found) > count:
            kept = np.flatnonzero(dice >= np.partition(dice, -count)[-count])
            kept = kept[np.argsort(-dice[kept], kind="stable")][:count]
            found, dice = found[kept], dice[kept]
        return found, dice

    def _store_texts(self, codes: Codes, starts: Ints) -> None:
        letters = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        self._texts = letters.encode("utf-8", "surrogatepass")
        widths = np.ones(len(codes), np.int64)
        for least in (0x80, 0x800, 0x10000):  # of the letters that take one more byte in UTF-8
            widths += codes >= least
        widths = np.add.reduceat(widths, starts) if len(starts) else widths
        self._widths: Ints = widths.astype(np.uint8 if widths.max(initial=0) < 256 else np.int32)
        self._blocks = np.append(0, np.cumsum(widths))[::_BLOCK].astype(np.int32)

    def _store_hashes(self, codes: Codes, starts: Ints, ends: Ints) -> None:
        places = np.arange(len(codes)) - np.repeat(starts, ends + 1 - starts)
        terms = codes * _powers(int(places.max(initial=0)) + 1)[places]
        terms[ends] = 0
        hashes = (np.add.reduceat(terms, starts, dtype=np.uint32) if len(starts) else terms).astype(np.uint16)
        order = np.argsort(hashes, kind="stable")
        self._by_hash, self._hashes = order.astype(self._number), hashes[order]

    def _store_grams(self, codes: Codes, lengths: Ints) -> None:
        """Which entries have which grams: in `_grams` those of one bucket after the other, `_counts` of them."""
        flat = np.append(np.uint32(LINE_BREAK), codes)
        flat[flat == LINE_BREAK] = _SPACE
        pairs, triples = _buckets(flat)
        owners: Ints = np.repeat(np.arange(len(lengths), dtype=self._number), lengths)
        within = np.ones(len(triples), bool)
        within[np.cumsum(lengths)[:-1] - 1] = False  # these lead from one text into the next
        kinds = [_without_repeats(pairs, owners), _without_repeats(triples[within], owners[:-1][within])]
        counts: Ints = np.bincount(np.concatenate([buckets for buckets, _ in kinds]), minlength=_BUCKETS)
        self._counts: Ints = counts.astype(np.uint16 if counts.max(initial=0) < _SMALL else np.int32)
        self._grams = np.concatenate([entries for _, entries in kinds])
        sizes = np.bincount(self._grams, minlength=len(lengths))
        self._sizes: Ints = sizes.astype(np.uint8 if sizes.max(initial=0) < 256 else np.int32)


def _columns(pairs: Iterable[tuple[int, str]]) -> tuple[list[int], list[str]]:
    rows, texts = [], []
    for row, text in pairs:
        rows.append(row)
        texts.append(text)
    return rows, texts


def _one_line(text: str) -> str:
    return text.replace("\n", " ") if "\n" in text else text


def _lines_of(codes: Codes) -> tuple[Ints, Ints]:
    """Where each line starts, and where its line break is."""
    ends = np.flatnonzero(codes == LINE_BREAK)
    return np.append(0, ends[:-1] + 1)[: len(ends)], ends


def _without(codes: Codes, places: Ints) -> Codes:
    if not len(places):
        return codes
    kept = np.ones(len(codes), bool)
    kept[places] = False
    return codes[kept]


def _powers(count: int) -> Codes:
    with np.errstate(over="ignore"):
        return np.cumprod(np.full(count, _HASH_FACTOR, np.uint32), dtype=np.uint32)


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
