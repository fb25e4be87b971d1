"""The items that can be asked for: those of the model file, or those with the changes made on the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import InvalidArgumentError, UnknownItemError
from device_runtime.format.model_file import ModelFile
from device_runtime.items.attributes import AttributeIndex, Filter
from device_runtime.items.names import NameIndex, best_first
from device_runtime.scoring.integers import Rows
from device_runtime.scoring.objectives import inverse_lengths

if TYPE_CHECKING:
    from device_runtime.changes.kinds import Applied
    from device_runtime.format.texts import Lines

_SUGGESTIONS = 3


class Items:
    """The items of a model file, by row. What only some questions need is read when the first of them comes.

    Attributes:
        changed: whether rows were added, removed or renamed.
        row_count: rows, removed ones among them.
        removed: rows that must not come back.
        added_rows: int8 [added, columns]: what follows the table.
    """

    changed = False

    def __init__(self, model: ModelFile) -> None:
        self.model = model
        self.row_count = model.manifest.rows
        self.removed: Rows = np.empty(0, np.int64)
        self.added_rows: NDArray[np.int8] = np.empty((0, model.manifest.columns), np.int8)

    def __len__(self) -> int:
        return self.row_count - len(self.removed)

    @cached_property
    def ids(self) -> list[str] | Lines:
        """The id of each row."""
        return self.model.lines("ids.txt")

    @cached_property
    def names(self) -> Sequence[str]:
        """The name of each row."""
        return self.model.lines("names.txt")

    @cached_property
    def inverse_lengths(self) -> NDArray[np.float64]:
        """Of all rows of a model of what people like, see `queries.inverse_lengths`: [row_count]."""
        return inverse_lengths(self.model.table)

    @cached_property
    def index(self) -> NameIndex:
        """Finds rows of the model by text."""
        return NameIndex(self.row_of_id, self.names, _Aliases(self.model))

    @cached_property
    def row_of_id(self) -> Mapping[str, int]:
        """The row of each id, by `row_of_id[id]`."""
        ids = self.ids
        if isinstance(ids, list):
            return dict(zip(ids, range(len(ids)), strict=True))
        from device_runtime.format.texts import RowOfLine  # which small catalogs need not wait for

        return RowOfLine(ids)

    @cached_property
    def attributes(self) -> AttributeIndex:
        """Which rows have which attributes."""
        return AttributeIndex(self.row_count, self.model.records("attributes.tsv", 2))

    def row(self, item: str) -> int:
        """The row of an item by its id, name or alias.

        Raises:
            UnknownItemError: no item has it.
            InvalidArgumentError: `item` is no text.
        """
        if not isinstance(item, str):
            raise InvalidArgumentError(f"an item is asked for by its id, name or alias, not by {item!r}")
        row = self._row(item)
        if row is None:
            raise UnknownItemError(item, [self.names[row] for row, _ in self.find(item, _SUGGESTIONS)])
        return row

    def rows(self, items: Sequence[str]) -> Rows:
        """The rows of some items, each once."""
        known = self.row_of_id
        try:
            rows = [known[item] for item in items]
        except (KeyError, TypeError):  # one is asked for by its name, or is no text
            rows = [self.row(item) for item in items]
        return np.array(rows if len(set(rows)) == len(rows) else list(dict.fromkeys(rows)), np.int64)

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Rows whose name or an alias resembles `text`, and how much; best first."""
        return self.index.find(text, limit)

    def allowed(self, where: Filter) -> NDArray[np.bool_]:
        """Which rows may come back, bool [row_count]."""
        allowed = self.attributes.allowed(where)
        allowed[self.removed] = False
        return allowed

    def vectors(self, rows: Rows) -> NDArray[np.int8]:
        """The integers of some rows: int8 [rows, columns]."""
        return self.model.table[rows]

    def directions(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of some rows, of length about 1: float32 [rows, dims]."""
        manifest = self.model.manifest
        vectors = self.vectors(rows)[:, : manifest.dims].astype(np.float32)
        if manifest.preference is None:
            return vectors * np.float32(manifest.scale)
        return vectors * self.inverse_lengths[rows, None].astype(np.float32)

    def named(self, text: str) -> int | None:
        """The row with just this id or name."""
        try:
            return self.row_of_id[text]
        except KeyError:
            return next(self._rows_by_kind(text))

    def _row(self, text: str) -> int | None:
        return self.index.row(text)

    def _rows_by_kind(self, text: str) -> Iterator[int | None]:
        return self.index.rows_by_kind(text)


class ChangedItems(Items):
    """The items of a model file with changes: added rows follow the model's, and removed ones are never found.

    Args:
        base: the items of the model.
        changes: what the changes come to over it.
        added_rows: int8 [added, columns], the vectors of `changes.added`.
    """

    changed = True

    def __init__(self, base: Items, changes: Applied, added_rows: NDArray[np.int8]) -> None:
        super().__init__(base.model)
        self._base = base
        self._changes = changes
        self._first_added = base.row_count
        self.row_count = base.row_count + len(changes.added)
        self.removed = np.array(changes.removed, np.int64)
        self.added_rows = added_rows
        renamed = [row for row in changes.renamed if row < base.row_count]
        self._hidden = frozenset([*changes.removed, *renamed])  # from the search for names as they were
        self._own_rows = [*sorted(renamed), *range(base.row_count, self.row_count)]

    @cached_property
    def ids(self) -> list[str] | Lines:
        """The id of each row."""
        return [*self._base.ids, *(item.id for item in self._changes.added)]

    @cached_property
    def names(self) -> Sequence[str]:
        """The name of each row."""
        names = [*self._base.names, *(item.name for item in self._changes.added)]
        for row, name in self._changes.renamed.items():
            names[row] = name
        return names

    @cached_property
    def row_of_id(self) -> Mapping[str, int]:
        """The row of each id, by `row_of_id[id]`."""
        added = {item.id: row for row, item in enumerate(self._changes.added, self._first_added)}
        return _RowOfId(added, self._base.row_of_id, frozenset(self._changes.removed))

    @cached_property
    def inverse_lengths(self) -> NDArray[np.float64]:
        """See `Items.inverse_lengths`."""
        return np.concatenate([self._base.inverse_lengths, inverse_lengths(self.added_rows)])

    @cached_property
    def attributes(self) -> AttributeIndex:
        """Which rows have which attributes."""
        return self._base.attributes.extended([item.attributes for item in self._changes.added])

    @cached_property
    def _own_index(self) -> NameIndex:
        """Finds what was added or renamed: by position in `_own_rows`."""
        place_of = {row: place for place, row in enumerate(self._own_rows)}
        aliases = [(place_of[row], alias) for row, alias in self._base.index.aliases if row in place_of]
        ids, names = self.ids, self.names
        places = {ids[row]: place for row, place in place_of.items()}
        return NameIndex(places, [names[row] for row in self._own_rows], aliases)

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Rows whose name or an alias resembles `text`, and how much; best first."""
        scores = self._base.index.alike(text, limit, self._hidden)
        own = self._own_index.alike(text, limit)
        scores.update((self._own_rows[place], score) for place, score in own.items())
        return best_first(scores, self._row(text), limit)

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


class _Aliases:
    """(row, alias) pairs, read from the file whenever they are gone through."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for row, (alias,) in self._model.records("aliases.tsv", 1):
            yield row, alias


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


def names_of(catalog: Items, rows: Sequence[int] | Rows) -> list[str]:
    """The names of some rows, for a message."""
    return [catalog.names[int(row)] for row in rows]
