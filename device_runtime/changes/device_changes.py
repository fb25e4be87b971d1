"""Changes made on the device: what an overlay comes to over one model, and further changes to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import several
from device_runtime.changes.kinds import Added, Change, Dropped, Fold, Forgotten, Liked, Removed, Renamed
from device_runtime.changes.overlay import Overlay
from device_runtime.errors import ItemExistsError, MignonError, UnknownAttributeError
from device_runtime.items.changed_items import ChangedItems
from device_runtime.items.items import Items
from device_runtime.items.names import fold as folded_name
from device_runtime.ranking.placement import attribute_vectors_of, place, row_of_added

Attributes = Mapping[str, str | Iterable[str]]
Row = NDArray[np.int8]

_APOSTROPHES = dict.fromkeys(map(ord, "'’"))


class State(NamedTuple):
    """What all changes so far come to; never altered, but replaced as a whole.

    Attributes:
        profiles: for each profile the weight of each id.
        dropped: for each change that cannot apply to this model, which and why.
    """

    catalog: Items
    profiles: Mapping[str, Mapping[str, float]]
    dropped: tuple[str, ...]


class Edits:
    """The changes in an overlay, and further ones; threads take turns.

    Args:
        base: the items of the model.
        publish: takes the items as they are now, and after each change.

    Attributes:
        state: what all changes come to.

    Raises:
        OverlayError: the overlay cannot be opened; see `Overlay.open`.
    """

    def __init__(self, base: Items, path: Path, publish: Callable[[Items], None], *, writable: bool) -> None:
        self._base = base
        self._publish = publish
        self._turn = threading.RLock()
        self._overlay = Overlay.open(path, create=writable, read_only=not writable)
        try:
            self._read()
        except BaseException:
            self._overlay.close()
            raise

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes in the overlay, oldest first."""
        return self._overlay.changes

    def add(self, name: str, attributes: Attributes, item: str | None, neighbors: Iterable[str]) -> str:
        """Adds an item and returns its id; see `Recommender.add`."""
        values = {attribute: tuple(several(given)) for attribute, given in attributes.items()}
        new = Added("new" if item is None else item, name, values)  # refuses what no change may hold
        with self._turn:
            item = self._unused_id(name) if item is None else item
            self._check_unused(item)
            self._check_unused(name)
            rows = self._catalog.rows(several(neighbors))
            ids = tuple(self._catalog.ids[row] for row in rows)
            vector = tuple(self._placed(values, rows).tolist())
            self._make(replace(new, id=item, vector=vector, neighbors=ids, model=self._base.model.digest))
        return item

    def remove(self, item: str) -> str:
        """Removes an item, and the likes of it; returns its id."""
        with self._turn:
            item = self._id(item)
            self._make(Removed(item))
        return item

    def rename(self, item: str, name: str) -> str:
        """Gives an item another name; returns its id."""
        with self._turn:
            row = self._catalog.row(item)
            item = self._catalog.ids[row]
            new = Renamed(item, name)
            if self._catalog.named(name) != row:
                self._check_unused(name)
            self._make(new)
        return item

    def like(self, profile: str, item: str, weight: float) -> str:
        """Sets how much a profile likes an item, 0 takes it back; returns the id of the item."""
        with self._turn:
            item = self._id(item)
            self._make(Liked(profile, item, weight))
        return item

    def forget(self, profile: str) -> None:
        """Takes all likes of a profile back."""
        with self._turn:
            self._make(Forgotten(profile))

    def compact(self) -> None:
        """Leaves only what still matters in the overlay."""
        with self._turn:
            self._overlay.compact(self._base.ids)
            self._read()

    def close(self) -> None:
        """Closes the overlay."""
        self._overlay.close()

    def _read(self) -> None:
        changes = self.changes
        self._count = len(changes)
        self._fold, self._rows, self._unplaced = _folded(self._base, changes)
        self._applied = self._fold.result(self._base.row_count)
        self._show(self._changed_catalog())

    def _make(self, change: Change) -> None:
        """Writes the change, then shows what it makes of the state."""
        self._overlay.append(change)
        self._fold.take(self._count, change)
        self._count += 1
        self._applied = self._fold.result(self._base.row_count)
        if isinstance(change, Added):
            self._rows[change.id] = np.array(change.vector, np.int8)
            self._unplaced.pop(change.id, None)
        same_items = isinstance(change, Liked | Forgotten)
        self._show(self.state.catalog if same_items else self._changed_catalog())

    def _show(self, catalog: Items) -> None:
        dropped = (*self._unplaced.values(), *self._applied.dropped)
        self.state = State(catalog, self._applied.profiles, tuple(map(_message, dropped)))
        self._publish(catalog)

    def _changed_catalog(self) -> Items:
        applied = self._applied
        if not (applied.added or applied.removed or applied.renamed):
            return self._base
        rows = np.array([self._rows[item.id] for item in applied.added], np.int8)
        return ChangedItems(self._base, applied, rows.reshape(-1, self._base.model.manifest.columns))

    @property
    def _catalog(self) -> Items:
        return self.state.catalog

    def _id(self, item: str) -> str:
        return self._catalog.ids[self._catalog.row(item)]

    def _check_unused(self, text: str) -> None:
        if (row := self._catalog.named(text)) is not None:
            other = f"{self._catalog.names[row]} ({self._catalog.ids[row]})"
            raise ItemExistsError(f"{text!r} is the id or name of {other}; give another, or rename or remove that item")

    def _unused_id(self, name: str) -> str:
        slug = folded_name(name.translate(_APOSTROPHES)).replace(" ", "-") or "item"
        names = (f"{slug}-{number}" if number > 1 else slug for number in count(1))
        return next(name for name in names if self._catalog.named(name) is None and name not in self._base.row_of_id)

    def _placed(self, attributes: Mapping[str, Sequence[str]], neighbors: NDArray[np.int64]) -> NDArray[np.int8]:
        model = self._base.model
        if len(neighbors):
            vectors = self._catalog.vectors(neighbors)
            return self._base.objective.row_towards(np.add.reduce(vectors, axis=0, dtype=np.int64))
        placing = {name for name, _ in attribute_vectors_of(model).names}
        for attribute in attributes:
            if attribute not in placing and attribute not in self._catalog.attributes:
                raise UnknownAttributeError(
                    f"no item has an attribute {attribute!r}; give neighbors to place the item by, or attributes of "
                    f"{', '.join(sorted(placing))}"
                )
        placed = place(model, {a: values for a, values in attributes.items() if a in placing})
        return self._base.objective.row_towards(placed)


