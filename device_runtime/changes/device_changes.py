"""Changes made on the device: what an overlay comes to over one model, and further changes to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Values, several
from device_runtime.changes.kinds import Added, Change, Forgotten, Liked, Removed, Renamed
from device_runtime.changes.ledger import Applied, Dropped, Ledger, enter_all
from device_runtime.changes.overlay import Overlay
from device_runtime.errors import (
    InvalidArgumentError,
    ItemExistsError,
    MignonError,
    ReadOnlyError,
    UnknownAttributeError,
)
from device_runtime.items.changed_items import ChangedItems, ItemChanges
from device_runtime.items.folding import fold
from device_runtime.items.items import Items
from device_runtime.items.names import listed
from device_runtime.ranking.placement import attribute_vectors_of, known_attributes, place

Row = NDArray[np.int8]

_APOSTROPHES = dict.fromkeys(map(ord, "'’"))


class State(NamedTuple):
    """What all changes so far come to; never altered, but replaced as a whole.

    Attributes:
        profiles: for each profile the weight of each id.
        dropped: for each change that cannot apply to this model, which and why.
    """

    items: Items
    profiles: Mapping[str, Mapping[str, float]]
    dropped: tuple[str, ...]


class DeviceChanges:
    """The changes in an overlay, and further ones; threads take turns.

    Args:
        base: the items of the model.
        overlay: None for no changes, now or later.

    Attributes:
        state: what all changes come to.
        writable: whether further changes can be made.
    """

    def __init__(self, base: Items, overlay: Overlay | None = None) -> None:
        self.writable = overlay is not None and not overlay.read_only
        self._base = base
        self._overlay = overlay
        self._turn = threading.Lock()
        self.state = State(base, {}, ())
        self._read()

    @classmethod
    def open(cls, base: Items, path: str, *, writable: bool) -> DeviceChanges:
        """Those of the overlay at `path`, which is made if there is none and it is to be writable.

        Raises:
            OverlayError: the overlay cannot be opened; see `Overlay.open`.
        """
        overlay = Overlay.open(path, create=writable, read_only=not writable)
        try:
            return cls(base, overlay)
        except BaseException:
            overlay.close()
            raise

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes in the overlay, oldest first."""
        return self._overlay.changes if self._overlay else ()

    def add(self, name: str, attributes: Mapping[str, Values] | Values, item: str | None, neighbors: Values) -> str:
        """Adds an item and returns its id; see `Recommender.add`."""
        with self._writing() as overlay:
            items = self.state.items
            if not isinstance(attributes, Mapping):
                attributes = items.attributes.read_values(several(attributes))
            values = {attribute: tuple(several(given)) for attribute, given in attributes.items()}
            new = Added("new" if item is None else item, name, values)  # refuses what no change may hold
            item = self._unused_id(name) if item is None else item
            self._check_unused(item)
            self._check_unused(name)
            values = items.attributes.spelled(values) if values else {}
            rows = items.rows(several(neighbors))
            vector = tuple(self._place(name, values, rows).tolist())
            ids = tuple(items.ids[row] for row in rows.tolist())
            made = replace(new, id=item, attributes=values, vector=vector, neighbors=ids, model=self._base.model.digest)
            self._make(overlay, made)
        return item

    def remove(self, item: str) -> str:
        """Removes an item, and the likes of it; returns its id."""
        with self._writing() as overlay:
            item = self._id(item)
            self._make(overlay, Removed(item))
        return item

    def rename(self, item: str, name: str) -> str:
        """Gives an item another name; returns its id."""
        with self._writing() as overlay:
            items = self.state.items
            row = items.row(item)
            new = Renamed(items.ids[row], name)
            if items.named(name) != row:
                self._check_unused(name)
            self._make(overlay, new)
        return new.id

    def like(self, profile: str, item: str, weight: float) -> str:
        """Sets how much a profile likes an item or a family, 0 takes it back; returns the id of that."""
        with self._writing() as overlay:
            items = self.state.items
            found = items.resolve(item) if weight >= 0 else items.resolve_unwanted(item)
            item = items.ids[found] if isinstance(found, int) else found.id
            self._make(overlay, Liked(profile, item, weight))
        return item

    def forget(self, profile: str) -> None:
        """Takes all likes of a profile back."""
        with self._writing() as overlay:
            self._make(overlay, Forgotten(profile))

    def compact(self) -> None:
        """Leaves only what still matters in the overlay."""
        with self._writing() as overlay:
            overlay.compact(self._base.ids)
            self._read()

    def close(self) -> None:
        """Closes the overlay."""
        if self._overlay:
            self._overlay.close()

    @contextmanager
    def _writing(self) -> Iterator[Overlay]:
        """The overlay to write to, one thread at a time.

        Raises:
            ReadOnlyError: the model was not opened with `writable=True`.
        """
        if self._overlay is None or not self.writable:
            raise ReadOnlyError("the model was opened to be read only; use Recommender.open(..., writable=True)")
        with self._turn:
            yield self._overlay

    def _read(self) -> None:
        self._ledger, self._rows, self._unplaced = _enter_placed(self._base, self.changes)
        self._show(same_items=False)

    def _make(self, overlay: Overlay, change: Change) -> None:
        """Writes the change, then shows what it makes of the state."""
        overlay.append(change)
        self._ledger.enter(change)
        if isinstance(change, Added):
            self._rows[change.id] = np.array(change.vector, np.int8)
            self._unplaced.pop(change.id, None)
        self._show(same_items=isinstance(change, Liked | Forgotten))

    def _item_changes(self, applied: Applied) -> ItemChanges:
        added = applied.added
        rows = np.array([self._rows[item.id] for item in added], np.int8).reshape(-1, self._base.model.manifest.columns)
        texts = [item.id for item in added], [item.name for item in added]
        return ItemChanges(*texts, [item.attributes for item in added], rows, applied.removed, applied.renamed)

    def _show(self, *, same_items: bool) -> None:
        applied = self._ledger.sum_up(self._base.row_count)
        if same_items:
            items = self.state.items
        elif applied.added or applied.removed or applied.renamed:
            items = ChangedItems(self._base, self._item_changes(applied))
        else:
            items = self._base
        dropped = (*self._unplaced.values(), *applied.dropped)
        self.state = State(items, applied.profiles, tuple(map(_describe, dropped)))

    def _id(self, item: str) -> str:
        items = self.state.items
        return items.ids[items.row(item)]

    def _check_unused(self, text: str) -> None:
        items = self.state.items
        if (row := items.named(text)) is not None:
            other = f"{items.names[row]} ({items.ids[row]})"
            raise ItemExistsError(f"{text!r} is the id or name of {other}; give another, or rename or remove that item")

    def _unused_id(self, name: str) -> str:
        slug = fold(name.translate(_APOSTROPHES)).replace(" ", "-") or "item"
        names = (f"{slug}-{number}" if number > 1 else slug for number in count(1))
        items = self.state.items
        return next(name for name in names if items.named(name) is None and name not in self._base.row_of_id)

    def _place(self, name: str, attributes: Mapping[str, Sequence[str]], neighbors: NDArray[np.int64]) -> Row:
        model, items, objective = self._base.model, self.state.items, self._base.objective
        if len(neighbors):
            return objective.row_towards(np.add.reduce(items.vectors(neighbors), axis=0, dtype=np.int64))
        placing = {name for name, _ in attribute_vectors_of(model).names}
        if not attributes:
            known = listed(sorted(placing))
            raise InvalidArgumentError(f"nothing says where {name!r} belongs; give neighbors, or attributes of {known}")
        for attribute in attributes:
            if attribute not in placing and attribute not in items.attributes:
                raise UnknownAttributeError(
                    f"no item has an attribute {attribute!r}; give neighbors to place the item by, or attributes of "
                    f"{', '.join(sorted(placing))}"
                )
        return objective.row_towards(place(model, {a: values for a, values in attributes.items() if a in placing}))


