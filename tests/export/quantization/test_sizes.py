import numpy as np
import pytest

from export.errors import ExportError
from export.quantization.axes import find_principal_axes, truncate_table
from export.quantization.fine_tuning import fine_tune
from export.quantization.rows import quantize
from export.quantization.sizes import choose_within, find_frontier, find_least_overlap, try_methods, try_sizes
from export.verification.quality import NeighborJudge


def clustered(rows=400, dims=8, seed=0):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(20, dims))
    vectors = centers[rng.integers(0, 20, rows)] + 0.4 * rng.normal(size=(rows, dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def judge():
    return NeighborJudge(clustered())


@pytest.fixture(scope="module")
def sizes(judge):
    return try_sizes(judge, "ptq", (8, 4), progress=False)


def test_axes_are_orthogonal_and_the_first_keep_the_most():
    table = clustered()
    axes = find_principal_axes(table, 5)
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-5)
    singular = np.linalg.svd(table.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(table @ axes, axis=0), singular[:5], rtol=1e-5)
    np.testing.assert_array_equal(find_principal_axes(table, 8), np.eye(8))


def test_fine_tuning_keeps_more_neighbors_at_4_bits_and_at_fewer_dims(judge):
    for dims, bits in ((8, 4), (4, 8)):
        rounded = quantize(truncate_table(judge.vectors, dims), bits)
        tuned = fine_tune(truncate_table(judge.vectors, dims), judge.vectors, bits, progress=False)
        assert np.abs(tuned.rows).max() <= 2 ** (bits - 1) - 1
        assert judge.overlap(tuned.rows) > judge.overlap(rounded.rows) + 0.01


def test_fine_tuning_repeats_itself(judge):
    first, again = (fine_tune(judge.vectors, judge.vectors, 4, progress=False) for _ in range(2))
    np.testing.assert_array_equal(first.rows, again.rows)


def test_auto_keeps_the_better_and_shows_both(judge):
    at_4, at_8 = (try_methods(judge, 8, bits, "auto", progress=False) for bits in (4, 8))
    assert [c.method for c in (at_4.best, *at_4.others)] == ["qat", "ptq"]
    assert at_8.best.method == "ptq"  # as good as fine-tuning, and the same on every machine


def test_every_size_is_tried_and_the_frontier_only_rises(sizes):
    assert {c.name for c in sizes} == {"4x8", "8x8", "4x4", "8x4"}
    kept = find_frontier(sizes)
    assert [c.flatbuffer_bytes for c in kept] == sorted({c.flatbuffer_bytes for c in kept})
    overlaps = [c.quality.overlap_at_10 for c in kept]
    assert overlaps == sorted(set(overlaps))
    for candidate in sizes:
        smaller = [c.quality.overlap_at_10 for c in kept if c.flatbuffer_bytes <= candidate.flatbuffer_bytes]
        assert max(smaller) >= candidate.quality.overlap_at_10


def test_a_budget_takes_the_best_that_fits(sizes):
    whole = sizes[-1].flatbuffer_bytes
    assert choose_within(sizes, whole).name == "8x8"
    assert choose_within(sizes, whole - 1).flatbuffer_bytes < whole
    with pytest.raises(ExportError, match="more than the 100 allowed"):
        choose_within(sizes, 100)


def test_the_least_overlap_is_what_the_same_bytes_would_buy(judge):
    assert find_least_overlap(judge, 8, 8) == 0.97
    assert find_least_overlap(judge, 8, 4) == judge.overlap(quantize(truncate_table(judge.vectors, 4)).rows)
    assert find_least_overlap(judge, 4, 8) == pytest.approx(0.97 * judge.overlap(truncate_table(judge.vectors, 4)))


def test_vectors_follow_the_table_through_truncation(judge):
    table = quantize(truncate_table(judge.vectors, 5))
    moved = judge.move_vectors(judge.vectors[:50], table)
    cosines = np.einsum("nd,nd->n", moved, table.rows[:50] * np.float32(table.scale)) / np.linalg.norm(moved, axis=1)
    assert cosines.mean() > 0.99