def _folded(base: Items, changes: Sequence[Change]) -> tuple[Fold, dict[str, Row], dict[str, Dropped]]:
    """The changes but for items that cannot be placed in this model, the rows of those that can, and the others."""
    unplaced: dict[str, Dropped] = {}
    fold = _fold(base, changes, unplaced)
    rows: dict[str, Row] = {}

    def row_of(item: str) -> Row | None:
        if item in rows or item not in base.row_of_id:
            return rows.get(item)
        return base.model.table[base.row_of_id[item]]

    for item in fold.result(base.row_count).added:
        try:
            rows[item.id] = row_of_added(base.model, item, row_of)
        except MignonError as error:  # noqa: PERF203 - each may fail for a reason of its own
            unplaced[item.id] = Dropped(item, str(error))
    return _fold(base, changes, unplaced) if unplaced else fold, rows, unplaced


def _fold(base: Items, changes: Sequence[Change], unplaced: Container[str]) -> Fold:
    fold = Fold(base.row_of_id)
    for index, change in enumerate(changes):
        if not (isinstance(change, Added) and change.id in unplaced):
            fold.take(index, change)
    return fold


def _message(dropped: Dropped) -> str:
    change = dropped.change
    match change:
        case Added():
            what = f"{change.name} ({change.id}) cannot be added"
        case Removed():
            what = f"{change.id} cannot be removed"
        case Renamed():
            what = f"{change.id} cannot be renamed to {change.name}"
        case Liked():
            what = f"{change.profile} cannot {'like' if change.weight > 0 else 'dislike'} {change.id}"
        case Forgotten():
            what = f"{change.profile} cannot be forgotten"
    return f"{what}: {dropped.reason}"
