import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from device_runtime.scoring import scan
from device_runtime.scoring.scan import best_of_rows, best_of_table, score_rows

tables = arrays(np.int8, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(-127, 127))


@given(tables, st.data())
def test_scores_are_exact_integers(table, data):
    query = data.draw(arrays(np.int64, table.shape[1], elements=st.integers(-(10**9), 10**9)))
    expected = [sum(int(a) * int(b) for a, b in zip(row, query, strict=True)) for row in table]
    assert score_rows(table, query).tolist() == expected


def test_scores_do_not_depend_on_the_block_length(monkeypatch):
    table = np.random.default_rng(0).integers(-127, 128, (1000, 7)).astype(np.int8)
    query = np.arange(7) - 3
    whole = score_rows(table, query)
    monkeypatch.setattr(scan, "_BLOCK_BYTES", 100)
    np.testing.assert_array_equal(score_rows(table, query), whole)


@given(st.data())
def test_the_best_rows_are_those_of_a_stable_sort(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count = data.draw(st.sampled_from([1, 63, 64, 2047, 2048, 5000, 9001]))
    table = rng.integers(-3, 4, (count, 4)).astype(np.int8)  # so that many scores are equal
    large = data.draw(st.sampled_from([10, 10**6]))  # some too large for float32
    queries = rng.integers(-9, large, (data.draw(st.integers(1, 70)), 4))
    k = min(count, data.draw(st.sampled_from([1, 10, 40, 3000])))
    found = best_of_rows(lambda rows: table[rows], count, queries, k)
    for query, (rows, scores) in zip(queries, found, strict=True):
        exact = table.astype(np.int64) @ query
        expected = np.argsort(-exact, kind="stable")[:k]
        assert rows.tolist() == expected.tolist()
        assert scores.tolist() == exact[expected].tolist()


def test_memory_does_not_grow_with_the_table():
    """What is kept beside the answers of 64 queries over 300,000 rows: their scores would take 77 MB."""
    table = np.random.default_rng(0).integers(-60, 61, (300_000, 8)).astype(np.int8)
    queries = table[:64].astype(np.int64)
    tracemalloc.start()
    try:
        assert sum(1 for _ in best_of_rows(lambda rows: table[rows], len(table), queries, 10)) == 64
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("block_bytes", [1 << 19, 1 << 12])
def test_one_query_is_answered_like_several(monkeypatch, block_bytes):
    monkeypatch.setattr(scan, "_BLOCK_BYTES", block_bytes)
    rng = np.random.default_rng(0)
    table = rng.integers(-9, 10, (3001, 5)).astype(np.int8)
    for query in rng.integers(-99, 100, (20, 5)):
        rows, scores = best_of_table(table, query, 7)
        exact = table.astype(np.int64) @ query
        expected = np.argsort(-exact, kind="stable")[:7]
        assert (rows.tolist(), scores.tolist()) == (expected.tolist(), exact[expected].tolist())
