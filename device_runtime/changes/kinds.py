"""What can be changed on the device, and what a series of changes comes to over the items of a model."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from device_runtime.arguments import checked_weight
from device_runtime.errors import InvalidArgumentError

CONTROL_CHARACTERS = {*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029"}  # those that no catalog may hold


@dataclass(frozen=True)
class Added:
    """A new item.

    Attributes:
        id, name: as in a catalog.
        attributes: the values of each attribute, the most important first.
        vector: its int8 row, as it was placed; may be empty where it is placed anew each time.
        neighbors: the ids it was placed by, if it was not placed by its attributes.
        model: the digest of the model file it was placed in. In another model the vector means nothing, and the item
            is placed anew by its attributes or neighbors.
    """

    id: str
    name: str
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    vector: tuple[int, ...] = ()
    neighbors: tuple[str, ...] = ()
    model: str = ""

    def __post_init__(self) -> None:
        _check_text("the id", self.id)
        _check_text("the name", self.name)
        if self.model != "":
            _check_text("the digest of the model", self.model)
        object.__setattr__(self, "attributes", _checked_attributes(self.attributes))
        object.__setattr__(self, "vector", _checked_row(self.vector))
        object.__setattr__(self, "neighbors", _checked_texts("a neighbor", self.neighbors))


@dataclass(frozen=True)
class Removed:
    """An item that is not to come back, whether the model's or one that was added; likes of it go too."""

    id: str

    def __post_init__(self) -> None:
        _check_text("the id", self.id)


@dataclass(frozen=True)
class Renamed:
    """Another name for an item."""

    id: str
    name: str

    def __post_init__(self) -> None:
        _check_text("the id", self.id)
        _check_text("the name", self.name)


@dataclass(frozen=True)
class Liked:
    """How much a profile likes an item: a negative weight is a dislike, 0 takes an earlier like back."""

    profile: str
    id: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check_text("the profile", self.profile)
        _check_text("the id", self.id)
        object.__setattr__(self, "weight", checked_weight(self.weight))


@dataclass(frozen=True)
class Forgotten:
    """A profile whose likes are all taken back."""

    profile: str

    def __post_init__(self) -> None:
        _check_text("the profile", self.profile)


Change = Added | Removed | Renamed | Liked | Forgotten
KINDS: dict[str, Any] = {kind.__name__.lower(): kind for kind in (Added, Removed, Renamed, Liked, Forgotten)}


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


def applied(changes: Sequence[Change], ids: Sequence[str]) -> Applied:
    """Folds `changes` over the ids of a model, in row order; matched by id, so the model may be a later one."""
    return _folded(changes, ids).result(len(ids))


def compacted(changes: Sequence[Change], ids: Iterable[str] = ()) -> tuple[Change, ...]:
    """The changes that still matter: those in effect, and those that cannot apply to this model but may to another.

    Args:
        ids: of the model. An item that was added and removed vanishes; but once the model itself holds that id, as
            only `ids` can tell, the removal stays, because it hides the model's item.
    """
    return tuple(changes[index] for index in _folded(changes, ids).indices())


# What changes mean


class Fold:
    """Which change is responsible for what, with its index. An id stands for the added item where there is one.

    Args:
        rows: {id: row} of the model; the ids that changes mention are enough.
    """

    def __init__(self, rows: Mapping[str, int]) -> None:
        self._rows = rows
        self._added: dict[str, tuple[int, Added]] = {}
        self._removed: dict[str, int] = {}
        self._renamed: dict[str, tuple[int, Renamed]] = {}
        self._liked: dict[str, dict[str, tuple[int, Liked]]] = {}
        self._dropped: dict[tuple[type[Change], str], tuple[int, Dropped]] = {}

    def take(self, index: int, change: Change) -> None:
        """Applies the change of this index, which is above all indices before."""
        match change:
            case Added():
                self._take_added(index, change)
            case Removed():
                self._take_removed(index, change)
            case Renamed():
                self._take_renamed(index, change)
            case Liked(weight=0):
                self._liked.get(change.profile, {}).pop(change.id, None)
            case Liked():
                self._liked.setdefault(change.profile, {})[change.id] = (index, change)
            case Forgotten():
                self._liked.pop(change.profile, None)

    def _take_added(self, index: int, change: Added) -> None:
        if self._is_row(change.id):
            self._drop(index, change, f"the model now has an item {change.id!r} of its own")
            return
        self._added.pop(change.id, None)  # added again, it stands where it was added last
        self._renamed.pop(change.id, None)
        self._added[change.id] = (index, change)

    def _take_removed(self, index: int, change: Removed) -> None:
        for likes in self._liked.values():
            likes.pop(change.id, None)
        self._renamed.pop(change.id, None)
        if self._added.pop(change.id, None):
            return
        if self._is_row(change.id):
            self._removed[change.id] = index
        elif change.id not in self._rows:
            self._drop(index, change, self._absence(change.id))

    def _take_renamed(self, index: int, change: Renamed) -> None:
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

    def indices(self) -> list[int]:
        """The changes that are in effect or cannot apply; of all others nothing is left."""
        effective = [*self._added.values(), *self._renamed.values(), *self._dropped.values(), *self._likes()]
        return sorted([*self._removed.values(), *(index for index, _ in effective)])

    def result(self, rows: int) -> Applied:
        """What all of them make of a model of so many rows."""
        number = {item: rows + place for place, item in enumerate(self._added)}
        profiles: dict[str, dict[str, float]] = {}
        dropped = dict(self._dropped.values())
        for index, like in self._likes():
            if self._has(like.id):
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


def _folded(changes: Sequence[Change], ids: Iterable[str]) -> Fold:
    mentioned = {change.id for change in changes if not isinstance(change, Forgotten)}
    fold = Fold({item: row for row, item in enumerate(ids) if item in mentioned})
    for index, change in enumerate(changes):
        fold.take(index, change)
    return fold


# What a change may hold


def _check_text(what: str, text: object) -> None:
    if not isinstance(text, str):
        raise InvalidArgumentError(f"{what} is {text!r}; give a text")
    if not text.strip():
        raise InvalidArgumentError(f"{what} is empty; give a text that is not")
    if not CONTROL_CHARACTERS.isdisjoint(text):
        raise InvalidArgumentError(f"{what} {text[:80]!r} holds a control character or line break; leave it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{what} {text[:80]!r} is not valid Unicode; give whole characters") from None


def _checked_texts(what: str, texts: object) -> tuple[str, ...]:
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise InvalidArgumentError(f"{texts!r} is not a list of texts, each {what}")
    checked = tuple(texts)
    for text in checked:
        _check_text(what, text)
    return checked


def _checked_attributes(attributes: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(attributes, Mapping):
        raise InvalidArgumentError(f"the attributes are {attributes!r}; give {{attribute: values}}")
    for attribute in attributes:
        _check_text("an attribute", attribute)
    return {name: _checked_texts(f"a value of {name!r}", values) for name, values in attributes.items()}


def _checked_row(vector: Iterable[int]) -> tuple[int, ...]:
    try:
        row = tuple(operator.index(entry) for entry in vector)
    except TypeError:
        raise InvalidArgumentError(f"the vector is {vector!r}; give an int8 row, as whole numbers") from None
    if any(not -128 <= entry <= 127 for entry in row):
        raise InvalidArgumentError("the vector has an entry outside -128 to 127; give an int8 row")
    return row
