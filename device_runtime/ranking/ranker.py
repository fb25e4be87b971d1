"""The one integer path for all that an engine does not know: weights, filters and changes made on the device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.items.attributes import Filter
from device_runtime.items.items import Items
from device_runtime.scoring import integers as scoring
from device_runtime.scoring.integers import Rows, Scores

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
    return rows, catalog.model.queries.cosines(scores, query)


def alike(catalog: Items, query: Query, k: int, banned: Rows, where: Filter | None) -> Ranking:
    """The k rows that point most nearly where `query` does, and their cosines; ties by the lower row.

    For rows of unlike lengths. The query's entry for the bias, the last one, must be 0. A whole number times the
    inverse of a length is the same on every processor, so answers are too.
    """
    scores = _all_scores(catalog, query) * catalog.inverse_lengths
    rows, best = _best_allowed(catalog, scores, k, banned, where or {})
    return rows, (best / np.sqrt(max(1.0, float(np.square(query.astype(np.float64)).sum())))).astype(np.float32)


def _among_some(catalog: Items, query: Query, k: int, banned: Rows, where: Filter) -> tuple[Rows, Scores]:
    return _best_allowed(catalog, _all_scores(catalog, query), k, banned, where)


def _best_allowed(catalog: Items, scores: Scores, k: int, banned: Rows, where: Filter) -> tuple[Rows, Scores]:
    allowed = catalog.allowed(where) if where or catalog.changed else np.ones(len(scores), bool)
    allowed[banned] = False
    scores[~allowed] = -np.inf
    rows = scoring.top_k(scores, k)
    return rows, scores[rows]


def _all_scores(catalog: Items, query: Query) -> Scores:
    scores = scoring.scores_of(catalog.model.table, query)
    if not len(catalog.added_rows):
        return scores
    return np.concatenate([scores, scoring.scores_of(catalog.added_rows, query)])


def _among_all(catalog: Items, query: Query, k: int, banned: Rows) -> tuple[Rows, Scores]:
    table, added = catalog.model.table, catalog.added_rows
    banned = np.concatenate([banned, catalog.removed])
    rows, scores = scoring.best_of_table(table, query, min(k + len(banned), len(table)))
    if len(added):
        rows = np.concatenate([rows, np.arange(len(table), catalog.row_count)])
        scores = np.concatenate([scores, scoring.scores_of(added, query)])
    kept = scoring.without(rows, banned, len(rows))
    best = np.negative(scores[kept]).argsort(kind="stable")[:k]
    return rows[kept[best]], scores[kept[best]]
