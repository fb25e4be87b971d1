"""The best rows by their scores: ties go to the lower row, in every engine and every language."""

from __future__ import annotations

import numpy as np

from device_runtime.scoring.integers import Rows, Scores

ROWS_IN_GROUP = 32
_GROUPS = 1 << 12
_MANY_ROWS = 1 << 15  # so many that it pays to look only into the groups that hold a great score
_FEW_PAIRS = 1 << 12  # of rows and banned ones: np.isin takes far longer to start than to compare so many


def top_k(scores: Scores, k: int) -> Rows:
    """The rows of the k greatest scores, best first, ties by the lower row; -inf is never returned."""
    if k < len(scores):
        rows = rows_within_reach(scores, k, 0.0)
        candidates = scores.take(rows)
    else:
        rows, candidates = np.arange(len(scores)), scores
    order = np.negative(candidates).argsort(kind="stable")[:k]
    if candidates[order[-1]] == -np.inf:
        order = order[candidates[order] > -np.inf]
    return rows.take(order)


def top_k_of_each(scores: Scores, k: int) -> list[tuple[Rows, Scores]]:
    """For each line of `scores` [n, rows] what `top_k` gives, and the scores; all lines at once."""
    lines, rows = scores.shape
    groups = _groups(rows, k)
    if lines == 1 or groups < 2 * k:
        best = [top_k(line, k) for line in scores]
        return [(found, line[found]) for found, line in zip(best, scores, strict=True)]
    maxima = np.maximum.reduce(scores[:, : rows // groups * groups].reshape(lines, -1, groups), axis=1)
    maxima.partition(groups - k, axis=1)
    places = (scores >= maxima[:, groups - k, None]).ravel().nonzero()[0]  # of one axis: several take far longer
    values = scores.ravel().take(places)
    line = places // rows
    order = np.lexsort((-values, line))
    row, values = (places - line * rows).take(order), values.take(order)
    ends = line.searchsorted(np.arange(lines), side="right").tolist()
    kept = [slice(start, min(end, start + k)) for start, end in zip([0, *ends], ends, strict=False)]
    return [_without_the_banned(row[part], values[part]) for part in kept]


def _without_the_banned(rows: Rows, scores: Scores) -> tuple[Rows, Scores]:
    if len(scores) and scores[-1] > -np.inf:  # they descend
        return rows, scores
    allowed = scores > -np.inf
    return rows[allowed], scores[allowed]


def rows_within_reach(scores: Scores, k: int, reach: float) -> Rows:
    """The rows, in order, whose scores are less than the k-th greatest by no more than `reach`, and perhaps others."""
    groups = _groups(len(scores), k)
    if groups < 2 * k or len(scores) <= _MANY_ROWS:
        return (scores >= _at_most_the_kth(scores, k, groups) - reach).nonzero()[0]
    grid = _grid(scores, groups)
    maxima = np.maximum.reduce(grid)
    least = np.partition(maxima, groups - k)[groups - k] - reach
    columns = (maxima >= least).nonzero()[0]
    inside, column = (grid.take(columns, axis=1) >= least).nonzero()
    rest = (scores[grid.size :] >= least).nonzero()[0] + grid.size
    return np.concatenate([inside * groups + columns[column], rest])


def positions_without(rows: Rows, banned: Rows, k: int) -> Rows:
    """The positions of the first k of `rows` that are not among `banned`."""
    if rows.size * banned.size < _FEW_PAIRS:
        return (rows[:, None] != banned).all(axis=1).nonzero()[0][:k]
    return np.flatnonzero(~np.isin(rows, banned))[:k]


def _at_most_the_kth(scores: Scores, k: int, groups: int) -> float:
    """The k-th greatest score, or of many scores a bound below it that few others reach.

    The k-th greatest of the maxima of groups will do: k groups hold a score as great.
    """
    maxima = np.maximum.reduce(_grid(scores, groups)) if groups >= 2 * k else scores.copy()
    maxima.partition(len(maxima) - k)
    return maxima[len(maxima) - k]


def _groups(rows: int, k: int) -> int:
    """How many groups of 32 rows or more to take the maxima of; a few thousand are soon looked through."""
    return min(rows // ROWS_IN_GROUP, max(_GROUPS, 4 * k))


def _grid(scores: Scores, groups: int) -> Scores:
    """A view of `groups` groups of scores, one a column: maxima are faster taken across than along."""
    return scores[: len(scores) // groups * groups].reshape(-1, groups)
