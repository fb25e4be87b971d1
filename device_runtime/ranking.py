"""The one integer path for all that an engine does not know: weights, filters and changes made on the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from device_runtime import scoring
from device_runtime.catalog import Catalog
from device_runtime.filters import Filter
from device_runtime.scoring import Rows, Scores

Ranking = tuple[Rows, NDArray[np.float32]]
Query = NDArray[np.int64]


def ranked(catalog: Catalog, query: Query, k: int, banned: Rows, where: Filter | None) -> Ranking:
    """The k rows with the greatest scores that meet `where`, and their cosines; ties by the lower row.

    So the rows of the model come before those that were added, and these in order.
    """
    rows, scores = (_among_all if not where else _among_some)(catalog, query, k, banned, where or {})
    return rows, scoring.cosines(scores, query, catalog.model.manifest.scale)


def _among_some(catalog: Catalog, query: Query, k: int, banned: Rows, where: Filter) -> tuple[Rows, Scores]:
    allowed = catalog.allowed(where)
    allowed[banned] = False
    scores = scoring.scores_of(catalog.model.table, query)
    if len(catalog.added_rows):
        scores = np.concatenate([scores, scoring.scores_of(catalog.added_rows, query)])
    scores[~allowed] = -np.inf
    rows = scoring.top_k(scores, k)
    return rows, scores[rows]


def _among_all(catalog: Catalog, query: Query, k: int, banned: Rows, _: Filter) -> tuple[Rows, Scores]:
    table, added = catalog.model.table, catalog.added_rows
    banned = np.concatenate([banned, catalog.removed])
    rows, scores = scoring.best_of_table(table, query, min(k + len(banned), len(table)))
    if len(added):
        rows = np.concatenate([rows, np.arange(len(table), catalog.row_count)])
        scores = np.concatenate([scores, scoring.scores_of(added, query)])
    kept = scoring.without(rows, banned, len(rows))
    best = np.negative(scores[kept]).argsort(kind="stable")[:k]
    return rows[kept[best]], scores[kept[best]]


class Batch:
    """Ranks for many queries, some at a time, over the same rows.

    Args:
        excluded: rows that never come back, beside those of each query's own.
    """

    def __init__(self, catalog: Catalog, excluded: Rows, where: Filter | None) -> None:
        self._catalog = catalog
        self._excluded = excluded
        self._where = where
        # The rows to score, ascending; None for all those of the model.
        self._rows = np.flatnonzero(catalog.allowed(where or {})) if where or catalog.changed else None
        self._count = catalog.row_count if self._rows is None else len(self._rows)

    def ranked(self, asked: Iterable[tuple[Query, Rows]], k: int) -> Iterator[Ranking]:
        """The ranking for each query and the rows that must not come back for it, as `ranked` would give it."""
        remaining = ((query, np.concatenate([banned, self._excluded])) for query, banned in asked)
        at_once = scoring.queries_at_once(self._count)
        while some := list(islice(remaining, at_once)):
            yield from self._together(some, k)

    def _together(self, asked: list[tuple[Query, Rows]], k: int) -> Iterator[Ranking]:
        exact = [scoring.is_exact_in_float32(query) for query, _ in asked]
        queries = np.array([query for (query, _), fits in zip(asked, exact, strict=True) if fits], np.float32)
        most = min(k + max(len(banned) for _, banned in asked), self._count)
        found = iter(scoring.best_of_many(self._take, self._count, queries, most) if len(queries) and most else ())
        scale = self._catalog.model.manifest.scale
        for (query, banned), fits in zip(asked, exact, strict=True):
            if not fits:
                yield ranked(self._catalog, query, k, banned, self._where)
                continue
            places, scores = next(found, (np.empty(0, np.int64), np.empty(0, np.float32)))
            rows = places if self._rows is None else self._rows[places]
            kept = scoring.without(rows, banned, k)
            yield rows[kept], scoring.cosines(scores[kept], query, scale)

    def _take(self, places: slice | Rows) -> NDArray[np.int8]:
        if self._rows is None:
            return self._catalog.model.table[places]
        return self._catalog.vectors(self._rows[places])
