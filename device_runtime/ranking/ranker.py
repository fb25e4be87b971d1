"""The one integer path for all that an engine does not know: weights, filters and changes made on the device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.attributes import Filter
from device_runtime.items.items import Items
from device_runtime.scoring.integers import Rows, Scores
from device_runtime.scoring.scan import best_of_table, score_rows
from device_runtime.scoring.top_k import positions_without, top_k

Ranking = tuple[Rows, NDArray[np.float32]]
Query = NDArray[np.int64]


def ranked(catalog: Items, query: Query, k: int, banned: Rows, where: Filter | None) -> Ranking:
    """The k rows with the greatest scores that meet `where`, and their cosines; ties by the lower row.

    So the rows of the model come before those that were added, and these in order.
    """
    if where:
        rows, scores = _among_some(catalog, query, k, banned, where)
    else:
        rows, scores = _among_all(catalog, query, k, banned)
    return rows, catalog.objective.cosines(scores, query)


def alike(catalog: Items, query: Query, k: int, banned: Rows, where: Filter | None) -> Ranking:
    """The k rows that point most nearly where `query`, made by `query_towards`, does, and their cosines."""
    scores = catalog.objective.alike(_all_scores(catalog, query), catalog.added_rows)
    rows, best = _best_allowed(catalog, scores, k, banned, where or {})
    return rows, catalog.objective.alike_cosines(best, query)


def _among_some(catalog: Items, query: Query, k: int, banned: Rows, where: Filter) -> tuple[Rows, Scores]:
    return _best_allowed(catalog, _all_scores(catalog, query), k, banned, where)


def _best_allowed(catalog: Items, scores: Scores, k: int, banned: Rows, where: Filter) -> tuple[Rows, Scores]:
    allowed = catalog.allowed(where) if where or catalog.changed else np.ones(len(scores), bool)
    allowed[banned] = False
    scores[~allowed] = -np.inf
    rows = top_k(scores, k)
    return rows, scores[rows]


def _all_scores(catalog: Items, query: Query) -> Scores:
    scores = score_rows(catalog.model.table, query)
    if not len(catalog.added_rows):
        return scores
    return np.concatenate([scores, score_rows(catalog.added_rows, query)])


def _among_all(catalog: Items, query: Query, k: int, banned: Rows) -> tuple[Rows, Scores]:
    table, added = catalog.model.table, catalog.added_rows
    banned = np.concatenate([banned, catalog.removed])
    rows, scores = best_of_table(table, query, min(k + len(banned), len(table)))
    if len(added):
        rows = np.concatenate([rows, np.arange(len(table), catalog.row_count)])
        scores = np.concatenate([scores, score_rows(added, query)])
    kept = positions_without(rows, banned, len(rows))
    best = np.negative(scores[kept]).argsort(kind="stable")[:k]
    return rows[kept[best]], scores[kept[best]]
