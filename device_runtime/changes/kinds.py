"""What can be changed on the device, one class a kind; each checks what it holds."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from device_runtime.arguments import checked_weight
from device_runtime.errors import InvalidArgumentError
from device_runtime.format.layout import CONTROL_CHARACTERS


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
