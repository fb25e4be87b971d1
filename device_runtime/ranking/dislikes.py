"""Dislikes: what is like a disliked item steps back, and all else stays where it was.

To subtract a disliked item from the favorites leaves little where they are alike, as they mostly are: people dislike
what was suggested. So the favorites are asked for as ever, and a row loses twice what its likeness to a disliked item
exceeds a bound by: halfway from where two rows are alike to where they are the same. docs/answers.md
compares this with other rules.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.items import Items
from device_runtime.scoring.integers import Query, integer_query
from device_runtime.scoring.scan import score_rows

_LOSS = 2.0


class Dislike(NamedTuple):
    """One disliked item or family.

    Attributes:
        query: int64 [columns], where it points, as long as `integer_query` makes it.
        weight: its size beside the greatest weight of a favorite.
    """

    query: Query
    weight: float


def make_dislike(items: Items, vector: NDArray[np.int8], weight: float) -> Dislike:
    """The dislike of what has the row `vector` [columns]."""
    towards = items.objective.query_towards(vector.astype(np.int64))
    return Dislike(integer_query(towards.astype(np.float64)), weight)


def compute_loss(items: Items, dislikes: list[Dislike], vectors: NDArray[np.int8]) -> NDArray[np.float64]:
    """What rows [n, columns] lose by each dislike: whole numbers, float64 [dislikes, n].

    They are in the unit of the scores of a query that `integer_query` made.
    """
    lengths = items.objective.lengths(vectors)
    bound = (1 + items.objective.alike_from) / 2
    return np.stack([_loss(dislike, vectors, bound * lengths) for dislike in dislikes])


def _loss(dislike: Dislike, vectors: NDArray[np.int8], least: NDArray[np.float64]) -> NDArray[np.float64]:
    wide = dislike.query.astype(np.float64)
    bound = np.rint(np.sqrt(wide @ wide) * least)
    beyond = np.maximum(score_rows(vectors, dislike.query).astype(np.float64) - bound, 0.0)
    return np.rint(_LOSS * dislike.weight * beyond)
