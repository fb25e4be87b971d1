import numpy as np
import pytest
from scipy.stats import kendalltau

from device_runtime.format.model_file import ModelFile
from export.quantization.rows import quantize
from export.table import QuantizedTable
from export.verification import quality
from export.verification.quality import THIRDS, TIE, NeighborJudge, split_by_frequency
from training.evaluation.triplets import Triplet
from training.inputs.catalog import Catalog, Item


def of(rows):
    return QuantizedTable(rows, 0.01, 8)


def unit(rows, dims, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_overlap_is_what_sorting_all_scores_gives():
    vectors = unit(150, 6)
    rows = quantize(vectors, 4).rows
    kept = strict = 0
    for item in range(150):
        exact, stored = vectors @ vectors[item], rows.astype(int) @ rows[item].astype(int)
        others = [row for row in range(150) if row != item]
        best = sorted(others, key=lambda row, s=exact: -s[row])[:10]
        found = sorted(others, key=lambda row, s=stored: (-s[row], row))[:10]
        kept += sum(exact[row] >= exact[best[9]] - TIE for row in found)
        strict += len(set(found) & set(best))
    measured = NeighborJudge(vectors).measure(of(rows))
    assert measured.overlap_at_10 == pytest.approx(kept / 1500)
    assert measured.strict_overlap_at_10 == pytest.approx(strict / 1500)
    assert measured.items_measured == 150


def test_kendalls_tau_is_scipys():
    vectors = unit(80, 6)
    rows = quantize(vectors, 4).rows
    taus = []
    for item in range(80):
        exact, stored = vectors @ vectors[item], rows.astype(int) @ rows[item].astype(int)
        exact[item] = -9
        nearest = np.argsort(-exact)[:50]
        taus.append(kendalltau(exact[nearest], stored[nearest]).statistic)
    assert NeighborJudge(vectors).measure(of(rows)).kendall_tau == pytest.approx(np.mean(taus), abs=1e-6)


def test_an_exact_table_keeps_all_and_another_little():
    rows = np.random.default_rng(0).integers(-127, 128, (200, 8)).astype(np.int8)
    judge = NeighborJudge(rows.astype(np.float32))
    exact = judge.measure(of(rows))
    assert (exact.overlap_at_10, exact.strict_overlap_at_10, exact.kendall_tau) == (1, 1, 1)
    assert judge.measure(of(rows[::-1])).overlap_at_10 < 0.3


def test_a_pair_and_a_single_item():
    rows = np.array([[100, 0], [0, 100]], np.int8)
    assert NeighborJudge(rows / np.float32(100)).measure(of(rows)).overlap_at_10 == 1
    assert NeighborJudge(rows[:1] / np.float32(100)).measure(of(rows[:1])).overlap_at_10 == 1


def test_a_large_catalog_is_sampled(monkeypatch):
    monkeypatch.setattr(quality, "_MOST_SCORES", 0)
    vectors = unit(1200, 4)
    measured = NeighborJudge(vectors).measure(quantize(vectors))
    assert measured.items_measured == 500
    assert measured.overlap_at_10 > 0.9


def test_triplets_are_counted_before_and_after():
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [-1, 0]], np.float32)
    triplets = (Triplet(0, 1, 2, "easy"), Triplet(0, 3, 1, "hard"))
    measured = NeighborJudge(vectors, triplets).measure(of(np.array([[9, 0], [0, 9], [9, 0], [-9, 0]], np.int8)))
    assert (measured.float_triplets, measured.triplets) == (0.5, 0.0)


def test_thirds_go_from_common_values_to_rare_ones():
    values = ["common"] * 4 + ["seldom"] * 2 + ["a", "b", "c"]
    items = tuple(Item(i, str(i), str(i), (), {"kind": (value,)}) for i, value in enumerate(values))
    thirds = split_by_frequency(Catalog(items, ("kind",)))
    assert thirds.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert split_by_frequency(Catalog((Item(0, "a", "b", (), {}),), ())) is None


def test_the_manifest_holds_the_measured_quality(model_path, judge):
    model = ModelFile.open(model_path)
    measured = judge.measure(of(model.table))
    stored = model.manifest.quality
    assert stored["overlap_at_10"] == round(measured.overlap_at_10, 4)
    assert stored["overlap_by_frequency"].keys() == set(THIRDS)
    assert stored["triplets"] is None
