"""Many questions at once: a block of rows is scored for several of them by one matrix product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice, repeat

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import InvalidArgumentError
from device_runtime.items.attributes import Filter
from device_runtime.items.items import Items
from device_runtime.ranking.likes import Favorites, likes_of, query_of
from device_runtime.ranking.ranker import Query, Ranking
from device_runtime.scoring.integers import Rows
from device_runtime.scoring.scan import QUERIES_AT_ONCE, best_of_rows
from device_runtime.scoring.top_k import positions_without


class Batch:
    """Ranks for many queries, some at a time, over the same rows.

    Args:
        excluded: rows that never come back, beside those of each query's own.
    """

    def __init__(self, catalog: Items, excluded: Rows, where: Filter | None) -> None:
        self._catalog = catalog
        self._excluded = excluded
        # The rows to score, ascending; None for all those of the model.
        self._rows = np.flatnonzero(catalog.allowed(where or {})) if where or catalog.changed else None
        self._count = catalog.row_count if self._rows is None else len(self._rows)

    def rankings(self, baskets: Iterable[Favorites], k: int) -> Iterator[Ranking]:
        """For each basket the ranking that `ranked` would give; memory does not grow with their number."""
        asked = (self._asked(number, items) for number, items in enumerate(baskets))
        while some := list(islice(asked, QUERIES_AT_ONCE)):
            yield from self._together(some, k)

    def _asked(self, number: int, items: Favorites) -> tuple[Query, Rows]:
        with naming_basket(number):
            likes = likes_of(self._catalog, items, ())
            return query_of(self._catalog, likes), np.concatenate([likes.rows, self._excluded])

    def _together(self, asked: list[tuple[Query, Rows]], k: int) -> Iterator[Ranking]:
        queries = np.array([query for query, _ in asked])
        most = min(k + max(len(banned) for _, banned in asked), self._count)
        nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
        found = best_of_rows(self._take, self._count, queries, most) if most else repeat(nothing)
        for (query, banned), (places, scores) in zip(asked, found, strict=False):
            rows = places if self._rows is None else self._rows[places]
            kept = positions_without(rows, banned, k)
            yield rows[kept], self._catalog.objective.cosines(scores[kept], query)

    def _take(self, places: slice | Rows) -> NDArray[np.int8]:
        if self._rows is None:
            return self._catalog.model.table[places]
        return self._catalog.vectors(self._rows[places])


@contextmanager
def naming_basket(number: int) -> Iterator[None]:
    """Says in an error which basket it is about."""
    try:
        yield
    except InvalidArgumentError as error:
        error.args = (f"basket {number}: {error}",)
        raise
