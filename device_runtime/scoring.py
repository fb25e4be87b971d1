"""Integer queries, integer scores, exact top-k: the rules that every engine follows.

A query is a sum of int8 rows and a score is an integer dot product, so the order of additions cannot change an answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Scores = NDArray[np.floating[Any]]

EXACT_IN_FLOAT32 = 1 << 24
LARGEST_ENTRY = 127
_BLOCK_BYTES = 1 << 18
_SCORES_IN_BLOCK = 64


def sum_of_rows(table: NDArray[np.int8], rows: Rows) -> NDArray[np.int64]:
    """The query of some favorites: int64 [columns], the sum of their rows."""
    return table[rows].sum(axis=0, dtype=np.int64)


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


def is_exact_in_float32(query: NDArray[np.int64]) -> bool:
    """Whether no sum on the way to a score can leave the integers that float32 holds exactly."""
    return LARGEST_ENTRY * int(np.abs(query).sum()) < EXACT_IN_FLOAT32


def scores_of(table: NDArray[np.int8], query: NDArray[np.int64]) -> Scores:
    """The integer scores of all rows for one query, as floats that hold them exactly: [rows].

    The table is widened block by block, so that the copy stays in cache and memory does not grow with the table.
    """
    dtype: type[np.floating[Any]] = np.float32 if is_exact_in_float32(query) else np.float64
    wide = query.astype(dtype)
    scores = np.empty(len(table), dtype)
    step = max(1, _BLOCK_BYTES // (table.shape[1] * wide.itemsize))
    for start in range(0, len(table), step):
        block = table[start : start + step]
        np.matmul(block.astype(dtype), wide, out=scores[start : start + step])
    return scores


def top_k(scores: Scores, k: int) -> Rows:
    """The rows of the k greatest scores, best first, ties by the lower row; -inf is never returned."""
    rows = np.flatnonzero(scores >= _at_most_the_kth(scores, k)) if k < len(scores) else np.arange(len(scores))
    rows = rows[scores[rows] > -np.inf]
    return rows[np.argsort(-scores[rows], kind="stable")][:k]


def _at_most_the_kth(scores: Scores, k: int) -> float:
    """The k-th greatest score, or of many scores a bound below it that few others reach.

    The k-th greatest of the maxima of blocks will do: k blocks hold a score as great.
    """
    blocks = len(scores) // _SCORES_IN_BLOCK
    if blocks >= 2 * k:
        scores = scores[: blocks * _SCORES_IN_BLOCK].reshape(blocks, _SCORES_IN_BLOCK).max(axis=1)
    return np.partition(scores, len(scores) - k)[len(scores) - k]


def best(scores: Scores, query: NDArray[np.int64], k: int, scale: float) -> tuple[Rows, NDArray[np.float32]]:
    """The rows of the k greatest scores, as `top_k` orders them, and their cosines."""
    rows = top_k(scores, k)
    return rows, cosines(scores[rows], query, scale)


def cosines(scores: Scores, query: NDArray[np.int64], scale: float) -> NDArray[np.float32]:
    """Integer scores as cosines; rows times `scale` have a norm of about 1, never above it."""
    wide = query.astype(np.float64)
    return (scores * (scale / max(1.0, float(np.sqrt(wide @ wide))))).astype(np.float32)
