"""Names as people type them: case, accents, plurals, word order, typos, missing spaces, beginnings and aliases.

`row` is exact. `find` takes the entries (names and aliases) that share the most grams with a text, then compares words
and letters. All is deterministic: whole numbers are counted, scores are rounded, and ties go to the better known item,
then to the lower row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.folding import UNICODE, Folding
from device_runtime.items.fuzzy import LONGEST, score_texts, without_small_words
from device_runtime.items.name_table import NameTable

_CANDIDATES = 48  # entries compared by words and letters, at least; more than that seldom holds a better one
_LEAST_OF_BEST = 0.5  # what is half as alike as the best is noise beside it
_LEAST_SCORE = 0.4  # what is less alike is noise
_BEGUN_NAME, _BEGUN_WORD, _BEGUN_ALIAS = 0.88, 0.84, 0.8  # above most of what is only alike, and not sure
_SUGGESTED, _SHOWN = 3, 10
_LEAST_TO_SUGGEST = 0.5


class NameIndex:
    """Finds rows by id, name or alias. What only some questions need is made when the first of them comes.

    Args:
        ids: of each row, or {id: row} where that is there already.
        names: one of each row.
        aliases: (row, alias) pairs, gone through when first needed, and again where two names fold alike.
        popularity: [rows], which of two equally like items comes first: the greater; None for the lower row.
        folding: gives how names and what is typed are folded; asked when first needed.
    """

    def __init__(
        self,
        ids: Sequence[str] | Mapping[str, int],
        names: Sequence[str],
        aliases: Iterable[tuple[int, str]],
        popularity: NDArray[np.integer[Any]] | None = None,
        folding: Callable[[], Folding] = lambda: UNICODE,
    ) -> None:
        self._row_of_id = ids if isinstance(ids, Mapping) else dict(zip(ids, range(len(ids)), strict=True))
        self._names = names
        self.aliases = aliases
        self._popularity = popularity
        self._give_folding = folding

    def row(self, text: str) -> int | None:
        """The row with this id, name or alias: an id wins over a name, a name over an alias, equal over folded."""
        row = self._row_of_id.get(text)
        if (
            row is None and "_table" in vars(self) and (folded := self.fold(text))
        ):  # then this is sooner than to go through all
            rows = {*self._table.rows[self._table.equal(folded)].tolist()}
            if len(rows) < 2:
                return next(iter(rows), None)
        return next((row for row in self.rows_by_kind(text) if row is not None), None) if row is None else row

    def rows_by_kind(self, text: str, hidden: frozenset[int] = frozenset()) -> Iterator[int | None]:
        """What `text` finds as a name, as an alias and folded, in the order in which these win; none of `hidden`."""
        yield self._first(row for row in _rows_named(self._names, text) if row not in hidden)
        yield self._first(row for row in _rows_called(self.aliases, text) if row not in hidden)
        entries = self._table.equal(self.fold(text))
        rows = [row for row in self._table.rows[entries].tolist() if row not in hidden]
        names = [entry for entry in entries if entry < self._table.first_alias]
        yield self._first(row for row in self._table.rows[names].tolist() if row not in hidden) if names else None
        yield self._first(rows)

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Up to `limit` rows whose name or an alias is most like `text`, best first, and how like: above 0, up to 1.

        1 is kept for the row that `row` gives; `fuzzy` says what other scores mean. Candidates share the most letter
        pairs, whatever the order of the two, and triples with `text`; pairs so counted outlive letters swapped.
        Candidates are ranked by how much of `text` is found in their words and of their words in `text`, where a word
        is compared by edits (Damerau, "A technique for computer detection and correction of spelling errors", 1964), as
        a beginning and without its plural; by edits between the two written in one word; and by the coefficient of
        their grams (Dice, "Measures of the amount of ecologic association between species", 1945).
        """
        alike = self.alike(text, limit)
        return self.best_first(alike, self.row(text), limit)

    def alike(self, text: str, limit: int, hidden: frozenset[int] = frozenset()) -> dict[int, float]:
        """The rows that resemble `text`, and how much, as for `find`; none of `hidden`."""
        table = self._table
        folded = self.fold(text)[:LONGEST].strip()
        if not folded or not len(table):
            return {}
        passed_over = np.flatnonzero(np.isin(table.rows, list(hidden))) if hidden else np.empty(0, np.int64)
        found, shared = table.nearest(without_small_words(folded), max(_CANDIDATES, 2 * limit), passed_over)
        if not len(found):
            return {}
        texts, rows = list(map(table.text, found.tolist())), table.rows[found].tolist()
        scores = score_texts(folded, texts, rows, shared, found >= table.first_alias)
        best: dict[int, float] = {}
        for row, score in zip(rows, scores.tolist(), strict=True):
            if score >= _LEAST_SCORE and score > best.get(row, 0):
                best[row] = score
        return best

    def begun(self, text: str, hidden: frozenset[int] = frozenset()) -> dict[int, float]:
        """Rows of which a word of the name or an alias begins with `text`, scored by which; none of `hidden`."""
        folded, table = self.fold(text)[:LONGEST].strip(), self._table
        best: dict[int, float] = {}
        for entry, is_first in table.begun(folded) if folded and len(table) else ():
            row = int(table.rows[entry])
            score = _BEGUN_ALIAS if entry >= table.first_alias else _BEGUN_NAME if is_first else _BEGUN_WORD
            if row not in hidden and score > best.get(row, 0):
                best[row] = score
        return best

    def best_first(self, scores: Mapping[int, float], exact: int | None, limit: int) -> list[tuple[int, float]]:
        """Rows and scores, best first, equal ones by popularity and row; `exact`, called just so, has the score 1."""
        best = dict(scores) if exact is None else {**scores, exact: 1.0}
        least = _LEAST_OF_BEST * max(best.values(), default=0)
        best = {row: score for row, score in best.items() if score >= least}
        return sorted(best.items(), key=lambda item: (-item[1], *self._order(item[0])))[:limit]

    def _first(self, rows: Iterable[int]) -> int | None:
        return min(rows, key=self._order, default=None)

    def _order(self, row: int) -> tuple[int, int]:
        known = self._popularity is not None and row < len(self._popularity)  # items added on the device are not
        return (-int(self._popularity[row]) if known else 0, row)  # type: ignore[index]

    def fold(self, text: str) -> str:
        """`text` as names are compared."""
        return self._folding.fold(text)

    @cached_property
    def _folding(self) -> Folding:
        return self._give_folding()

    @cached_property
    def _table(self) -> NameTable:
        return NameTable(self._names, self.aliases, self._folding)


