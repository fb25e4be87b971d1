"""What favorites and dislikes ask for: a query for each taste, and what is to step back."""

from __future__ import annotations

from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Blend
from device_runtime.errors import ContradictoryLikesError, InvalidArgumentError
from device_runtime.items.items import Items
from device_runtime.ranking.dislikes import Dislike, compute_loss, make_dislike
from device_runtime.ranking.likes import Likes
from device_runtime.ranking.tastes import Taste, group_favorites
from device_runtime.scoring.integers import Rows, integer_query


class Question(NamedTuple):
    """What is asked of the rows.

    Attributes:
        likes: what was named.
        tastes: none where nothing is liked.
        banned: rows that must not come back: those named, and all of a disliked family.
    """

    likes: Likes
    tastes: list[Taste]
    dislikes: list[Dislike]
    banned: Rows

    @property
    def is_one_query(self) -> bool:
        """Whether a score is the product of a row and the one query."""
        return len(self.tastes) == 1 and not self.dislikes

    @property
    def queries(self) -> NDArray[np.int64]:
        """Those of the tastes: int64 [tastes, columns]."""
        return np.array([taste.query for taste in self.tastes])

    def score(self, items: Items, rows: Rows) -> NDArray[np.float32]:
        """The score of some rows by each taste: float32 [tastes, rows]."""
        vectors = items.vectors(rows)
        loss = compute_loss(items, self.dislikes, vectors).sum(axis=0) if self.dislikes else 0
        queries = self.queries
        return items.objective.cosines_of_each(queries @ vectors.T.astype(np.int64) - loss, queries)


def check_blend(items: Items, blend: Blend | None) -> Blend:
    """How to blend tastes: the default of the model where it is None.

    Raises:
        InvalidArgumentError: there is no such way.
    """
    if blend is None:
        return "each" if items.objective.best_is_alike else "together"
    if blend not in get_args(Blend):
        raise InvalidArgumentError(f"blend is {blend!r}; give one of {', '.join(get_args(Blend))}")
    return blend


def form_question(items: Items, likes: Likes, blend: Blend | None) -> Question:
    """The question that `likes` come to.

    Raises:
        ContradictoryLikesError: favorites cancel one another out.
        InvalidArgumentError: there is no such `blend`, or a family has no items.
    """
    vectors, weights, blend = likes.vectors(items), likes.weights, check_blend(items, blend)
    if weights is None:
        liked, disliked = np.arange(len(vectors)), np.empty(0, np.int64)
    else:
        liked, disliked = np.flatnonzero(weights > 0), np.flatnonzero(weights < 0)
    if not len(liked):
        return Question(likes, [], [], _banned(items, likes))
    groups = [list(range(len(liked)))]
    if blend == "each" and len(liked) > 1:
        groups = group_favorites(vectors[liked, : items.model.manifest.dims], items.objective.alike_from)
    tastes = _make_tastes(items, likes, vectors, [liked[group].tolist() for group in groups])
    if weights is None or not len(disliked):
        return Question(likes, tastes, [], likes.rows)
    greatest = float(weights.max())
    dislikes = [make_dislike(items, vectors[place], -float(weights[place]) / greatest) for place in disliked]
    # as long as every dislike, so that what it takes away means the same in each question
    scaled = [taste._replace(query=integer_query(taste.query.astype(np.float64))) for taste in tastes]
    return Question(likes, scaled, dislikes, _banned(items, likes))


def _make_tastes(items: Items, likes: Likes, vectors: NDArray[np.int8], groups: list[list[int]]) -> list[Taste]:
    queries = items.objective.query_of_each(vectors, likes.weights, groups)
    if not queries.any(axis=1).all():
        labels = likes.labels(items)
        names = [labels[member] for member in groups[int(queries.any(axis=1).argmin())]]
        raise ContradictoryLikesError(f"{', '.join(names)} cancel one another out; change a weight", names)
    if likes.weights is None:
        return [Taste(group, query, float(len(group))) for group, query in zip(groups, queries, strict=True)]
    weights = [float(likes.weights[group].sum()) for group in groups]
    return [Taste(*parts) for parts in zip(groups, queries, weights, strict=True)]


def _banned(items: Items, likes: Likes) -> Rows:
    """What was named, and all items of the families that are disliked."""
    weights = () if likes.weights is None else likes.weights[len(likes.rows) :].tolist()
    of_families = zip(likes.families, weights, strict=False)
    return np.concatenate([likes.rows, *(items.families.rows(family) for family, weight in of_families if weight < 0)])
