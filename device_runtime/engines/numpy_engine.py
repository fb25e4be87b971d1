"""The engine that needs no interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.base import ShortCut
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import Ranking, Rows, Scores, are_exact_in_float32, is_exact_in_float32
from device_runtime.scoring.objectives import objective_of
from device_runtime.scoring.scan import Best, best_of_rows, best_of_table, score_rows
from device_runtime.scoring.top_k import positions_without, top_k, top_k_of_each

_RESIDENT_TABLE_BYTES = 1 << 24
_MOST_SCORES_AT_ONCE = 1 << 20
_NONE: Rows = np.empty(0, np.int64)


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

    def search_each(
        self, queries: NDArray[np.int64], banned: Sequence[Rows], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[Best]:
        """See `Engine.search_each`."""
        few = len(queries) * len(self._table) <= _MOST_SCORES_AT_ONCE
        if self._transposed is not None and few and are_exact_in_float32(queries):
            scores: Scores = queries.astype(np.float32).dot(self._transposed)
        elif len(queries) == 1 and allowed is not None:
            scores = score_rows(self._table, queries[0])[None]
        else:
            return self._search_blocks(queries, banned, k, allowed)
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        for line, rows in zip(scores, banned, strict=True):
            line[rows] = -np.inf
        return top_k_of_each(scores, k)

    def _search_blocks(
        self, queries: NDArray[np.int64], banned: Sequence[Rows], k: int, allowed: NDArray[np.bool_] | None
    ) -> list[Best]:
        """Scores a block of rows for all queries, then the next."""
        table, kept = self._table, None if allowed is None else np.flatnonzero(allowed)
        count = len(table) if kept is None else len(kept)
        most = min(k + max(map(len, banned)), count)
        if not most:
            return [(_NONE, np.empty(0, np.float32)) for _ in banned]
        take = table.__getitem__ if kept is None else lambda places: table[kept[places]]
        found = []
        for (places, scores), rows in zip(best_of_rows(take, count, queries, most), banned, strict=True):
            best = places if kept is None else kept[places]
            left = positions_without(best, rows, k)
            found.append((best[left], scores[left]))
        return found

    def open_short_cut(
        self,
        ids: Sequence[str],  # noqa: ARG002 - an engine that knows none
        names: Sequence[str],  # noqa: ARG002
        row_of_id: Callable[[], Mapping[str, int]],  # noqa: ARG002
    ) -> ShortCut | None:
        """See `Engine.open_short_cut`."""
        return None

    def _best(self, scores: Scores, query: NDArray[np.int64], k: int) -> Ranking:
        rows = top_k(scores, k)
        return rows, self._objective.cosines(scores.take(rows), query)
