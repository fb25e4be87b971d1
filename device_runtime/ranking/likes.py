"""Favorites and dislikes, each with a weight, as rows and families and as one integer query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import checked_weight, several
from device_runtime.errors import (
    ContradictoryLikesError,
    InvalidArgumentError,
    UnknownItemError,
)
from device_runtime.items.families import Family
from device_runtime.items.items import Items, names_of
from device_runtime.scoring.integers import Rows

Favorites = Iterable[str] | Mapping[str, float]


class Likes(NamedTuple):
    """The rows and families of favorites and dislikes.

    Attributes:
        rows: each once.
        weights: float64 of each row, then of each family, dislikes negative; None stands for 1 each.
        families: each once.
    """

    rows: Rows
    weights: NDArray[np.float64] | None = None
    families: tuple[Family, ...] = ()

    def vectors(self, items: Items) -> NDArray[np.int8]:
        """The integers of each row, then of each family: int8 [n, columns]."""
        of_rows = items.vectors(self.rows)
        if not self.families:
            return of_rows
        from device_runtime.ranking.families import family_row  # which favorites that are items need not wait for

        return np.concatenate([of_rows, np.stack([family_row(items, family) for family in self.families])])

    def labels(self, items: Items) -> list[str]:
        """The name of each row, then of each family."""
        return [*names_of(items, self.rows), *map(items.label, self.families)]


def resolve_likes(items: Items, favorites: Favorites, dislikes: Iterable[str] = ()) -> Likes:
    """The rows of `favorites` and `dislikes`, and their weights.

    There may be none that is liked.

    Raises:
        ContradictoryLikesError: an item has two weights, be it under two names.
        InvalidWeightError: a weight is no finite number.
        UnknownItemError: there is no such item.
        InvalidArgumentError: `favorites` is one text.
    """
    if isinstance(favorites, str):
        raise InvalidArgumentError(f"items is the text {favorites!r}; give a list of items, or use similar()")
    if dislikes or isinstance(favorites, Mapping):
        return _resolve_weights(items, favorites, dislikes)
    return resolve_favorites(items, several(favorites))


def resolve_favorites(items: Items, favorites: Sequence[str]) -> Likes:
    """Favorites without weights; errors are those of `resolve_likes`."""
    try:
        return Likes(items.rows(favorites))
    except UnknownItemError:  # one may be a family, or a spelling away from an item
        found = dict.fromkeys(items.resolve(text) for text in favorites)
        return Likes(_rows_among(found), None, _families_among(found))


def merge_profile(
    items: Items, favorites: Favorites, dislikes: Iterable[str], likes: Mapping[str, float]
) -> dict[str, float]:
    """The favorites of one question and, besides, what a profile likes; the question wins over the profile.

    Args:
        favorites, dislikes: those of the question. What either names counts as they have it, under whatever name.
        likes: the weight of each id that the profile likes or dislikes.

    Returns:
        The weight of each favorite and each like; `dislikes` are still to be counted.

    Raises:
        UnknownItemError, InvalidArgumentError: see `resolve_likes`.
    """
    if isinstance(favorites, str):
        raise InvalidArgumentError(f"items is the text {favorites!r}; give a list of items")
    asked = favorites if isinstance(favorites, Mapping) else dict.fromkeys(several(favorites), 1.0)
    meant = [*map(items.resolve, asked), *map(items.resolve_unwanted, several(dislikes))]
    asked_ids = {items.ids[found] if isinstance(found, int) else found.id for found in meant}
    return {**asked, **{item: weight for item, weight in likes.items() if item not in asked_ids}}


def _resolve_weights(items: Items, favorites: Favorites, dislikes: Iterable[str]) -> Likes:
    weight_of: dict[int | Family, float] = {}
    for item, weight in _pairs(favorites, dislikes):
        found = items.resolve(item) if weight >= 0 else items.resolve_unwanted(item)
        if weight_of.setdefault(found, weight) != weight:
            name = items.label(found)
            both = " and ".join(f"{w:g}" for w in (weight_of[found], weight))
            raise ContradictoryLikesError(
                f"{name} is given the weights {both}, where a dislike is negative; give one", [name]
            )
    rows, families = _rows_among(weight_of), _families_among(weight_of)
    weights = np.array([weight_of[found] for found in (*rows.tolist(), *families)])
    return Likes(rows, None if (weights == 1).all() else weights, families)


def _rows_among(found: Iterable[int | Family]) -> Rows:
    return np.array([one for one in found if isinstance(one, int)], np.int64)


def _families_among(found: Iterable[int | Family]) -> tuple[Family, ...]:
    return tuple(one for one in found if not isinstance(one, int))


def _pairs(favorites: Favorites, dislikes: Iterable[str]) -> Iterator[tuple[str, float]]:
    if isinstance(favorites, Mapping):
        for item, weight in favorites.items():
            yield item, checked_weight(weight)
    else:
        for item in several(favorites):
            yield item, 1.0
    for item in several(dislikes):
        yield item, -1.0
