"""The engine for large tables: an interpreter proposes candidates, which are then scored exactly."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.group_maxima import group_maxima
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.tflite_engine import load_interpreter, quietly
from device_runtime.errors import MissingEngineError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import Ranking, Rows, Scores
from device_runtime.scoring.objectives import objective_of
from device_runtime.scoring.scan import Best, score_rows
from device_runtime.scoring.top_k import positions_without, rows_within_reach, top_k

_MOST_CANDIDATES = 1 << 14
_GROUPS_TO_A_RESULT = 4
_GROUP, _GROUP_OF_LARGE, _LARGE = 8, 32, 1 << 18  # rows: fewer are scored again, or fewer maxima looked through
_TRIED_ROWS = 8
_TRIED_PRODUCTS = 1 << 12


class ProposingEngine:
    """Lets an interpreter propose rows by 8-bit products, many times faster than in float, and scores those exactly.

    A query q is rounded to s h, where h is what the interpreter's own rounding of a query to 8 bits leaves as it is. So
    the products h . r come back exact, and q . r differs from s h . r by no more than |q - s h| |r|. Of each group of
    some rows only the greatest product comes back. All rows of every group that could hold one of the best by that
    bound are scored in integers; where too many could, numpy scans the table.

    The interpreter gets a model made from the table, which is copied: it reads none that is only mapped.
    """

    name = "tflite"

    def __init__(self, model: ModelFile, module: str) -> None:
        self._table = model.table
        self._objective = objective_of(model)
        self._by_numpy = NumpyEngine(model, resident=False)
        self._size = _GROUP if len(model.table) < _LARGE else _GROUP_OF_LARGE
        self._interpreter = load_interpreter(module, model, group_maxima(model.table, self._size), delegate=True)
        with quietly():
            self._interpreter.allocate_tensors()
        self._vector = self._interpreter.get_input_details()[0]["index"]
        self._maxima = self._interpreter.tensor(self._interpreter.get_output_details()[0]["index"])
        self._in_groups = len(model.table) // self._size * self._size
        self._offsets = np.arange(self._size)
        self._rest = np.arange(self._in_groups, len(model.table))
        self._longest = _longest(model.table)
        self._turn = threading.Lock()
        self._round = self._lossless(module)

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        query = self._objective.query_of_rows(rows)
        candidates = self._candidates(query, k + len(rows))
        if candidates is None:
            return self._by_numpy.nearest(rows, k)
        found, scores = self._best(candidates, query, k + len(rows))
        kept = positions_without(found, rows, k)
        return found[kept], self._objective.cosines(scores[kept], query)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        candidates = self._candidates(query, k)
        if candidates is None:
            return self._by_numpy.search(query, k)
        found, scores = self._best(candidates, query, k)
        return found, self._objective.cosines(scores, query)

    def search_each(self, queries: NDArray[np.int64], banned: Rows, k: int) -> list[Best]:
        """See `Engine.search_each`."""
        return self._by_numpy.search_each(queries, banned, k)

    def _best(self, candidates: Rows, query: NDArray[np.int64], k: int) -> tuple[Rows, Scores]:
        scores = score_rows(self._table.take(candidates, axis=0), query)
        best = top_k(scores, k)
        return candidates.take(best), scores.take(best)

    def _candidates(self, query: NDArray[np.int64], k: int) -> Rows | None:
        """Rows in order, the best k among them; None where they are too many to be worth it.

        The k-th best exact score may be less than the k-th greatest maximum by what rounding can take away, and a row
        as good as that may have lost as much.
        """
        if k * _GROUPS_TO_A_RESULT * self._size > self._in_groups or not query.any():
            return None
        rounded = self._round(query)
        reach = 2 * rounded.error * self._longest / rounded.step
        with self._turn:
            groups = rows_within_reach(self._ask(rounded.entries), k, reach)
        if len(groups) > _MOST_CANDIDATES // self._size:
            return None
        rows: Rows = ((groups * self._size)[:, None] + self._offsets).ravel()
        return np.concatenate([rows, self._rest]) if len(self._rest) else rows

    def _ask(self, entries: NDArray[np.float32]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._vector, entries[None])
        self._interpreter.invoke()
        maxima: NDArray[np.float32] = self._maxima().reshape(-1)
        return maxima

    def _lossless(self, module: str) -> Callable[[NDArray[np.int64]], Rounded]:
        """The rounding that this interpreter keeps, as a try on some queries shows."""
        rows = np.linspace(0, len(self._table) - 1, _TRIED_ROWS).astype(np.int64)
        queries = [query for query in self._table[rows].astype(np.int64) if query.any()]
        for rounding in (to_255_steps, to_127_steps):
            if all(self._keeps(rounding(query).entries) for query in queries):
                return rounding
        raise MissingEngineError(f"{module} rounds queries in a way that is not known; use engine 'numpy'")

    def _keeps(self, entries: NDArray[np.float32]) -> bool:
        some = self._table[: min(_TRIED_PRODUCTS, self._in_groups) // self._size * self._size]
        expected = score_rows(some, entries.astype(np.int64)).reshape(-1, self._size).max(axis=1)
        return np.array_equal(self._ask(entries)[: len(expected)], expected)


class Rounded(NamedTuple):
    """A query as `step` times whole numbers, `entries`, and the length of what that leaves out."""

    entries: NDArray[np.float32]
    step: float
    error: float


def to_127_steps(query: NDArray[np.int64]) -> Rounded:
    """Whole numbers of which the largest is 127 or -127: kept by rounding to 8 bits with zero in their middle."""
    step = int(np.abs(query).max()) / 127
    return _rounded(query, step, np.rint(query / step))


def to_255_steps(query: NDArray[np.int64]) -> Rounded:
    """Whole numbers whose range, zero within, spans 255: kept by rounding to 8 bits with zero anywhere."""
    least, greatest = min(0, int(query.min())), max(0, int(query.max()))
    step = (greatest - least) / 255
    entries = np.rint(query / step)
    if greatest > 0:
        entries[query.argmax()] = 255 + round(least / step)  # both ends may have been rounded the same way
    return _rounded(query, step, entries)


def _rounded(query: NDArray[np.int64], step: float, entries: NDArray[np.float64]) -> Rounded:
    left_out = query - step * entries
    return Rounded(entries.astype(np.float32), step, math.sqrt(left_out @ left_out) * (1 + 1e-6))


def _longest(table: NDArray[np.int8]) -> float:
    """The norm of the longest row, in integers."""
    step = 1 << 12
    squares = 0.0
    for start in range(0, len(table), step):
        wide = table[start : start + step].astype(np.float32)
        squares = max(squares, float(np.einsum("ij,ij->i", wide, wide).max()))
    return float(np.sqrt(squares))
