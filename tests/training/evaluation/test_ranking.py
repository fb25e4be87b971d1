import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG
from scipy.sparse import csr_matrix

from tests import nhanes
from training.errors import ScoresError
from training.evaluation import ranking
from training.evaluation.ranking import NOTHING
from training.evaluation.splits import Split, hold_out_users


class Fixed:
    """Scores that are known, asked in order."""

    def __init__(self, scores):
        self._scores, self._asked = scores, 0

    def scores(self, given):
        self._asked += given.shape[0]
        return self._scores[self._asked - given.shape[0] : self._asked]


def random_split(seed=0, users=80, items=40):
    rng = np.random.default_rng(seed)
    popularity = rng.permutation(np.linspace(0.02, 0.5, items))
    return hold_out_users(csr_matrix((rng.random((users, items)) < popularity).astype(np.float32)), seed)


def random_scores(split, seed=0):
    return np.random.default_rng(seed).random(split.given.shape).astype(np.float32)


def plain_top(scores, given, k):
    """Sorts everything, one row at a time."""
    lists = []
    for row, left_out in zip(scores, given.toarray(), strict=True):
        eligible = [(-s, c) for c, s in enumerate(row) if not left_out[c] and s > -math.inf]
        best = [c for _, c in sorted(eligible)[:k]]
        lists.append(best + [NOTHING] * (min(k, len(row)) - len(best)))
    return lists


@over(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9), st.integers(1, 15), st.integers(1, 6))
def test_lists_are_those_of_a_plain_sort(seed, users, items, k, values):
    rng = np.random.default_rng(seed)
    scores = rng.choice([-np.inf, *range(values)], size=(users, items)).astype(np.float32)
    given = csr_matrix((rng.random((users, items)) < 0.3).astype(np.float32))
    before = scores.copy()
    assert ranking.top_k(scores, given, k).tolist() == plain_top(scores, given, k)
    np.testing.assert_array_equal(scores, before)


def test_scores_that_cannot_be_ranked_are_refused():
    given = csr_matrix((1, 3))
    for scores, k in (([[0.0, np.nan, 1.0]], 2), ([[0.0, 1.0]], 2), ([[0.0, 1.0, 2.0]], 0)):
        with pytest.raises(ScoresError, match="cannot be ranked"):
            ranking.top_k(np.array(scores), given, k)


def plain_measures(top, split, k):
    """Every measure with loops and sets, from its definition."""
    train = split.train.toarray() > 0
    counts = train.sum(axis=0)
    order = sorted(range(len(counts)), key=lambda c: (counts[c], c))
    third = {c: 3 * place // len(counts) for place, c in enumerate(order)}
    for listed, given, wanted in zip(top.tolist(), split.given.toarray(), split.wanted.toarray(), strict=True):
        liked, had = set(np.flatnonzero(wanted)), np.flatnonzero(wanted + given)
        ranks = [rank for rank, c in enumerate(listed, start=1) if c in liked]
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(liked)) + 1))
        row = [
            len(ranks) / min(k, len(liked)),
            sum(1 / math.log2(rank + 1) for rank in ranks) / ideal,
            1 / ranks[0] if ranks else 0.0,
        ]
        for number in range(3):
            of_third = {c for c in liked if third[c] == number}
            hits = len(of_third & set(listed))
            row.append(hits / min(k, len(of_third)) if of_third else math.nan)
        shown = [c for c in listed if c != NOTHING]
        row.append(sum(counts[c] for c in shown) / len(train) / len(shown) if shown else math.nan)
        row.append(sum(counts[c] for c in had) / len(train) / len(had))
        yield row


@pytest.mark.parametrize("k", [1, 3, 10, 100])
def test_measures_are_those_of_plain_loops(k):
    split = random_split()
    scores = random_scores(split)
    scores[0] = scores[1, 5:] = -np.inf
    outcome = ranking.evaluate(Fixed(scores), split, k)
    top = ranking.top_k(scores, split.given, k)
    np.testing.assert_allclose(outcome.users.columns(), list(plain_measures(top, split, k)))
    assert outcome.coverage == len({c for row in top.tolist() for c in row} - {NOTHING}) / 40


def test_measures_are_those_of_ir_measures():
    split, k = random_split(1), 10
    scores = random_scores(split)
    top = ranking.top_k(scores, split.given, k)
    wanted = {str(u): {str(c): 1 for c in split.wanted[u].indices} for u in range(len(top))}
    listed = {
        str(u): {str(c): float(k - place) for place, c in enumerate(row) if c != NOTHING} for u, row in enumerate(top)
    }
    found = ranking.evaluate(Fixed(scores), split, k).users
    for measure, ours in ((nDCG @ k, found.ndcg), (RR @ k, found.mrr)):
        theirs = {m.query_id: m.value for m in ir_measures.iter_calc([measure], wanted, listed)}
        np.testing.assert_allclose(ours, [theirs[str(u)] for u in range(len(top))])
    theirs = {m.query_id: m.value for m in ir_measures.iter_calc([R @ k], wanted, listed)}
    counts = np.diff(split.wanted.indptr)
    by_all_wanted = found.recall * np.minimum(counts, k) / counts
    np.testing.assert_allclose(by_all_wanted, [theirs[str(u)] for u in range(len(top))])


@nhanes.LEAVES_FILES_OPEN
def test_measures_are_those_of_the_protocol():
    protocol, matrix = nhanes.dishes()
    _, cases, _ = protocol.split(matrix, 0)
    split = hold_out_users(matrix, 0)
    scores = random_scores(split) + np.asarray(matrix.mean(axis=0))
    top = ranking.top_k(scores, split.given, 10)
    assert top.tolist() == protocol.top_k(scores, [given for given, _ in cases]).tolist()
    found = ranking.measure(top, split, 10).users
    assert (found.recall.mean(), found.ndcg.mean()) == pytest.approx(protocol.measure(top, cases), abs=1e-12)


def test_items_are_parted_in_thirds_by_how_many_users_had_them():
    assert ranking.thirds(np.array([5, 1, 9, 1, 7, 3])).tolist() == [1, 0, 2, 0, 2, 1]
    assert np.bincount(ranking.thirds(np.zeros(8, np.int64))).tolist() == [3, 3, 2]


def test_a_wanted_item_that_is_never_scored_is_missed():
    given, wanted = csr_matrix(([1.0], ([0], [0])), (1, 3)), csr_matrix(([1.0], ([0], [2])), (1, 3))
    split = Split(csr_matrix(np.ones((2, 3))), given, wanted, np.array([0]))
    outcome = ranking.evaluate(Fixed(np.array([[0.0, 1.0, -np.inf]])), split, 10)
    assert (outcome.users.recall[0], outcome.users.ndcg[0], outcome.users.mrr[0]) == (0, 0, 0)
    assert outcome.coverage == 1 / 3


def test_users_are_asked_in_blocks(monkeypatch):
    split = random_split()
    whole = ranking.rank_lists(Fixed(random_scores(split)), split.given, 5)
    monkeypatch.setattr(ranking, "_USERS_AT_ONCE", 3)
    np.testing.assert_array_equal(ranking.rank_lists(Fixed(random_scores(split)), split.given, 5), whole)
