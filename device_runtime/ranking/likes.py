"""Favorites and dislikes, each with a weight, as rows and as one integer query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import checked_weight, several
from device_runtime.errors import ContradictoryLikesError, InvalidArgumentError, NoFavoritesError
from device_runtime.items.items import Items, names_of
from device_runtime.scoring.integers import Rows

Favorites = Iterable[str] | Mapping[str, float]


class Likes(NamedTuple):
    """The rows of favorites and dislikes.

    Attributes:
        rows: each once.
        weights: float64 of each, dislikes negative; None stands for 1 each.
    """

    rows: Rows
    weights: NDArray[np.float64] | None = None


def likes_of(catalog: Items, items: Favorites, dislikes: Iterable[str]) -> Likes:
    """What `items` and `dislikes` come to.

    Raises:
        NoFavoritesError: none has a weight above 0.
        ContradictoryLikesError: an item has two weights, be it under two names.
        InvalidWeightError: a weight is no finite number.
        UnknownItemError: there is no such item.
        InvalidArgumentError: `items` is one text.
    """
    if isinstance(items, str):
        raise InvalidArgumentError(f"items is the text {items!r}; give a list of items, or use similar()")
    if dislikes or isinstance(items, Mapping):
        return _weighted(catalog, items, dislikes)
    return Likes(favorites_of(catalog, several(items)))


def favorites_of(catalog: Items, items: Sequence[str]) -> Rows:
    """The rows of plain favorites; errors are those of `likes_of`."""
    rows = catalog.rows(items)
    if not len(rows):
        raise NoFavoritesError("no favorites were given; name at least one item")
    return rows


def query_of(catalog: Items, likes: Likes) -> NDArray[np.int64]:
    """The integer query: the weighted sum of the rows.

    Raises:
        ContradictoryLikesError: it is zero and points nowhere.
    """
    query = catalog.objective.query_of_vectors(catalog.vectors(likes.rows), likes.weights)
    if not query.any():
        names = names_of(catalog, likes.rows)
        raise ContradictoryLikesError(f"{', '.join(names)} cancel one another out; change a weight", names)
    return query


def _weighted(catalog: Items, items: Favorites, dislikes: Iterable[str]) -> Likes:
    weight_of: dict[int, float] = {}
    for item, weight in _pairs(items, dislikes):
        row = catalog.row(item)
        if weight_of.setdefault(row, weight) != weight:
            name = catalog.names[row]
            both = " and ".join(f"{w:g}" for w in (weight_of[row], weight))
            raise ContradictoryLikesError(
                f"{name} is given the weights {both}, where a dislike is negative; give one", [name]
            )
    if not any(weight > 0 for weight in weight_of.values()):
        raise NoFavoritesError("no favorites were given; name at least one item that is liked, with a weight above 0")
    weights = np.array(list(weight_of.values()))
    return Likes(np.array(list(weight_of), np.int64), None if (weights == 1).all() else weights)


def _pairs(items: Favorites, dislikes: Iterable[str]) -> Iterator[tuple[str, float]]:
    if isinstance(items, Mapping):
        for item, weight in items.items():
            yield item, checked_weight(weight)
    else:
        for item in several(items):
            yield item, 1.0
    for item in several(dislikes):
        yield item, -1.0
