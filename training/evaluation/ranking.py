"""Measures of the top-k lists that a recommender makes for users, one number a user, so that intervals can be taken.

Relevance is binary: an item is wanted or it is not, whatever its weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.errors import ScoresError
from training.evaluation.splits import Split

Scores = NDArray[np.floating[Any]]
NOTHING = -1
THIRDS = ("rare", "middle", "frequent")
_USERS_AT_ONCE = 1024


class Scorer(Protocol):
    """A trained recommender."""

    def scores(self, given: csr_matrix) -> Scores:
        """[users, items], greater is better, for the users whose items are the rows of `given`; -inf for never."""


class PopularityScorer:
    """Offers every user what most users of `train`, csr [users, items], had."""

    def __init__(self, train: csr_matrix) -> None:
        self._counts = np.bincount(train.indices, minlength=train.shape[1]).astype(np.float32)

    def scores(self, given: csr_matrix) -> Scores:
        """float32 [users, items], the same for all."""
        return np.tile(self._counts, (given.shape[0], 1))


@dataclass(frozen=True)
class UserMeasures:
    """The measures of each case of a split: float64 [cases], NaN where a measure says nothing of a user.

    Attributes:
        recall: hits by the lesser of k and the number of wanted items (Liang et al., 2018).
        ndcg: discounted gain by that of the best list of k (Järvelin and Kekäläinen, 2002).
        mrr: 1 by the rank of the first hit, 0 without one.
        rare, middle, frequent: recall of the wanted items among a third of all items, by how many users had them.
        recommended_popularity: mean share of training users who had a recommended item (Yin et al., 2012).
        consumed_popularity: the same of what the user had, given and wanted, so that the ratio of both means tells
            how much a recommender leans to the popular (Abdollahpouri et al., 2019).
    """

    recall: NDArray[np.float64]
    ndcg: NDArray[np.float64]
    mrr: NDArray[np.float64]
    rare: NDArray[np.float64]
    middle: NDArray[np.float64]
    frequent: NDArray[np.float64]
    recommended_popularity: NDArray[np.float64]
    consumed_popularity: NDArray[np.float64]

    def columns(self) -> NDArray[np.float64]:
        """All of them, float64 [cases, measures], in the order of `MEASURES`."""
        return np.column_stack([getattr(self, name) for name in MEASURES])


MEASURES = tuple(field.name for field in fields(UserMeasures))


@dataclass(frozen=True)
class Outcome:
    """How a recommender did on a split: the measures of each user, and the share of all items in any list."""

    users: UserMeasures
    coverage: float


def evaluate(scorer: Scorer, split: Split, k: int = 10) -> Outcome:
    """The measures of the lists of k that `scorer` makes for the cases of `split`."""
    top = rank_lists(scorer, split.given, k)
    return measure(top, split, k)


def rank_lists(scorer: Scorer, given: csr_matrix, k: int) -> NDArray[np.int64]:
    """The `top_k` of every row of `given`, asked a thousand users at a time: int64 [users, min(k, items)]."""
    return np.concatenate([top_k(scorer.scores(rows), rows, k) for rows in _blocks(given)])


def top_k(scores: Scores, given: csr_matrix, k: int) -> NDArray[np.int64]:
    """The columns of the k greatest scores of each row, best first, ties by the lower column, given ones left out.

    Args:
        scores: [users, items]; -inf is never returned.
        given: [users, items], the stored entries of each row are left out.

    Returns:
        int64 [users, min(k, items)]; `NOTHING` after the last item where fewer than k are eligible.

    Raises:
        ScoresError: k is below 1, the shapes differ, or a score is not a number.
    """
    if k < 1 or scores.shape != given.shape or np.isnan(scores).any():
        raise ScoresError(
            f"scores of shape {scores.shape} for users and items of shape {given.shape} and k = {k} cannot be ranked: "
            "shapes must agree, k be at least 1 and no score NaN"
        )
    scores = scores.copy()
    scores[_rows_of(given), given.indices] = -np.inf
    k = min(k, scores.shape[1])
    columns = _greatest(scores, k)
    found = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    ranked = np.take_along_axis(columns, order, axis=1)
    ranked[np.take_along_axis(found, order, axis=1) == -np.inf] = NOTHING
    return ranked


def measure(top: NDArray[np.int64], split: Split, k: int) -> Outcome:
    """The measures of lists made by `rank_lists` for the cases of `split`, with that k."""
    hits = _among(top, split.wanted)
    wanted = np.diff(split.wanted.indptr)
    counts = np.bincount(split.train.indices, minlength=split.train.shape[1])
    popularity = counts / split.train.shape[0]
    by_third = _recall_by_third(top, hits, split.wanted, thirds(counts), k)
    users = UserMeasures(
        recall=hits.sum(axis=1) / np.minimum(wanted, k),
        ndcg=_ndcg(hits, wanted, k),
        mrr=np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0),
        **dict(zip(THIRDS, by_third, strict=True)),
        recommended_popularity=_mean_of_lists(np.append(popularity, 0.0)[top], top != NOTHING),
        consumed_popularity=_mean_of_rows(popularity, split.given + split.wanted),
    )
    return Outcome(users, len(np.setdiff1d(top, [NOTHING])) / split.train.shape[1])


def thirds(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1 or 2 for each item: the rarest third of the items, the middle one, the most frequent; ties by column."""
    third = np.empty(len(counts), np.int64)
    third[np.argsort(counts, kind="stable")] = np.arange(len(counts)) * len(THIRDS) // len(counts)
    return third


