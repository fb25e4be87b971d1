"""The engine that needs no interpreter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import Ranking, Rows, Scores, are_exact_in_float32, is_exact_in_float32
from device_runtime.scoring.objectives import objective_of
from device_runtime.scoring.scan import Best, best_of_rows, best_of_table
from device_runtime.scoring.top_k import positions_without, top_k, top_k_of_each

_RESIDENT_TABLE_BYTES = 1 << 24


class NumpyEngine:
    """Maps the table and multiplies.

    Args:
        resident: keep a table of up to 4 million entries in float32 as well, which makes answers faster.
    """

    name = "numpy"

    def __init__(self, model: ModelFile, *, resident: bool = True) -> None:
        self._table = model.table
        self._objective = objective_of(model)
        small = resident and self._table.size * 4 <= _RESIDENT_TABLE_BYTES
        self._transposed = np.ascontiguousarray(self._table.T, np.float32) if small else None

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        query = self._objective.query_of_rows(rows)
        if self._transposed is not None and len(rows) <= self._objective.exact_favorites:
            scores = query.astype(np.float32).dot(self._transposed)
            scores[rows] = -np.inf
            return self._best(scores, query, k)
        found, best = best_of_table(self._table, query, min(k + len(rows), len(self._table)))
        kept = positions_without(found, rows, k)
        return found[kept], self._objective.cosines(best[kept], query)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if self._transposed is not None and is_exact_in_float32(query):
            return self._best(query.astype(np.float32).dot(self._transposed), query, k)
        found, best = best_of_table(self._table, query, k)
        return found, self._objective.cosines(best, query)

    def search_each(self, queries: NDArray[np.int64], banned: Rows, k: int) -> list[Best]:
        """See `Engine.search_each`."""
        if self._transposed is None or not are_exact_in_float32(queries):
            most = min(k + len(banned), len(self._table))
            best = list(best_of_rows(self._table.__getitem__, len(self._table), queries, most))
            kept = [positions_without(rows, banned, k) for rows, _ in best]
            return [(rows[places], scores[places]) for (rows, scores), places in zip(best, kept, strict=True)]
        scores = queries.astype(np.float32).dot(self._transposed)
        scores[:, banned] = -np.inf
        return top_k_of_each(scores, k)

    def _best(self, scores: Scores, query: NDArray[np.int64], k: int) -> Ranking:
        rows = top_k(scores, k)
        return rows, self._objective.cosines(scores.take(rows), query)
