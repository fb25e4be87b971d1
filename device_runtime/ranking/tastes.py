"""Several tastes in one question: favorites that lie near one another are one taste, and each is answered in its share.

The sum of favorites that have nothing in common points where nothing lives. So near ones are merged as long as two
groups are alike (agglomerative clustering by centroids), and each group asks for its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.scoring.integers import Query, Rows


class Taste(NamedTuple):
    """Favorites that are asked for together.

    Attributes:
        members: their positions among all favorites, ascending.
        query: int64 [columns].
        weight: the sum of theirs.
    """

    members: list[int]
    query: Query
    weight: float


def group_favorites(vectors: NDArray[np.int8], alike_from: float) -> list[list[int]]:
    """The positions of `vectors` [n, dims], grouped: a group is as old as its first member, members ascend.

    While there are two groups whose sums have a cosine of `alike_from` or more, those with the greatest become one, of
    equal ones those with the lowest first members. Sums are integers, so every processor makes the same groups.
    """
    if len(vectors) == 1:
        return [[0]]
    sums = vectors.astype(np.float64)
    products = sums @ sums.T
    squares = products.diagonal().copy()
    cosines = products / np.sqrt(np.maximum(squares[:, None] * squares, 1.0))
    if cosines.min() >= alike_from:  # then all sums are as alike too
        return [list(range(len(vectors)))]
    np.fill_diagonal(cosines, -np.inf)
    groups: dict[int, list[int]] = {place: [place] for place in range(len(vectors))}
    while True:
        kept, merged = sorted(divmod(int(cosines.argmax()), len(vectors)))
        if not cosines[kept, merged] >= alike_from:
            return [sorted(group) for group in groups.values()]
        groups[kept] += groups.pop(merged)
        _merge(sums, squares, cosines, kept, merged)


def _merge(
    sums: NDArray[np.float64], squares: NDArray[np.float64], cosines: NDArray[np.float64], kept: int, merged: int
) -> None:
    gone = np.isneginf(cosines[kept]) & (np.arange(len(sums)) != kept)
    sums[kept] += sums[merged]
    squares[kept] = sums[kept] @ sums[kept]
    of_kept = sums @ sums[kept] / np.sqrt(np.maximum(squares * squares[kept], 1.0))
    of_kept[gone] = of_kept[[kept, merged]] = -np.inf
    cosines[kept] = cosines[:, kept] = of_kept
    cosines[merged] = cosines[:, merged] = -np.inf


def interleave(lists: Sequence[Rows], weights: Sequence[float], k: int) -> list[int]:
    """The k rows of `lists`, each best first, in turns: a list gets turns in proportion to its weight.

    The next turn is that of the list with the greatest weight / (2 turns + 1) (Webster's method of allotment, also
    named after Sainte-Lague), of equal ones that of the fewest turns, then of the first; it gives its best row that is
    not there yet. A list that has no more loses its turn.
    """
    turns = min(k, max(map(len, lists), default=0))  # k may be any number
    shares = np.asarray(weights)[:, None] / np.arange(1, 2 * turns, 2)
    order = np.argsort(-shares.T.ravel(), kind="stable") % len(lists)
    left = [iter(rows.tolist()) for rows in lists]
    taken: dict[int, None] = {}
    for turn in order.tolist():
        for row in left[turn]:
            if row not in taken:
                taken[row] = None
                break
        if len(taken) == k:
            break
    return list(taken)
