"""Integer queries, integer scores, exact top-k: the rules that every engine follows.

A query is a sum of int8 rows and a score is an integer dot product, so the order of additions cannot change an answer.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Scores = NDArray[np.floating[Any]]

EXACT_IN_FLOAT32 = 1 << 24
LARGEST_ENTRY = 127
_BLOCK_BYTES = 1 << 19
_ROWS_IN_GROUP = 64
_MANY_GROUPS = 4096
_FEW = 256
_THREAD = threading.local()


def sum_of_rows(table: NDArray[np.int8], rows: Rows) -> NDArray[np.int64]:
    """The query of some favorites: int64 [columns], the sum of their rows."""
    return np.add.reduce(table[rows], axis=0, dtype=np.int64)


def integer_query(vector: NDArray[np.float32]) -> NDArray[np.int64]:
    """`vector`, rounded to the finest integers whose scores are still exact in float32.

    For a query q of norm s, |q . row| <= 127 sum|q| <= 127 s sqrt(D); s is chosen to keep that below 2^24.
    """
    wide = vector.astype(np.float64)
    length = np.sqrt(wide @ wide)
    if length == 0:
        return np.zeros(len(wide), np.int64)
    reach = EXACT_IN_FLOAT32 / (LARGEST_ENTRY * np.sqrt(len(wide))) - np.sqrt(len(wide))
    return np.rint(wide * (reach / length)).astype(np.int64)


def exact_favorites(columns: int) -> int:
    """How many rows may be added to a query that is surely exact in float32."""
    return (EXACT_IN_FLOAT32 - 1) // (LARGEST_ENTRY**2 * columns)


def is_exact_in_float32(query: NDArray[np.int64]) -> bool:
    """Whether no sum on the way to a score can leave the integers that float32 holds exactly."""
    return LARGEST_ENTRY * int(np.abs(query).sum()) < EXACT_IN_FLOAT32


def scores_of(table: NDArray[np.int8], query: NDArray[np.int64]) -> Scores:
    """The integer scores of all rows for one query, as floats that hold them exactly: [rows].

    The table is widened block by block, so that the copy stays in cache and memory does not grow with the table.
    """
    dtype: type[np.floating[Any]] = np.float32 if is_exact_in_float32(query) else np.float64
    query = query.astype(dtype)
    scores = np.empty(len(table), dtype)
    step = min(len(table), max(1, _BLOCK_BYTES // (table.shape[1] * query.itemsize)))
    wide = _buffer(step, table.shape[1], dtype)
    whole = len(table) // step * step
    for block, of_block in zip(table[:whole].reshape(-1, *wide.shape), scores[:whole].reshape(-1, step), strict=True):
        np.copyto(wide, block)
        np.dot(wide, query, out=of_block)
    if whole < len(table):
        np.dot(table[whole:].astype(dtype), query, out=scores[whole:])
    return scores


def _buffer(rows: int, columns: int, dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Of this thread, and kept: memory fresh from the system would cost as much as the product."""
    kept: NDArray[np.floating[Any]] | None = getattr(_THREAD, "wide", None)
    if kept is None or kept.shape != (rows, columns) or kept.dtype != dtype:
        kept = _THREAD.wide = np.empty((rows, columns), dtype)
    return kept


def top_k(scores: Scores, k: int) -> Rows:
    """The rows of the k greatest scores, best first, ties by the lower row; -inf is never returned."""
    rows = within(scores, k, 0) if k < len(scores) else np.arange(len(scores))
    found = scores[rows]
    order = np.negative(found).argsort(kind="stable")[:k]
    if found[order[-1]] == -np.inf:
        order = order[found[order] > -np.inf]
    return rows[order]


def within(scores: Scores, k: int, reach: float) -> Rows:
    """The rows, in order, whose scores are less than the k-th greatest by no more than `reach`, and perhaps others.

    In place of the k-th greatest score the k-th greatest of the maxima of groups will do, which is no greater, as k
    groups hold a score as great. Of many scores only those of groups whose maxima are great enough are looked at.
    """
    groups = len(scores) // _ROWS_IN_GROUP
    if groups < 2 * k:
        return (scores >= np.partition(scores, len(scores) - k)[len(scores) - k] - reach).nonzero()[0]
    grid = scores[: groups * _ROWS_IN_GROUP].reshape(_ROWS_IN_GROUP, groups)  # maxima are faster across than along
    maxima = np.maximum.reduce(grid)
    least = np.partition(maxima, groups - k)[groups - k] - reach
    if groups < _MANY_GROUPS:
        return (scores >= least).nonzero()[0]
    columns = (maxima >= least).nonzero()[0]
    inside, column = (grid.take(columns, axis=1) >= least).nonzero()
    rows = np.concatenate([inside * groups + columns[column], (scores[grid.size :] >= least).nonzero()[0] + grid.size])
    rows.sort()
    return rows


def without(rows: Rows, banned: Rows, k: int) -> Rows:
    """The positions of the first k of `rows` that are not among `banned`."""
    if len(rows) + len(banned) > _FEW:
        return np.flatnonzero(~np.isin(rows, banned))[:k]
    taken = set(banned.tolist())  # np.isin takes far longer to start
    return np.array([place for place, row in enumerate(rows.tolist()) if row not in taken][:k], np.int64)


def best(scores: Scores, query: NDArray[np.int64], k: int, scale: float) -> tuple[Rows, NDArray[np.float32]]:
    """The rows of the k greatest scores, as `top_k` orders them, and their cosines."""
    rows = top_k(scores, k)
    return rows, cosines(scores[rows], query, scale)


def cosines(scores: Scores | NDArray[np.int64], query: NDArray[np.int64], scale: float) -> NDArray[np.float32]:
    """Integer scores as cosines; rows times `scale` have a norm of about 1, never above it."""
    wide = query.astype(np.float64)
    return (scores * (scale / max(1.0, math.sqrt(wide @ wide)))).astype(np.float32)
