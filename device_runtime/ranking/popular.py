"""What to answer who has named nothing yet: the best known items, no two of them much alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.items import Items
from device_runtime.scoring.integers import Ranking, Rows

_LOOKED_THROUGH = 64  # of so many candidates for each result the most unlike are taken


def rank_best_known(items: Items, disliked: NDArray[np.int8], allowed: NDArray[np.bool_], k: int) -> Ranking:
    """The best known rows, spread: one that is alike to one before, or to a disliked one, comes last.

    Of rows as well known, and where a file says nothing of that, the first come first. A score is the row's share of
    the greatest popularity, 0 where nothing is known.

    Args:
        disliked: int8 [n, columns].
        allowed: bool [rows], what may come back.
    """
    known = _popularity(items)
    rows = np.flatnonzero(allowed)
    if not len(rows):
        return rows, np.empty(0, np.float32)
    rows = rows[np.argsort(-known[rows].astype(np.int16), kind="stable")][: k * _LOOKED_THROUGH]
    dims = items.model.manifest.dims
    rows = rows[_spread(items.vectors(rows)[:, :dims], disliked[:, :dims], items.objective.alike_from, k)]
    return rows, (known[rows] / np.float32(max(1, known.max(initial=0)))).astype(np.float32)


def _popularity(items: Items) -> NDArray[np.uint8]:
    known = np.zeros(items.row_count, np.uint8)  # what was added on the device is known to its owner alone
    of_model = items.popularity
    if of_model is not None:
        known[: len(of_model)] = of_model
    return known


def _spread(vectors: NDArray[np.int8], disliked: NDArray[np.int8], alike_from: float, k: int) -> Rows:
    """The first k positions that are not alike to an earlier one of them; then, if these are fewer, the other ones."""
    wide = vectors.astype(np.float64)
    least = alike_from * _lengths(wide)
    alike = np.zeros(len(wide), bool)
    for vector in disliked.astype(np.float64):
        alike |= wide @ vector >= least * _lengths(vector)
    chosen: list[int] = []
    for place in range(len(wide)):
        if len(chosen) == k:
            break
        if not alike[place]:
            chosen.append(place)
            alike |= wide @ wide[place] >= least * _lengths(wide[place])
    rest = np.setdiff1d(np.arange(len(wide)), chosen)
    return np.concatenate([chosen, rest])[:k].astype(np.int64)


def _lengths(wide: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(np.square(wide).sum(axis=-1), 1.0))
