"""Names as people type them: case, accents, aliases and small typos."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_LEAST_SCORE = 0.2


def fold(text: str) -> str:
    """`text` without case, accents and punctuation, its words separated by one space."""
    decomposed = unicodedata.normalize("NFKD", text)  # before and after: a styled capital only then has a small form
    plain = unicodedata.normalize("NFKD", decomposed.casefold()).translate(_LETTERS_WITHOUT_DECOMPOSITION)
    kept = (c if c.isalnum() or unicodedata.category(c) == "Mc" else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


class NameIndex:
    """Finds rows by id, name or alias.

    Args:
        ids, names: one of each row.
        aliases: (row, alias) pairs.
    """

    def __init__(self, ids: Sequence[str], names: Sequence[str], aliases: Iterable[tuple[int, str]]) -> None:
        self._ids = {item: row for row, item in enumerate(ids)}
        self._exactly: dict[str, int] = {}
        self._row_of: dict[str, int] = {}
        for row, name in [*enumerate(names), *aliases]:
            self._exactly.setdefault(name, row)
            if folded := fold(name):
                self._row_of.setdefault(folded, row)

    def row(self, text: str) -> int | None:
        """The row with this id, name or alias: an id wins over a name, a name over an alias, equal over folded."""
        for known, asked in ((self._ids, text), (self._exactly, text), (self._row_of, fold(text))):
            if asked in known:
                return known[asked]
        return None

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Up to `limit` rows whose names or aliases share the most letter triples with `text`, and their likeness.

        The likeness is the Dice coefficient of the two sets of triples; 1 is kept for an equal name.
        """
        best: dict[int, float] = {}
        exact = self.row(text)
        if exact is not None:
            best[exact] = 1.0
        asked = _triples(fold(text))
        shared = Counter(entry for triple in asked for entry in self._entries_with.get(triple, ()))
        for entry, count in shared.items():
            row, size = self._entries[entry]
            score = min(0.99, 2 * count / (len(asked) + size))
            if score >= _LEAST_SCORE and score > best.get(row, 0):
                best[row] = score
        return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]

    @cached_property
    def _entries(self) -> list[tuple[int, int]]:
        return [(row, len(_triples(name))) for name, row in self._row_of.items()]

    @cached_property
    def _entries_with(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for entry, name in enumerate(self._row_of):
            for triple in _triples(name):
                index.setdefault(triple, []).append(entry)
        return index


def _triples(folded: str) -> set[str]:
    padded = f" {folded} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}