def _greatest(scores: Scores, k: int) -> NDArray[np.int64]:
    """The columns of the k greatest scores of each row, ascending; of equal ones at the bound, the lowest."""
    bound = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k, None]
    kept = scores >= bound
    crowded = np.flatnonzero(kept.sum(axis=1) > k)
    tied = scores[crowded] == bound[crowded]
    room = k - (kept[crowded] & ~tied).sum(axis=1, keepdims=True)
    kept[crowded] &= ~tied | (tied.cumsum(axis=1) <= room)
    return np.nonzero(kept)[1].reshape(len(scores), k)


def _among(top: NDArray[np.int64], matrix: csr_matrix) -> NDArray[np.bool_]:
    """Which entries of `top` are stored in their row of `matrix`; `NOTHING` is in none."""
    width = matrix.shape[1] + 1
    keys = _rows_of(matrix) * width + matrix.indices
    asked = np.arange(len(top))[:, None] * width + np.where(top == NOTHING, matrix.shape[1], top)
    return np.isin(asked, keys)


def _ndcg(hits: NDArray[np.bool_], wanted: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    discounts = 1 / np.log2(np.arange(2, k + 2))
    best = np.cumsum(discounts)[np.minimum(wanted, k) - 1]
    gain: NDArray[np.float64] = hits @ discounts[: hits.shape[1]]
    return gain / best


def _recall_by_third(
    top: NDArray[np.int64], hits: NDArray[np.bool_], wanted: csr_matrix, third: NDArray[np.int64], k: int
) -> Iterator[NDArray[np.float64]]:
    listed, rows = np.append(third, NOTHING)[top], _rows_of(wanted)
    for number in range(len(THIRDS)):
        count = np.bincount(rows[third[wanted.indices] == number], minlength=wanted.shape[0])
        found = (hits & (listed == number)).sum(axis=1)
        yield np.divide(found, np.minimum(count, k), out=np.full(len(top), np.nan), where=count > 0)


def _mean_of_lists(values: NDArray[np.float64], listed: NDArray[np.bool_]) -> NDArray[np.float64]:
    lengths = listed.sum(axis=1)
    return np.divide(values.sum(axis=1), lengths, out=np.full(len(values), np.nan), where=lengths > 0)


def _mean_of_rows(values: NDArray[np.float64], matrix: csr_matrix) -> NDArray[np.float64]:
    total = np.bincount(_rows_of(matrix), values[matrix.indices], matrix.shape[0])
    return total / np.diff(matrix.indptr)


def _rows_of(matrix: csr_matrix) -> NDArray[np.int64]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _blocks(matrix: csr_matrix) -> Iterator[csr_matrix]:
    for start in range(0, matrix.shape[0], _USERS_AT_ONCE):
        yield matrix[start : start + _USERS_AT_ONCE]
