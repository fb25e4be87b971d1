"""The items with the changes made on the device: added, removed and renamed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.attributes import AttributeIndex
from device_runtime.items.items import Items
from device_runtime.items.names import NameIndex
from device_runtime.scoring.integers import Rows
from device_runtime.scoring.objectives import Objective


class ItemChanges(NamedTuple):
    """What all changes come to.

    Attributes:
        ids, names, attributes: of each added item, in the order they were added.
        rows: int8 [added, columns], the row of each.
        removed: rows of the model that must not come back, ascending.
        renamed: the names of rows that have another now, added ones too.
    """

    ids: Sequence[str]
    names: Sequence[str]
    attributes: Sequence[Mapping[str, Sequence[str]]]
    rows: NDArray[np.int8]
    removed: Sequence[int]
    renamed: Mapping[int, str]


class ChangedItems(Items):
    """The items of a model file with changes: added rows follow the model's, and removed ones are never found.

    Args:
        base: the items of the model.
        changes: what the changes come to over it.
    """

    changed = True

    def __init__(self, base: Items, changes: ItemChanges) -> None:
        super().__init__(base.model)
        self._base = base
        self._changes = changes
        self._first_added = base.row_count
        self.row_count = base.row_count + len(changes.ids)
        self.removed = np.array(changes.removed, np.int64)
        self.added_rows = changes.rows
        renamed = [row for row in changes.renamed if row < base.row_count]
        self._hidden = frozenset([*changes.removed, *renamed])  # from the search for names as they were
        self._own_rows = [*sorted(renamed), *range(base.row_count, self.row_count)]

    @cached_property
    def ids(self) -> Sequence[str]:
        """The id of each row."""
        return _Changed(self._base.ids, self._changes.ids, {})

    @cached_property
    def names(self) -> Sequence[str]:
        """The name of each row."""
        return _Changed(self._base.names, self._changes.names, self._changes.renamed)

    @cached_property
    def row_of_id(self) -> Mapping[str, int]:
        """The row of each id, by `row_of_id[id]`."""
        added = {item: row for row, item in enumerate(self._changes.ids, self._first_added)}
        return _RowOfId(added, self._base.row_of_id, frozenset(self._changes.removed))

    @cached_property
    def objective(self) -> Objective:
        """See `Items`."""
        return self._base.objective

    @cached_property
    def attributes(self) -> AttributeIndex:
        """Which rows have which attributes."""
        return self._base.attributes.extended(self._changes.attributes)

    @cached_property
    def _own_index(self) -> NameIndex:
        """Finds what was added or renamed: by position in `_own_rows`."""
        place_of = {row: place for place, row in enumerate(self._own_rows)}
        aliases = [(place_of[row], alias) for row, alias in self._base.index.aliases if row in place_of]
        ids, names = self.ids, self.names
        places = {ids[row]: place for row, place in place_of.items()}
        return NameIndex(places, [names[row] for row in self._own_rows], aliases, folding=lambda: self.folding)

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Rows whose name or an alias resembles `text`, and how much; best first."""
        scores = self._base.index.alike(text, limit, self._hidden)
        own = self._own_index.alike(text, limit)
        scores.update((self._own_rows[place], score) for place, score in own.items())
        return self._base.index.best_first(scores, self._row(text), limit)

    def begun(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Rows of which a name or an alias has a word that begins with `text`."""
        scores = self._base.index.begun(text, self._hidden)
        scores.update((self._own_rows[place], score) for place, score in self._own_index.begun(text).items())
        return self._base.index.best_first(scores, None, limit)

    def vectors(self, rows: Rows) -> NDArray[np.int8]:
        """The integers of some rows: int8 [rows, columns]."""
        added = rows >= self._first_added
        if not added.any():
            return self.model.table[rows]
        found = np.empty((len(rows), self.added_rows.shape[1]), np.int8)
        found[~added] = self.model.table[rows[~added]]
        found[added] = self.added_rows[rows[added] - self._first_added]
        return found

    def _row(self, text: str) -> int | None:
        try:
            return self.row_of_id[text]
        except KeyError:
            return next((row for row in self._rows_by_kind(text) if row is not None), None)

    def _rows_by_kind(self, text: str) -> Iterator[int | None]:
        """By name, alias and folded name: the lowest row, as one index of all would find it."""
        own_kinds = self._own_index.rows_by_kind(text)
        for of_model, place in zip(self._base.index.rows_by_kind(text, self._hidden), own_kinds, strict=True):
            own = [] if place is None else [self._own_rows[place]]
            yield min(own if of_model is None else [of_model, *own], default=None)


class _Changed(Sequence[str]):
    """The texts of a model, some of them others now, and of added items: a view, for a copy of a million takes 100 MB.

    Args:
        base: of the rows of the model.
        added: of the rows that follow.
        others: by row, what is another now.
    """

    def __init__(self, base: Sequence[str], added: Sequence[str], others: Mapping[int, str]) -> None:
        self._base = base
        self._added = added
        self._others = others

    def __len__(self) -> int:
        return len(self._base) + len(self._added)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        if row in self._others:
            return self._others[row]
        return self._base[row] if row < len(self._base) else self._added[row - len(self._base)]

    def __iter__(self) -> Iterator[str]:
        texts = chain(self._base, self._added)
        if not self._others:
            return texts
        return (self._others.get(row, text) for row, text in enumerate(texts))


class _RowOfId(dict[str, int]):
    """The rows of added items, and by `[id]` those of the model that were not removed: copying a million takes long."""

    def __init__(self, added: dict[str, int], of_model: Mapping[str, int], removed: frozenset[int]) -> None:
        super().__init__(added)
        self._of_model = of_model
        self._removed = removed

    def __missing__(self, item: str) -> int:
        row = self._of_model[item]
        if row in self._removed:
            raise KeyError(item)
        return row
