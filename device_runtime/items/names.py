"""Names as people type them: case, accents, plurals, word order, typos, missing spaces, beginnings and aliases.

`row` is exact. `find` takes the entries (names and aliases) that share the most grams with a text, then compares words
and letters. All is deterministic: whole numbers are counted, scores are rounded, and ties go to the lower row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.folding import fold
from device_runtime.items.fuzzy import LONGEST, Grams, likeness

_CANDIDATES = 48  # entries compared by words and letters, at least; more than that seldom holds a better one
_LEAST_SCORE = 0.4  # what is less alike is noise
_BELOW_EQUAL = 0.99  # the most that what is not equal can have
_ALIAS = 0.95  # of two as like, the one that is called so is meant


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
        folded = fold(text)[:LONGEST].strip()
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
        scores = likeness(folded, texts, shared)
        scores[found >= entries.first_alias] *= _ALIAS
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
    def _grams(self) -> Grams:
        return Grams.of(self._entries.texts)


class _Entries(NamedTuple):
    """Folded names, then folded aliases, with the row of each."""

    rows: NDArray[np.int32]
    texts: Sequence[str]
    first_alias: int


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
