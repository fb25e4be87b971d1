"""The best rows for integer queries, over the table and what was added to it; ties go to the lower row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.base import Engine
from device_runtime.items.items import Items
from device_runtime.ranking.dislikes import compute_loss
from device_runtime.ranking.question import Question
from device_runtime.scoring.integers import Query, Ranking, Rows
from device_runtime.scoring.scan import Best, score_rows
from device_runtime.scoring.top_k import top_k

_MORE, _AT_LEAST = 4, 64  # candidates for a result, and in all, of which dislikes may take some away


class Lookup(NamedTuple):
    """What is looked up in all rows. So the rows of the model come before those that were added, and these in order.

    Attributes:
        k: how many rows to give, at most all there are.
        allowed: bool [row_count], which rows may come back; None for all.
    """

    engine: Engine
    items: Items
    k: int
    allowed: NDArray[np.bool_] | None

    def find(self, queries: NDArray[np.int64], banned: Sequence[Rows]) -> list[Best]:
        """For each of `queries` [n, columns] its best rows, but for those that are `banned`, and their scores."""
        items, allowed = self.items, self.allowed
        count, of_table = items.model.manifest.rows, list(banned)
        if items.changed:
            of_table = [np.concatenate([rows[rows < count], items.removed]) for rows in banned]
        best = self.engine.search_each(
            queries, of_table, min(self.k, count), None if allowed is None else allowed[:count]
        )
        if not len(items.added_rows):
            return best
        return [self._with_added(*found) for found in zip(best, queries, banned, strict=True)]

    def rank(self, query: Query, banned: Rows) -> Ranking:
        """The rows with the greatest scores, and their cosines."""
        ((rows, scores),) = self.find(query[None], [banned])
        return rows, self.items.objective.cosines(scores, query)

    def rank_by_direction(self, query: Query, banned: Rows) -> Ranking:
        """The rows that point most nearly where the query, made by `query_towards`, does, and their cosines."""
        items = self.items
        if items.objective.best_is_alike:
            return self.rank(query, banned)
        scores = score_rows(items.model.table, query)
        if len(items.added_rows):
            scores = np.concatenate([scores, score_rows(items.added_rows, query)])
        alike = items.objective.alike(scores, items.added_rows)
        if self.allowed is not None:
            alike[~self.allowed] = -np.inf
        alike[np.concatenate([banned, items.removed])] = -np.inf
        rows = top_k(alike, self.k)
        return rows, items.objective.alike_cosines(alike[rows], query)

    def rank_after_dislikes(self, question: Question, banned: Rows) -> list[Ranking]:
        """For each taste its best rows, less what dislikes take away, and their cosines.

        A loss only takes away: once k rows keep more than the last candidate has, no other can come before them.
        """
        queries, most = question.queries, max(_AT_LEAST, _MORE * self.k)
        while True:
            lookup = self._replace(k=min(most, self.items.row_count))
            best = lookup.find(queries, [banned] * len(queries))
            rankings = [self._less(*found) for found in zip(best, self._losses(question, best), strict=True)]
            if all(
                len(rows) < most or (len(left) == self.k and left[-1] > scores[-1])
                for (rows, scores), (_, left) in zip(best, rankings, strict=True)
            ):
                pairs = zip(rankings, queries, strict=True)
                return [(rows, self.items.objective.cosines(left, query)) for (rows, left), query in pairs]
            most *= 4

    def _losses(self, question: Question, best: list[Best]) -> list[NDArray[np.float64]]:
        """What the candidates of each taste lose."""
        vectors = self.items.vectors(np.concatenate([rows for rows, _ in best]))
        loss = compute_loss(self.items, question.dislikes, vectors).sum(axis=0)
        return np.split(loss, np.cumsum([len(rows) for rows, _ in best])[:-1])

    def _less(self, best: Best, loss: NDArray[np.float64]) -> Best:
        rows, scores = best
        left = scores.astype(np.float64) - loss
        order = np.lexsort((rows, -left))[: self.k]
        return rows[order], left[order]

    def _with_added(self, best: Best, query: Query, banned: Rows) -> Best:
        items, count = self.items, self.items.model.manifest.rows
        others = np.ones(len(items.added_rows), bool) if self.allowed is None else self.allowed[count:].copy()
        others[banned[banned >= count] - count] = False
        rows = np.concatenate([best[0], count + np.flatnonzero(others)])
        scores = np.concatenate([best[1], score_rows(items.added_rows[others], query)])
        order = np.negative(scores).argsort(kind="stable")[: self.k]
        return rows[order], scores[order]
