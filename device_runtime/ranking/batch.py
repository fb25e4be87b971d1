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
from device_runtime.ranking.likes import Favorites, resolve_likes, sum_likes
from device_runtime.scoring.integers import Query, Ranking, Rows
from device_runtime.scoring.scan import QUERIES_AT_ONCE, best_of_rows
from device_runtime.scoring.top_k import positions_without


class Batch:
    """Ranks for many queries, some at a time, over the same rows.

    Args:
        excluded: rows that never come back, beside those of each query's own.
    """

    def __init__(self, items: Items, excluded: Rows, where: Filter | None) -> None:
        self._items = items
        self._excluded = excluded
        # The rows to score, ascending; None for all those of the model.
        self._rows = np.flatnonzero(items.allowed(where or {})) if where or items.changed else None
        self._row_count = items.row_count if self._rows is None else len(self._rows)

    def rank_many(self, baskets: Iterable[Favorites], k: int) -> Iterator[Ranking]:
        """For each basket the ranking that `Ranker` would give; memory does not grow with their number."""
        resolved = (self._resolve(number, favorites) for number, favorites in enumerate(baskets))
        while some := list(islice(resolved, QUERIES_AT_ONCE)):
            yield from self._rank_together(some, k)

    def _resolve(self, number: int, favorites: Favorites) -> tuple[Query, Rows]:
        """The query of a basket, and the rows that must not come back."""
        with naming_basket(number):
            likes = resolve_likes(self._items, favorites)
            return sum_likes(self._items, likes), np.concatenate([likes.rows, self._excluded])

    def _rank_together(self, resolved: list[tuple[Query, Rows]], k: int) -> Iterator[Ranking]:
        queries = np.array([query for query, _ in resolved])
        most = min(k + max(len(banned) for _, banned in resolved), self._row_count)
        nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
        best = best_of_rows(self._take, self._row_count, queries, most) if most else repeat(nothing)
        for (query, banned), (places, scores) in zip(resolved, best, strict=False):
            rows = places if self._rows is None else self._rows[places]
            kept = positions_without(rows, banned, k)
            yield rows[kept], self._items.objective.cosines(scores[kept], query)

    def _take(self, places: slice | Rows) -> NDArray[np.int8]:
        if self._rows is None:
            return self._items.model.table[places]
        return self._items.vectors(self._rows[places])


@contextmanager
def naming_basket(number: int) -> Iterator[None]:
    """Says in an error which basket it is about."""
    try:
        yield
    except InvalidArgumentError as error:
        error.args = (f"basket {number}: {error}",)
        raise
