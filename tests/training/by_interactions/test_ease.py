import numpy as np
import pytest
from scipy.sparse import csr_matrix, random

from tests import nhanes, tastes
from training.by_interactions import ease as preference_start
from training.by_interactions.ease import (
    compute_ease_weights,
    compute_partial_correlations,
    compute_signed_eigenvectors,
    compute_start,
    fit_value_vectors,
    invert_gram,
)
from training.by_interactions.settings import InteractionSettings

PENALTY = 10.0


@pytest.fixture(scope="module")
def matrix():
    return tastes.clustered(300, 40)


def test_the_weights_are_those_of_a_regression_on_all_other_items(matrix):
    weights = compute_ease_weights(invert_gram(matrix, PENALTY))
    users = matrix.toarray().astype(np.float64)
    for item in range(users.shape[1]):
        others = np.delete(users, item, axis=1)
        gram = others.T @ others + PENALTY * np.eye(others.shape[1])
        expected = np.insert(np.linalg.solve(gram, others.T @ users[:, item]), item, 0)
        np.testing.assert_allclose(weights[:, item], expected, atol=1e-5)


def test_the_weights_are_those_of_the_protocol(matrix):
    expected, _ = nhanes.protocol().ease(matrix, PENALTY)
    np.testing.assert_allclose(compute_ease_weights(invert_gram(matrix, PENALTY)), expected, atol=1e-5)


def test_weights_of_interactions_do_not_count(matrix):
    heavy = csr_matrix((matrix.data * 7, matrix.indices, matrix.indptr), matrix.shape)
    np.testing.assert_array_equal(invert_gram(heavy, PENALTY), invert_gram(matrix, PENALTY))


@pytest.mark.parametrize("few", [1000, 0])
def test_the_table_is_the_best_signed_one(matrix, monkeypatch, few):
    monkeypatch.setattr(preference_start, "_FEW_ITEMS", few)
    symmetric = compute_partial_correlations(invert_gram(matrix, PENALTY))
    np.testing.assert_allclose(symmetric, symmetric.T)
    table = compute_signed_eigenvectors(symmetric, 5, 3)
    values, vectors = np.linalg.eigh(symmetric)
    chosen = np.r_[0:3, len(values) - 5 : len(values)]
    expected = (vectors[:, chosen] * values[chosen]) @ vectors[:, chosen].T
    signs = np.array([1] * 5 + [-1] * 3)
    np.testing.assert_allclose(table * signs @ table.T, expected, atol=0.02 * np.abs(expected).max())


def test_more_columns_than_rank_are_zeros():
    table = compute_signed_eigenvectors(np.array([[0.0, 0.5], [0.5, 0.0]]), 4, 4)
    assert table.shape == (2, 8)
    np.testing.assert_allclose(table * np.array([1] * 4 + [-1] * 4) @ table.T, [[0, 0.5], [0.5, 0]], atol=1e-12)


def test_too_many_items_for_the_closed_form_start_at_random(matrix, monkeypatch):
    settings = InteractionSettings(dims=7)
    exact = compute_start(matrix, settings)
    assert exact.teacher is not None
    assert (exact.table.shape, exact.table.dtype, exact.negative_columns) == ((40, 7), np.float32, 3)
    assert np.corrcoef(exact.bias, matrix.sum(axis=0))[0, 1] > 0.8
    monkeypatch.setattr(preference_start, "MOST_EXACT_ITEMS", 39)
    drawn = compute_start(matrix, settings)
    assert drawn.teacher is None
    assert (drawn.table.shape, drawn.table.dtype) == ((40, 7), np.float32)
    np.testing.assert_array_equal(drawn.table, compute_start(matrix, settings).table)


def test_vectors_of_values_add_up_to_the_rows_they_explain():
    attributes = random(200, 12, density=0.3, format="csr", random_state=0, dtype=np.float32)
    table = (attributes @ np.random.default_rng(0).normal(size=(12, 5))).astype(np.float32)
    found = fit_value_vectors(table, attributes, np.full(200, 1000))
    assert found.shape == (12, 5)
    assert np.abs(attributes @ found - table).max() < 0.2 * np.abs(table).max()
