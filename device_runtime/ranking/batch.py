"""Many questions at once: a block of rows is scored for several of them by one matrix product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, repeat

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Blend
from device_runtime.errors import InvalidArgumentError
from device_runtime.items.attributes import Filter
from device_runtime.items.items import Items
from device_runtime.ranking.likes import Favorites, resolve_likes
from device_runtime.ranking.question import Question, form_question
from device_runtime.ranking.tastes import Taste
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

    def rank_many(self, questions: Iterable[Question], k: int) -> Iterator[tuple[Question, list[Ranking] | None]]:
        """For each question the ranking of each of its tastes; memory does not grow with their number.

        None for one that no product with the rows answers: it has no favorites, or dislikes.
        """
        left = iter(questions)
        while some := list(islice(left, QUERIES_AT_ONCE)):
            asked = [(taste.query, question.banned) for question in some for taste in _tastes(question)]
            rankings = self._rank_together(asked, k) if asked else iter(())
            for question in some:
                ranked = [next(rankings) for _ in _tastes(question)]
                yield question, ranked or None

    def _rank_together(self, asked: list[tuple[Query, Rows]], k: int) -> Iterator[Ranking]:
        for start in range(0, len(asked), QUERIES_AT_ONCE):
            yield from self._rank_some(asked[start : start + QUERIES_AT_ONCE], k)

    def _rank_some(self, asked: list[tuple[Query, Rows]], k: int) -> Iterator[Ranking]:
        queries = np.array([query for query, _ in asked])
        banned_rows = [np.concatenate([banned, self._excluded]) for _, banned in asked]
        most = min(k + max(map(len, banned_rows)), self._row_count)
        nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
        best = best_of_rows(self._take, self._row_count, queries, most) if most else repeat(nothing)
        for query, banned, (places, scores) in zip(queries, banned_rows, best, strict=False):
            rows = places if self._rows is None else self._rows[places]
            kept = positions_without(rows, banned, k)
            yield rows[kept], self._items.objective.cosines(scores[kept], query)

    def _take(self, places: slice | Rows) -> NDArray[np.int8]:
        if self._rows is None:
            return self._items.model.table[places]
        return self._items.vectors(self._rows[places])


def form_questions(items: Items, baskets: Iterable[Favorites], blend: Blend | None) -> Iterator[Question]:
    """The question of each basket; an error says which it is about."""
    for number, favorites in enumerate(baskets):
        try:
            yield form_question(items, resolve_likes(items, favorites), blend)
        except InvalidArgumentError as error:  # noqa: PERF203 - it names the basket
            error.args = (f"basket {number}: {error}",)
            raise


def _tastes(question: Question) -> list[Taste]:
    return [] if question.dislikes else question.tastes