def place_added(base: Items, item: Added, row_of: Callable[[str], Row | None]) -> Row:
    """The row of an item that was added, maybe to another model: int8 [columns].

    Args:
        base: the items of the model.
        row_of: the row of an item by its id, for those that this one may have been placed by.

    Raises:
        MignonError: nothing that it was placed by is known to this model.
    """
    model = base.model
    if item.model == model.digest and len(item.vector) == model.manifest.columns:
        return np.array(item.vector, np.int8)
    if item.neighbors:
        rows = [row for neighbor in item.neighbors if (row := row_of(neighbor)) is not None]
        if not rows:
            raise InvalidArgumentError(f"the model has none of the items it was placed by, {', '.join(item.neighbors)}")
        return base.objective.row_towards(np.sum(rows, axis=0, dtype=np.int64))
    known = known_attributes(model, item.attributes)
    if not known:
        raise InvalidArgumentError("the model knows none of the attributes it was placed by")
    return base.objective.row_towards(place(model, known))


def _enter_placed(base: Items, changes: Sequence[Change]) -> tuple[Ledger, dict[str, Row], dict[str, Dropped]]:
    """The changes but for items that cannot be placed in this model, the rows of those that can, and the others."""
    unplaced: dict[str, Dropped] = {}
    rows: dict[str, Row] = {}
    ledger = enter_all(changes, base.row_of_id, base.families.is_id)

    def row_of(item: str) -> Row | None:
        if item in rows or item not in base.row_of_id:
            return rows.get(item)
        return base.model.table[base.row_of_id[item]]

    for item in ledger.sum_up(base.row_count).added:
        try:
            rows[item.id] = place_added(base, item, row_of)
        except MignonError as error:  # noqa: PERF203 - each may fail for a reason of its own
            unplaced[item.id] = Dropped(item, str(error))
    if unplaced:
        placed = (change for change in changes if not (isinstance(change, Added) and change.id in unplaced))
        ledger = enter_all(placed, base.row_of_id, base.families.is_id)
    return ledger, rows, unplaced


def _describe(dropped: Dropped) -> str:
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
