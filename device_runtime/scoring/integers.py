"""Integer queries, integer scores, exact top-k: the rules that every engine follows.

A query is a sum of int8 rows and a score is an integer dot product, so the order of additions cannot change an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Scores = NDArray[np.floating[Any]]
Ranking = tuple[Rows, NDArray[np.float32]]

EXACT_IN_FLOAT32 = 1 << 24
LARGEST_ENTRY = 127
_BLOCK_BYTES = 1 << 19
_ROWS_IN_GROUP = 32
_GROUPS = 1 << 12
_MANY_ROWS = 1 << 15  # so many that it pays to look only into the groups that hold a great score
QUERIES_AT_ONCE = 64


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
    wide = np.empty((step, table.shape[1]), dtype)
    for start in range(0, len(table), step):
        block = table[start : start + step]
        np.copyto(wide[: len(block)], block)
        np.dot(wide[: len(block)], query, out=scores[start : start + step])
    return scores


def best_of_table(table: NDArray[np.int8], query: NDArray[np.int64], k: int) -> tuple[Rows, Scores]:
    """The rows of the k greatest scores, as `top_k` orders them, and those scores, in one pass that keeps few scores.

    Of a block only the maxima of its groups of rows are kept. The k-th greatest of all maxima is at most the k-th
    greatest score, so the best rows are in groups that reach it: those are scored once more.
    """
    columns = table.shape[1]
    groups = max(1, _BLOCK_BYTES // (columns * 4 * _ROWS_IN_GROUP))
    step = groups * _ROWS_IN_GROUP
    blocks = len(table) // step
    if blocks * groups < 2 * k or not is_exact_in_float32(query):
        scores = scores_of(table, query)
        rows = top_k(scores, k)
        return rows, scores[rows]
    wide_query = query.astype(np.float32)
    maxima = _maxima_of_groups(table[: blocks * step].reshape(blocks, step, columns), wide_query, groups)
    bound = np.partition(maxima, maxima.size - k, axis=None)[maxima.size - k]
    block, group = np.nonzero(maxima >= bound)
    rows = ((block * step + group)[:, None] + np.arange(0, step, groups)).ravel()
    rows = np.concatenate([rows, np.arange(blocks * step, len(table))])
    rows.sort()  # equal scores must rank the lower row first
    scores = scores_of(table[rows], query)
    best_rows = top_k(scores, k)
    return rows[best_rows], scores[best_rows]


def _maxima_of_groups(blocks: NDArray[np.int8], query: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """The greatest score of each group of each of `blocks` [blocks, rows, columns]: float32 [blocks, groups].

    Row r of a block is in group r % groups.
    """
    maxima = np.empty((len(blocks), groups), np.float32)
    wide = np.empty(blocks.shape[1:], np.float32)
    scores = np.empty(blocks.shape[1], np.float32)
    grid = _grid(scores, groups)
    for block, greatest in zip(blocks, maxima, strict=True):
        np.copyto(wide, block)
        np.dot(wide, query, out=scores)
        np.maximum.reduce(grid, axis=0, out=greatest)
    return maxima


def top_k(scores: Scores, k: int) -> Rows:
    """The rows of the k greatest scores, best first, ties by the lower row; -inf is never returned."""
    if k < len(scores):
        rows = within(scores, k, 0.0)
        found = scores.take(rows)
    else:
        rows, found = np.arange(len(scores)), scores
    order = np.negative(found).argsort(kind="stable")[:k]
    if found[order[-1]] == -np.inf:
        order = order[found[order] > -np.inf]
    return rows.take(order)


def at_most_the_kth(scores: Scores, k: int) -> float:
    """The k-th greatest score, or of many scores a bound below it that few others reach.

    The k-th greatest of the maxima of groups will do: k groups hold a score as great.
    """
    groups = _groups(len(scores), k)
    maxima = np.maximum.reduce(_grid(scores, groups)) if groups >= 2 * k else scores.copy()
    maxima.partition(len(maxima) - k)
    return maxima[len(maxima) - k]


def within(scores: Scores, k: int, reach: float) -> Rows:
    """The rows, in order, whose scores are less than the k-th greatest by no more than `reach`, and perhaps others."""
    groups = _groups(len(scores), k)
    if groups < 2 * k or len(scores) <= _MANY_ROWS:
        return (scores >= at_most_the_kth(scores, k) - reach).nonzero()[0]
    grid = _grid(scores, groups)
    maxima = np.maximum.reduce(grid)
    least = np.partition(maxima, groups - k)[groups - k] - reach
    columns = (maxima >= least).nonzero()[0]
    inside, column = (grid.take(columns, axis=1) >= least).nonzero()
    rest = (scores[grid.size :] >= least).nonzero()[0] + grid.size
    return np.concatenate([inside * groups + columns[column], rest])


def _groups(rows: int, k: int) -> int:
    """How many groups of 32 rows or more to take the maxima of; a few thousand are soon looked through."""
    return min(rows // _ROWS_IN_GROUP, max(_GROUPS, 4 * k))


def _grid(scores: Scores, groups: int) -> Scores:
    """A view of `groups` groups of scores, one a column: maxima are faster taken across than along."""
    return scores[: len(scores) // groups * groups].reshape(-1, groups)


def without(rows: Rows, banned: Rows, k: int) -> Rows:
    """The positions of the first k of `rows` that are not among `banned`."""
    if rows.size * banned.size < 1 << 12:  # np.isin takes far longer to start
        return (rows[:, None] != banned).all(axis=1).nonzero()[0][:k]
    return np.flatnonzero(~np.isin(rows, banned))[:k]


def cosines(scores: Scores, query: NDArray[np.int64], scale: float) -> NDArray[np.float32]:
    """Integer scores as cosines; rows times `scale` have a norm of about 1, never above it.

    These are the steps of the file's graph, in its order and precision, so that engines agree to the last bit while the
    square of the query's norm is exact in float32.
    """
    wide = query.astype(np.float64)
    norm = np.float32(math.sqrt(np.float32(max(1.0, wide.dot(wide)))))  # numpy's own float32 root is rough on armv7l
    return scores.astype(np.float32, copy=False) * (np.float32(scale) / norm)


def weighted_query(vectors: NDArray[np.int8], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """The weighted sum of `vectors` [n, columns]: int64 [columns].

    Whole weights give the sum itself, if they are small enough for float64 to hold all scores; others are rounded as
    by `integer_query`. A sum that is zero but for rounding is zero.
    """
    largest = 2**53 / (LARGEST_ENTRY**2 * vectors.shape[1])
    if (weights == np.rint(weights)).all() and np.abs(weights).sum() < largest:
        return np.add.reduce(weights.astype(np.int64)[:, None] * vectors, axis=0, dtype=np.int64)
    shares = weights / np.abs(weights).max()
    total = np.add.reduce(shares[:, None] * vectors, axis=0)
    if np.abs(total).max() <= 1e-9 * np.abs(shares).sum():
        return np.zeros(vectors.shape[1], np.int64)
    return integer_query(total)


def best_of_many(
    take: Callable[[slice | Rows], NDArray[np.int8]], count: int, queries: NDArray[np.float32], k: int
) -> Iterator[tuple[Rows, Scores]]:
    """For each of `queries` [n, columns] what `best_of_table` gives for it, by one matrix product a block of rows.

    Args:
        take: gives rows of the table, int8 [rows, columns], by a slice or by number.
        count: of the rows.
        queries: integers that are exact in float32; of `QUERIES_AT_ONCE`, the scores of a block stay in cache.
        k: at most `count`.
    """
    step = _BLOCK_BYTES // (4 * max(QUERIES_AT_ONCE, len(queries))) // _ROWS_IN_GROUP * _ROWS_IN_GROUP
    groups = step // _ROWS_IN_GROUP
    if count <= step:
        for scores in queries @ take(slice(0, count)).T.astype(np.float32):
            rows = top_k(scores, k)
            yield rows, scores[rows]
        return
    if count // _ROWS_IN_GROUP < 2 * k:  # nearly all groups would be scored again
        for query in queries:
            scores = _scores_by_block(take, count, query, step)
            rows = top_k(scores, k)
            yield rows, scores[rows]
        return
    maxima = _maxima_for_many(take, count, queries, step)
    bounds = np.partition(maxima, maxima.shape[1] - k, axis=1)[:, maxima.shape[1] - k]
    for query, greatest, bound in zip(queries, maxima, bounds, strict=True):
        block, group = np.divmod(np.flatnonzero(greatest >= bound), groups)
        rows = ((block * step + group)[:, None] + np.arange(0, step, groups)).ravel()
        rows = np.sort(rows[rows < count])  # equal scores must rank the lower row first
        scores = take(rows).astype(np.float32) @ query
        best_rows = top_k(scores, k)
        yield rows[best_rows], scores[best_rows]


def _scores_by_block(
    take: Callable[[slice | Rows], NDArray[np.int8]], count: int, query: NDArray[np.float32], step: int
) -> NDArray[np.float32]:
    blocks = (take(slice(start, min(start + step, count))) for start in range(0, count, step))
    return np.concatenate([block.astype(np.float32) @ query for block in blocks])


def _maxima_for_many(
    take: Callable[[slice | Rows], NDArray[np.int8]], count: int, queries: NDArray[np.float32], step: int
) -> NDArray[np.float32]:
    """The greatest score of each group of rows for each query: float32 [queries, groups of all blocks].

    Groups are those of `_maxima_of_groups`; what the last block lacks scores -inf.
    """
    groups = step // _ROWS_IN_GROUP
    starts = range(0, count, step)
    maxima = np.empty((len(queries), len(starts), groups), np.float32)
    wide = np.empty((step, queries.shape[1]), np.float32)
    scores = np.empty((len(queries), step), np.float32)
    grid = scores.reshape(len(queries), _ROWS_IN_GROUP, groups)
    for number, start in enumerate(starts):
        block = take(slice(start, min(start + step, count)))
        np.copyto(wide[: len(block)], block)
        np.dot(queries, wide.T, out=scores)
        scores[:, len(block) :] = -np.inf
        np.maximum.reduce(grid, axis=1, out=maxima[:, number])
    return maxima.reshape(len(queries), -1)
