import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from device_runtime.scoring import integers as scoring

tables = arrays(np.int8, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(-127, 127))


def brute_force(scores, k):
    """Python's own sort: by score from the top, ties by the lower row."""
    return sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=300), st.integers(1, 70), st.sampled_from([0, 1 << 15]))
def test_top_k_is_a_stable_sort(scores, k, many):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "_MANY_ROWS", many)
        patch.setattr(scoring, "_ROWS_IN_GROUP", 4)
        assert scoring.top_k(np.array(scores, np.float32), k).tolist() == brute_force(scores, k)


@given(tables, st.data())
def test_scores_are_exact_integers(table, data):
    query = data.draw(arrays(np.int64, table.shape[1], elements=st.integers(-(10**9), 10**9)))
    expected = [sum(int(a) * int(b) for a, b in zip(row, query, strict=True)) for row in table]
    assert scoring.scores_of(table, query).tolist() == expected


def test_scores_do_not_depend_on_the_block_length(monkeypatch):
    table = np.random.default_rng(0).integers(-127, 128, (1000, 7)).astype(np.int8)
    query = np.arange(7) - 3
    whole = scoring.scores_of(table, query)
    monkeypatch.setattr(scoring, "_BLOCK_BYTES", 100)
    np.testing.assert_array_equal(scoring.scores_of(table, query), whole)


def test_excluded_rows_never_come_back():
    scores = np.array([3, -np.inf, 5, -np.inf], np.float32)
    assert scoring.top_k(scores, 4).tolist() == [2, 0]


@given(arrays(np.float32, st.integers(1, 64), elements=st.floats(-1e6, 1e6, width=32)))
def test_an_integer_query_keeps_its_direction_and_stays_exact(vector):
    query = scoring.integer_query(vector)
    assert scoring.is_exact_in_float32(query)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if length > 0:
        cosine = query @ vector.astype(np.float64) / np.linalg.norm(query) / length
        assert cosine > 1 - 1e-4
    else:
        assert not query.any()


def test_cosines_of_equal_rows_are_one():
    row = np.array([[3, 4]], np.int8)
    query = scoring.sum_of_rows(row, np.array([0]))
    np.testing.assert_allclose(scoring.cosines(scoring.scores_of(row, query), query, 1 / 5), [1.0], rtol=1e-6)
