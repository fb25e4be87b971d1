"""Integer queries and what their scores are worth: the arithmetic that every engine follows.

A query is a sum of int8 rows and a score is an integer dot product, so the order of additions cannot change an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.layout import LARGEST_ENTRY

Rows = NDArray[np.int64]
Query = NDArray[np.int64]
Scores = NDArray[np.floating[Any]]
Ranking = tuple[Rows, NDArray[np.float32]]

EXACT_IN_FLOAT32 = 1 << 24
_EXACT_IN_FLOAT64 = 1 << 53
_ROUNDING = 1e-9  # a sum this small beside what was added is zero but for rounding


def sum_of_rows(table: NDArray[np.int8], rows: Rows) -> Query:
    """The query of some favorites: int64 [columns], the sum of their rows."""
    return np.add.reduce(table[rows], axis=0, dtype=np.int64)


def integer_query(vector: NDArray[np.floating[Any]]) -> Query:
    """`vector`, rounded to the finest integers whose scores are still exact in float32.

    For a query q of norm s, |q . row| <= 127 sum|q| <= 127 s sqrt(D); s is chosen to keep that below 2^24.
    """
    wide = vector.astype(np.float64)
    length = np.sqrt(wide @ wide)
    if length == 0:
        return np.zeros(len(wide), np.int64)
    reach = EXACT_IN_FLOAT32 / (LARGEST_ENTRY * np.sqrt(len(wide))) - np.sqrt(len(wide))
    return np.rint(wide * (reach / length)).astype(np.int64)


def weighted_query(
    vectors: NDArray[np.integer[Any]],
    weights: NDArray[np.float64],
    exact_bias: Callable[[float], float] | None = None,
) -> Query:
    """The weighted sum of `vectors` [n, columns]: int64 [columns].

    Whole weights give the sum itself, if they are small enough for float64 to hold all scores; others are rounded as
    by `integer_query`. A sum that is zero but for rounding is zero.

    Args:
        exact_bias: of rows whose last column is a bias, the query's last entry by the sum of the sizes of the weights.
    """
    count = float(np.abs(weights).sum())
    whole = (weights == np.rint(weights)).all() and count * LARGEST_ENTRY**2 * vectors.shape[1] < _EXACT_IN_FLOAT64
    unit = 1.0 if whole else float(np.abs(weights).max())
    factors = weights.astype(np.int64) if whole else weights / unit
    total = np.add.reduce(factors[:, None] * vectors, axis=0)
    if np.abs(total).max() <= (0 if whole else _ROUNDING * count / unit):
        return np.zeros(len(total), np.int64)
    if exact_bias is not None:
        bias = exact_bias(count) / unit
        total[-1] = round(bias) if whole else bias
    return total if whole else integer_query(total)


def is_exact_in_float32(query: Query) -> bool:
    """Whether no sum on the way to a score can leave the integers that float32 holds exactly."""
    return LARGEST_ENTRY * int(np.abs(query).sum()) < EXACT_IN_FLOAT32


def are_exact_in_float32(queries: NDArray[np.int64]) -> bool:
    """Whether `is_exact_in_float32` holds for all of `queries` [n, columns]."""
    return LARGEST_ENTRY * int(np.abs(queries).sum(axis=1).max()) < EXACT_IN_FLOAT32


def cosines_of_each(scores: NDArray[np.generic], queries: NDArray[np.int64], scale: float) -> NDArray[np.float32]:
    """What `cosines` gives for each line of `scores` [n, rows] and its query: float32 [n, rows]."""
    wide = queries.astype(np.float64)
    squares = np.maximum(np.einsum("ij,ij->i", wide, wide), 1.0).astype(np.float32)
    norms = np.sqrt(squares.astype(np.float64)).astype(np.float32)  # numpy's own float32 root is rough on armv7l
    return scores.astype(np.float32) * (np.float32(scale) / norms)[:, None]


def cosines(scores: Scores, query: Query, scale: float) -> NDArray[np.float32]:
    """Integer scores as cosines; rows times `scale` have a norm of about 1, never above it.

    These are the steps of the file's graph, in its order and precision, so that engines agree to the last bit while the
    square of the query's norm is exact in float32.
    """
    wide = query.astype(np.float64)
    norm = np.float32(math.sqrt(np.float32(max(1.0, wide.dot(wide)))))  # numpy's own float32 root is rough on armv7l
    return scores.astype(np.float32, copy=False) * (np.float32(scale) / norm)
