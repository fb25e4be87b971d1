import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device_runtime.scoring.integers import cosines, integer_query, is_exact_in_float32, sum_of_rows, weighted_query
from device_runtime.scoring.scan import score_rows


@given(arrays(np.float32, st.integers(1, 64), elements=st.floats(-1e6, 1e6, width=32)))
def test_an_integer_query_keeps_its_direction_and_stays_exact(vector):
    query = integer_query(vector)
    assert is_exact_in_float32(query)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if length > 0:
        cosine = query @ vector.astype(np.float64) / np.linalg.norm(query) / length
        assert cosine > 1 - 1e-4
    else:
        assert not query.any()


def test_cosines_of_equal_rows_are_one():
    row = np.array([[3, 4]], np.int8)
    query = sum_of_rows(row, np.array([0]))
    np.testing.assert_allclose(cosines(score_rows(row, query), query, 1 / 5), [1.0], rtol=1e-6)


@given(arrays(np.int8, (5, 7), elements=st.integers(-127, 127)), st.data())
def test_whole_weights_give_the_sum_itself(vectors, data):
    weights = data.draw(st.lists(st.integers(-9, 9), min_size=5, max_size=5).filter(any))
    expected = [sum(w * int(v) for w, v in zip(weights, column, strict=True)) for column in vectors.T]
    assert weighted_query(vectors, np.array(weights, float)).tolist() == expected


def test_fractional_weights_point_where_their_sum_does():
    vectors = np.array([[100, 0, 3], [0, 90, 5]], np.int8)
    query = weighted_query(vectors, np.array([0.5, -0.3]))
    total = np.array([50.0, -27.0, 0.0])
    assert is_exact_in_float32(query)
    assert query / np.linalg.norm(query) == pytest.approx(total / np.linalg.norm(total), abs=1e-4)


@pytest.mark.parametrize("weights", [[1.0, -1.0], [0.1, -0.1], [1e-30, -1e-30]])
def test_what_cancels_out_is_zero(weights):
    vectors = np.array([[100, 7, 3], [100, 7, 3]], np.int8)
    assert weighted_query(vectors, np.array(weights), lambda count: 5 * count).tolist() == [0, 0, 0]


def test_the_bias_is_set_by_the_sum_of_the_sizes():
    vectors = np.array([[10, 0, 0], [0, 20, 0]])
    assert weighted_query(vectors, np.array([2.0, -1.0]), lambda count: 2.5 * count).tolist() == [20, -20, 8]
    query = weighted_query(vectors, np.array([0.5, -0.25]), lambda count: 4 * count)
    assert query / query[0] == pytest.approx([1, -1, 0.6], abs=1e-4)