def same_but_for_case(text: str, known: Collection[str]) -> str | None:
    """The one of `known` that is `text`, or else the first that is it but for case and spaces around it."""
    if text in known:
        return text
    plain = text.strip().casefold()
    return next((name for name in known if name.casefold() == plain), None)


def most_like(asked: str, known: Iterable[str]) -> list[str]:
    """Up to three of `known`, the best first, that `asked` may stand for."""
    names = list(known)
    found = NameIndex(names, names, ()).find(asked, _SUGGESTED)
    return [names[row] for row, score in found if score >= _LEAST_TO_SUGGEST]


def some_of(known: Iterable[str], asked: str) -> str:
    """Those of `known` most like `asked`, or else the first few there are, for a message."""
    if like := most_like(asked, known):
        return f"did you mean {', '.join(like)}?"
    return f"there are {listed(sorted(known))}"


def listed(names: Sequence[str]) -> str:
    """The first few of `names`, for a message."""
    return f"{', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}" or "none"


def _rows_named(names: Sequence[str], text: str) -> Iterator[int]:
    """The rows of just this name, in order."""
    start = 0
    while True:
        try:
            row = names.index(text, start)
        except ValueError:
            return
        yield row
        start = row + 1


def _rows_called(aliases: Iterable[tuple[int, str]], text: str) -> Iterable[int]:
    """The rows with just this alias, in order; a source may know a faster way than going through all."""
    rows_of: Callable[[str], Iterable[int]] | None = getattr(aliases, "rows_of", None)
    return (row for row, alias in aliases if alias == text) if rows_of is None else rows_of(text)
