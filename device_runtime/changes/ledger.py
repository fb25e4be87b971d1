"""What a series of changes comes to over the items of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from device_runtime.changes.kinds import Added, Change, Forgotten, Liked, Removed, Renamed


@dataclass(frozen=True)
class Dropped:
    """A change that cannot apply to the model at hand, and why; it stays in the overlay for a model that it fits."""

    change: Change
    reason: str


@dataclass(frozen=True)
class Applied:
    """What the changes of an overlay make of a model.

    Attributes:
        added: items beyond the model's, in the order they were added; with n rows in the model they are n, n + 1, ...
        removed: rows of the model that must not come back, ascending.
        renamed: the names of rows and added items that have another now.
        profiles: for each profile the weight of each id, never 0; all of these items are there.
        dropped: what cannot apply, in the order of the overlay.
    """

    added: tuple[Added, ...]
    removed: tuple[int, ...]
    renamed: Mapping[int, str]
    profiles: Mapping[str, Mapping[str, float]]
    dropped: tuple[Dropped, ...]


class Ledger:
    """Which change is responsible for what, with its index. An id stands for the added item where there is one.

    Args:
        rows: {id: row} of the model; the ids that changes mention are enough.
        is_family: whether a text is the id of a family, which may be liked as an item is.
    """

    def __init__(self, rows: Mapping[str, int], is_family: Callable[[str], bool] = lambda _: False) -> None:
        self._rows = rows
        self._is_family = is_family
        self._count = 0
        self._added: dict[str, tuple[int, Added]] = {}
        self._removed: dict[str, int] = {}
        self._renamed: dict[str, tuple[int, Renamed]] = {}
        self._liked: dict[str, dict[str, tuple[int, Liked]]] = {}
        self._dropped: dict[tuple[type[Change], str], tuple[int, Dropped]] = {}

    def enter(self, change: Change) -> None:
        """Applies one more change."""
        index = self._count
        self._count += 1
        match change:
            case Added():
                self._enter_added(index, change)
            case Removed():
                self._enter_removed(index, change)
            case Renamed():
                self._enter_renamed(index, change)
            case Liked(weight=0):
                self._liked.get(change.profile, {}).pop(change.id, None)
            case Liked():
                self._liked.setdefault(change.profile, {})[change.id] = (index, change)
            case Forgotten():
                self._liked.pop(change.profile, None)

    def _enter_added(self, index: int, change: Added) -> None:
        if self._is_row(change.id):
            self._drop(index, change, f"the model now has an item {change.id!r} of its own")
            return
        self._added.pop(change.id, None)  # added again, it stands where it was added last
        self._renamed.pop(change.id, None)
        self._added[change.id] = (index, change)

    def _enter_removed(self, index: int, change: Removed) -> None:
        for likes in self._liked.values():
            likes.pop(change.id, None)
        self._renamed.pop(change.id, None)
        if self._added.pop(change.id, None):
            return
        if self._is_row(change.id):
            self._removed[change.id] = index
        elif change.id not in self._rows:
            self._drop(index, change, self._absence(change.id))

    def _enter_renamed(self, index: int, change: Renamed) -> None:
        if self._has(change.id):
            self._renamed[change.id] = (index, change)
        else:
            self._drop(index, change, self._absence(change.id))

    def _drop(self, index: int, change: Added | Removed | Renamed, reason: str) -> None:
        self._dropped[type(change), change.id] = (index, Dropped(change, reason))  # the last of its kind says it all

    def _is_row(self, item: str) -> bool:
        return item in self._rows and item not in self._removed

    def _has(self, item: str) -> bool:
        return item in self._added or self._is_row(item)

    def _absence(self, item: str) -> str:
        return f"item {item!r} was removed" if item in self._removed else f"the model has no item {item!r}"

    def _likes(self) -> Iterator[tuple[int, Liked]]:
        for likes in self._liked.values():
            yield from likes.values()

    def list_effective(self) -> list[int]:
        """The indices of the changes that are in effect or cannot apply; of all others nothing is left."""
        effective = [*self._added.values(), *self._renamed.values(), *self._dropped.values(), *self._likes()]
        return sorted([*self._removed.values(), *(index for index, _ in effective)])

    def sum_up(self, row_count: int) -> Applied:
        """What all of them make of a model of so many rows."""
        number = {item: row_count + place for place, item in enumerate(self._added)}
        profiles: dict[str, dict[str, float]] = {}
        dropped = dict(self._dropped.values())
        for index, like in self._likes():
            if self._has(like.id) or self._is_family(like.id):
                profiles.setdefault(like.profile, {})[like.id] = like.weight
            else:
                dropped[index] = Dropped(like, self._absence(like.id))
        return Applied(
            added=tuple(change for _, change in self._added.values()),
            removed=tuple(sorted(self._rows[item] for item in self._removed)),
            renamed={
                number[item] if item in number else self._rows[item]: change.name
                for item, (_, change) in self._renamed.items()
            },
            profiles=profiles,
            dropped=tuple(dropped[index] for index in sorted(dropped)),
        )


def enter_all(
    changes: Iterable[Change], rows: Mapping[str, int], is_family: Callable[[str], bool] = lambda _: False
) -> Ledger:
    """A ledger of `changes`, oldest first, over a model whose ids have these rows; arguments are those of `Ledger`."""
    ledger = Ledger(rows, is_family)
    for change in changes:
        ledger.enter(change)
    return ledger


def compact_changes(changes: Sequence[Change], ids: Iterable[str] = ()) -> tuple[Change, ...]:
    """The changes that still matter: those in effect, and those that cannot apply to this model but may to another.

    Args:
        ids: of the model, in row order. An item that was added and removed vanishes; but once the model itself holds
            that id, as only `ids` can tell, the removal stays, because it hides the model's item.
    """
    mentioned = {change.id for change in changes if not isinstance(change, Forgotten)}
    ledger = enter_all(changes, {item: row for row, item in enumerate(ids) if item in mentioned})
    return tuple(changes[index] for index in ledger.list_effective())
