"""Scans the table, or some of its rows, block by block, so that what is widened to floats stays in cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.scoring.integers import Query, Rows, Scores, is_exact_in_float32
from device_runtime.scoring.top_k import ROWS_IN_GROUP, top_k

QUERIES_AT_ONCE = 64  # of so many, the scores of a block stay in cache
_BLOCK_BYTES = 1 << 19
_BYTES = 4  # of a float32

Take = Callable[[slice | Rows], NDArray[np.int8]]
Best = tuple[Rows, Scores]


def score_rows(table: NDArray[np.int8], query: Query) -> Scores:
    """The integer scores of all rows for one query, as floats that hold them exactly: [rows]."""
    return _scores(table.__getitem__, len(table), query)


def best_of_table(table: NDArray[np.int8], query: Query, k: int) -> Best:
    """The rows of the k greatest scores, as `top_k` orders them, and those scores; k is at most the number of rows."""
    if len(table) <= _rows_in_block(1, len(query)) or not is_exact_in_float32(query):
        return _best(score_rows(table, query), k)

    def take(places: slice | Rows) -> NDArray[np.int8]:
        return table[places] if isinstance(places, slice) else table.take(places, axis=0)  # which is faster

    return next(_best_of_exact(take, len(table), query[None].astype(np.float32), k))


def best_of_rows(take: Take, count: int, queries: NDArray[np.int64], k: int) -> Iterator[Best]:
    """For each query the places of the k greatest scores, as `top_k` orders them, and those scores.

    Queries that float32 answers exactly are scored together, in one pass that keeps few scores.

    Args:
        take: gives rows, int8 [rows, columns], by a slice of their places or by their places.
        count: of the rows.
        queries: int64 [n, columns]; of up to `QUERIES_AT_ONCE`, the scores of a block stay in cache.
        k: from 1 to `count`.
    """
    exact = [is_exact_in_float32(query) for query in queries]
    together = _best_of_exact(take, count, queries[exact].astype(np.float32), k)
    for query, fits in zip(queries, exact, strict=True):
        yield next(together) if fits else _best(_scores(take, count, query), k)


def _best_of_exact(take: Take, count: int, queries: NDArray[np.float32], k: int) -> Iterator[Best]:
    """Of a block only the maxima of its groups of rows are kept.

    The k-th greatest of all maxima is at most the k-th greatest score, so the best rows are in groups that reach it:
    those are scored once more.
    """
    step = _rows_in_block(*queries.shape)
    groups = step // ROWS_IN_GROUP
    if count <= step:
        for scores in queries @ take(slice(0, count)).T.astype(np.float32):
            yield _best(scores, k)
        return
    if count // ROWS_IN_GROUP < 2 * k:  # nearly all groups would be scored again
        for query in queries:
            yield _best(_scores(take, count, query), k)
        return
    maxima = _maxima_of_groups(take, count, queries, step)
    bounds = np.partition(maxima, maxima.shape[1] - k, axis=1)[:, maxima.shape[1] - k]
    for query, greatest, bound in zip(queries, maxima, bounds, strict=True):
        block, group = np.divmod(np.flatnonzero(greatest >= bound), groups)
        rows = ((block * step + group)[:, None] + np.arange(0, step, groups)).ravel()
        rows = np.sort(rows[rows < count])  # equal scores must rank the lower row first
        best, scores = _best(take(rows).astype(np.float32) @ query, k)
        yield rows[best], scores


def _maxima_of_groups(take: Take, count: int, queries: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """The greatest score of each group of rows for each query: float32 [queries, groups of all blocks].

    Row r of a block of `step` rows is in group r % groups; what the last block lacks scores -inf.
    """
    groups = step // ROWS_IN_GROUP
    starts = range(0, count, step)
    maxima = np.empty((len(queries), len(starts), groups), np.float32)
    wide = np.zeros((step, queries.shape[1]), np.float32)
    scores = np.empty((len(queries), step), np.float32)
    grid, columns = scores.reshape(len(queries), ROWS_IN_GROUP, groups), wide.T
    for number, start in enumerate(starts):
        block = take(slice(start, start + step))
        np.copyto(wide if len(block) == step else wide[: len(block)], block)
        np.dot(queries, columns, out=scores)
        if len(block) < step:
            scores[:, len(block) :] = -np.inf
        np.maximum.reduce(grid, axis=1, out=maxima[:, number])
    return maxima.reshape(len(queries), -1)


def _rows_in_block(queries: int, columns: int) -> int:
    """As many as stay in cache, widened, with their scores: a multiple of the rows in a group."""
    return max(1, _BLOCK_BYTES // (_BYTES * max(queries, columns) * ROWS_IN_GROUP)) * ROWS_IN_GROUP


def _best(scores: Scores, k: int) -> Best:
    rows = top_k(scores, k)
    return rows, scores[rows]


def _scores(take: Take, count: int, query: NDArray[Any]) -> Scores:
    dtype: type[np.floating[Any]] = np.float32 if is_exact_in_float32(query) else np.float64
    query = query.astype(dtype)
    scores = np.empty(count, dtype)
    step = max(1, min(count, _BLOCK_BYTES // (len(query) * query.itemsize)))
    wide = np.empty((step, len(query)), dtype)
    for start in range(0, count, step):
        block = take(slice(start, start + step))
        np.copyto(wide[: len(block)], block)
        np.dot(wide[: len(block)], query, out=scores[start : start + len(block)])
    return scores
