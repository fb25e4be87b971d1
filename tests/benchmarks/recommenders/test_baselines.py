import sys
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.recommenders import baselines
from benchmarks.recommenders.baselines import (
    AlternatingLeastSquares,
    BaselineError,
    Ease,
    Item2Vec,
    ItemNeighbors,
    Popularity,
    ReducedEase,
)
from tests import nhanes
from training.evaluation.ranking import evaluate, measure, rank_lists
from training.evaluation.splits import hold_out_users

USERS, ITEMS = 200, 30
SMALL = (
    Popularity(),
    ItemNeighbors(neighbors=5),
    AlternatingLeastSquares(dims=4, regularization=5),
    Ease(penalty=10),
    ReducedEase(rank=4, penalty=10),
    Item2Vec(dims=4, epochs=3),
)


@pytest.fixture(scope="module")
def matrix():
    """Users who like most of one of three groups of items, and a little of the rest; nobody likes the last item."""
    rng = np.random.default_rng(0)
    group = rng.integers(3, size=USERS)
    likely = np.where(np.arange(ITEMS) // 10 == group[:, None], 0.5, 0.05)
    liked = rng.random((USERS, ITEMS)) < likely
    liked[:, -1] = False
    return csr_matrix(liked.astype(np.float32))


@pytest.mark.parametrize("model", SMALL, ids=lambda model: model.name)
def test_training_repeats_itself_and_scores_a_user_alone_as_among_others(model, matrix):
    scorer = model.fit(matrix, 3)
    scores = scorer.scores(matrix[:20])
    assert (scores.shape, scores.dtype) == ((20, ITEMS), np.float32)
    np.testing.assert_array_equal(model.fit(matrix, 3).scores(matrix[:20]), scores)
    np.testing.assert_allclose(scorer.scores(matrix[7]), scores[7:8], rtol=1e-4, atol=1e-6)
    assert np.isfinite(scorer.scores(csr_matrix((1, ITEMS), dtype=np.float32))).all()


@pytest.mark.parametrize("model", SMALL[1:], ids=lambda model: model.name)
def test_what_is_learned_beats_popularity(model, matrix):
    split = hold_out_users(matrix, 0)
    popular, learned = (evaluate(m.fit(split.train, 0), split, 5).users.ndcg.mean() for m in (SMALL[0], model))
    assert learned > popular + 0.05


def test_popularity_counts_users(matrix):
    scores = Popularity().fit(matrix, 0).scores(matrix[:2])
    np.testing.assert_array_equal(scores, [matrix.toarray().sum(axis=0)] * 2)


def test_item_neighbors_add_the_cosines_of_the_nearest(matrix):
    matrix = matrix.multiply(np.random.default_rng(0).random((USERS, ITEMS)).astype(np.float32)).tocsr()  # no ties
    dense = matrix.toarray().astype(np.float64)
    norms = np.linalg.norm(dense, axis=0)
    norms[-1] = 1
    cosines = dense.T @ dense / np.outer(norms, norms)
    np.fill_diagonal(cosines, 0)
    nearest = np.zeros_like(cosines)
    for item, row in enumerate(cosines):
        best = np.argsort(-row)[:5]
        nearest[item, best] = row[best]
    given = matrix[:10]
    np.testing.assert_allclose(
        ItemNeighbors(neighbors=5).fit(matrix, 0).scores(given), given.toarray() @ nearest.T, rtol=1e-5
    )


def test_ease_minimizes_its_objective(matrix):
    """At the least, the gradient is zero wherever a weight is free, and the diagonal is zero."""
    dense, penalty = matrix.toarray().astype(np.float64), 10.0
    weights, _, _ = baselines.compute_ease_weights(matrix, penalty)
    gradient = dense.T @ (dense @ weights - dense) + penalty * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-9
    assert np.diag(weights).tolist() == [0.0] * ITEMS


def test_reduced_tables_are_the_truncated_fit(matrix):
    weights, inverse, gram = baselines.compute_ease_weights(matrix, 10.0)
    half = np.linalg.cholesky(gram).T
    u, s, vt = np.linalg.svd(half @ weights)
    for rank in (3, ITEMS, ITEMS + 5):
        inputs, outputs = baselines.reduced_tables(weights, inverse, gram, rank)
        assert inputs.shape == outputs.shape == (ITEMS, min(rank, ITEMS))
        truncated = (u[:, :rank] * s[:rank]) @ vt[:rank]
        np.testing.assert_allclose(half @ inputs @ outputs.T, truncated, atol=1e-9)


def test_int8_tables_are_near_the_float_ones(matrix):
    whole, rounded = (ReducedEase(rank=4, bits=bits, penalty=10).fit(matrix, 0) for bits in (32, 8))
    assert (whole.bytes_per_item, rounded.bytes_per_item) == (32, 8)
    for a, b in ((whole.inputs, rounded.inputs), (whole.outputs, rounded.outputs)):
        step = np.abs(a).max(axis=0) / 127
        assert (np.abs(a - b) <= step / 2 * 1.001).all()
        assert np.abs(np.rint(b / step) - b / step).max() < 1e-3
        assert not np.array_equal(a, b)


def test_als_solves_for_the_user(matrix):
    model = AlternatingLeastSquares(dims=4, regularization=7.0, alpha=3.0)
    scorer = model.fit(matrix, 0)
    factors = scorer.model.item_factors.astype(np.float64)
    row = matrix[0].toarray().ravel()
    confidence = np.where(row > 0, 3.0, 1.0)
    left = factors.T @ (confidence[:, None] * factors) + 7.0 * np.eye(4)
    user = np.linalg.solve(left, factors.T @ (confidence * row))
    np.testing.assert_allclose(scorer.scores(matrix[0])[0], factors @ user, rtol=1e-3, atol=1e-5)


def test_bytes_an_item(matrix):
    sizes = {model.name: model.fit(matrix, 0).bytes_per_item for model in SMALL}
    assert sizes["popularity"] == 4
    assert 0 < sizes["item-CF"] <= 5 * 8
    assert sizes["EASE"] == 4 * ITEMS
    assert sizes["EASE int8, rank 4"] == 8
    assert sizes["ALS, 4 dims"] == 16
    assert sizes["item2vec, 4 dims"] == 32


def test_a_user_with_more_items_than_a_sentence_holds_is_cut_in_several(monkeypatch, matrix):
    monkeypatch.setattr(baselines, "_LONGEST_SENTENCE", 4)
    sentences = list(baselines._sentences(matrix))
    assert max(map(len, sentences)) == 4
    assert [int(word) for words in sentences for word in words] == matrix.indices.tolist()


def test_items_too_many_for_ease_are_one_clear_error():
    with pytest.raises(BaselineError, match=r"of 40,000 items, 38 GB; leave it out"):
        Ease().fit(csr_matrix((2, 40_000), dtype=np.float32), 0)


def test_a_missing_library_says_what_to_install(monkeypatch, matrix):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(BaselineError, match=r"gensim cannot be imported \(.*\); run .*\[benchmarks\]"):
        Item2Vec().fit(matrix, 0)


@nhanes.LEAVES_FILES_OPEN
def test_ease_is_that_of_the_protocol():
    protocol, matrix = nhanes.dishes()
    split = hold_out_users(matrix, 0)
    train, cases, _ = protocol.split(matrix, 0)
    given = [columns for columns, _ in cases]
    weights, _ = protocol.ease(matrix[train])
    expected = protocol.measure(protocol.top_k(split.given @ weights.astype("f4"), given), cases)
    found = measure(rank_lists(Ease().fit(split.train, 0), split.given, 10), split, 10).users
    assert (found.recall.mean(), found.ndcg.mean()) == pytest.approx(expected, abs=1e-4)


def test_libraries_are_quiet(matrix):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in SMALL:
            model.fit(matrix, 0)
