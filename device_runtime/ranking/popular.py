"""What to answer somebody who has named nothing yet: the best known items, no two of them much alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.items import Items
from device_runtime.scoring.integers import Ranking

_MOST_AS_WELL_KNOWN = 1 << 12  # are looked through: where nothing is known of a million, all would be


def rank_best_known(items: Items, disliked: NDArray[np.int8], allowed: NDArray[np.bool_], k: int) -> Ranking:
    """The best known rows, spread: of those as well known the next is the one least like all before, and the disliked.

    One that is alike to any of these comes after all others. Of rows as unlike the first comes first. A score is the
    row's share of the greatest popularity, 0 where nothing is known.

    Args:
        disliked: int8 [n, columns].
        allowed: bool [rows], what may come back.
    """
    known = _popularity(items)
    rows = np.flatnonzero(allowed)
    if not len(rows):
        return rows, np.empty(0, np.float32)
    dims = items.model.manifest.dims
    levels = (rows[known[rows] == level] for level in np.unique(known[rows])[::-1])
    spread = _Spread(disliked[:, :dims], items.objective.alike_from)
    chosen: list[int] = []
    for level in levels:
        some = level[:_MOST_AS_WELL_KNOWN]
        chosen += some[spread.choose(items.vectors(some)[:, :dims], k - len(chosen))].tolist()
        if len(chosen) == k:
            break
    rest = rows[np.argsort(-known[rows].astype(np.int16), kind="stable")]
    best = list(dict.fromkeys([*chosen, *rest[: k + len(chosen)].tolist()]))[:k]
    rows = np.array(best, np.int64)
    return rows, (known[rows] / np.float32(max(1, known.max(initial=0)))).astype(np.float32)


def _popularity(items: Items) -> NDArray[np.uint8]:
    known = np.zeros(items.row_count, np.uint8)  # what was added on the device is known to its owner alone
    of_model = items.popularity
    if of_model is not None:
        known[: len(of_model)] = of_model
    return known


class _Spread:
    """Chooses what is least like all that was chosen before."""

    def __init__(self, chosen: NDArray[np.int8], alike_from: float) -> None:
        self._chosen = chosen.astype(np.float64)
        self._alike_from = alike_from

    def choose(self, vectors: NDArray[np.int8], most: int) -> list[int]:
        """The places of up to `most` of `vectors` [n, dims], one by one; none that is alike to one before."""
        wide = vectors.astype(np.float64)
        nearest = np.full(len(wide), -np.inf)
        for one in self._chosen:
            np.maximum(nearest, _cosines(wide, one), out=nearest)
        places: list[int] = []
        while len(places) < most:
            place = int(nearest.argmin())
            if nearest[place] >= self._alike_from:
                break
            places.append(place)
            np.maximum(nearest, _cosines(wide, wide[place]), out=nearest)
        self._chosen = np.concatenate([self._chosen, wide[places]])
        return places


def _cosines(wide: NDArray[np.float64], one: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = np.square(wide).sum(axis=1) * (one @ one)
    cosines: NDArray[np.float64] = wide @ one / np.sqrt(np.maximum(squares, 1.0))
    return cosines
