"""The tuples that travel out of the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple


class Match(NamedTuple):
    """An item, or a family of them, whose name resembles what was typed.

    Attributes:
        id: of an item; of a family `attribute=value`, which asks for it without doubt.
        score: 1 for the same name, from 0.9 what is surely meant (see `items.fuzzy`), below only alike.
        kind: `item` or `family`: all items with one value of an attribute.
        size: how many items a family has; 1 of an item.
        sure: whether it is the name itself or a spelling away, and not only alike.
    """

    id: str
    name: str
    score: float
    kind: str = "item"
    size: int = 1
    sure: bool = True


class Neighbor(NamedTuple):
    """An item near a query; `score` is the cosine, from -1 to 1.

    In a model of what people like, `recommend` gives another: how well the item goes with the favorites. It has no
    bounds; its order alone counts.
    """

    id: str
    name: str
    score: float


class Contribution(NamedTuple):
    """What one favorite, or one item that is disliked, contributes to the score of a result.

    Attributes:
        weight: the one it was given; 1 where none was.
        cosine: how alike it and the result are.
        part: of the score of the result; the parts of all favorites sum up to it.
        share: its part as a share of all parts by their size, negative where it speaks against the result.
    """

    id: str
    name: str
    weight: float
    cosine: float
    part: float
    share: float


class SharedValue(NamedTuple):
    """A value of an attribute that a result and some favorites have; `favorites` are the names of these."""

    attribute: str
    value: str
    favorites: tuple[str, ...]


class Explanation(NamedTuple):
    """Why an item comes back.

    Attributes:
        score: the cosine that `recommend` gives it.
        contributions: of each favorite, the greatest part first.
        shared: attribute values in common with favorites, those first that many favorites and few items have.
    """

    id: str
    name: str
    score: float
    contributions: tuple[Contribution, ...]
    shared: tuple[SharedValue, ...]


def attribute_records(counts: Mapping[str, Mapping[str, int]], most: int) -> list[dict[str, Any]]:
    """What `Recommender.attributes` counts as JSON has it, with the most frequent values of each."""
    return [
        {
            "attribute": attribute,
            "size": len(values),
            "values": [{"value": value, "count": count} for value, count in islice(values.items(), most)],
        }
        for attribute, values in counts.items()
    ]


def as_record(why: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it: objects with the names of the fields."""
    contributions = [contribution._asdict() for contribution in why.contributions]
    return {**why._asdict(), "contributions": contributions, "shared": [shared._asdict() for shared in why.shared]}
