from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.format.model_file import ModelFile
from export.errors import VerificationError
from export.quantization.rows import QuantizedTable, quantize
from export.verification import engines as gate
from export.verification.engines import Judge, frequency_thirds
from tests.interpreters import PACKAGES
from training.inputs.catalog import Catalog, Item
from training.inputs.triplets import Triplet


@pytest.fixture
def table(model):
    return QuantizedTable(model.table, model.manifest.scale, 8)


def unit(rows, dims, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_good_file_is_verified_on_numpy_and_every_interpreter(model_path, table, judge):
    assert gate.verify(model_path, table, judge) == ("numpy", *PACKAGES)


def test_a_4_bit_file_is_verified_where_it_loads(model_4_bits, judge):
    table = QuantizedTable(model_4_bits.table, model_4_bits.manifest.scale, 4)
    assert gate.verify(model_4_bits.path, table, judge) == ("numpy", "ai_edge_litert")


def test_another_table_is_refused(model_path, table, judge):
    rows = table.rows.copy()
    rows[5, 5] += 1
    with pytest.raises(VerificationError, match="not the one that was written"):
        gate.verify(model_path, replace(table, rows=rows), judge)


def test_vectors_that_are_not_the_scaled_rows_are_refused(model_path, table, judge):
    with pytest.raises(VerificationError, match="a vector differs from its row"):
        gate.verify(model_path, replace(table, scale=table.scale * 1.01), judge)


@pytest.mark.parametrize("method", ["nearest", "search"])
def test_an_engine_that_answers_otherwise_is_refused(model_path, table, judge, monkeypatch, method):
    original = getattr(NumpyEngine, method)

    def swapped(self, asked, k):
        ids, scores = original(self, asked, k)
        return ids[::-1], scores

    monkeypatch.setattr(NumpyEngine, method, swapped)
    with pytest.raises(VerificationError, match="engine numpy answers"):
        gate.verify(model_path, table, judge)


def test_overlap_is_what_sorting_all_scores_gives():
    vectors = unit(150, 6)
    rows = quantize(vectors, 4).rows
    kept = strict = 0
    for item in range(150):
        exact, stored = vectors @ vectors[item], rows.astype(int) @ rows[item].astype(int)
        others = [row for row in range(150) if row != item]
        best = sorted(others, key=lambda row, s=exact: -s[row])[:10]
        found = sorted(others, key=lambda row, s=stored: (-s[row], row))[:10]
        kept += sum(exact[row] >= exact[best[9]] - gate.TIE for row in found)
        strict += len(set(found) & set(best))
    quality = Judge(vectors).quality(rows)
    assert quality.overlap_at_10 == pytest.approx(kept / 1500)
    assert quality.strict_overlap_at_10 == pytest.approx(strict / 1500)
    assert quality.items_measured == 150


def test_kendalls_tau_is_scipys():
    vectors = unit(80, 6)
    rows = quantize(vectors, 4).rows
    taus = []
    for item in range(80):
        exact, stored = vectors @ vectors[item], rows.astype(int) @ rows[item].astype(int)
        exact[item] = -9
        nearest = np.argsort(-exact)[:50]
        taus.append(kendalltau(exact[nearest], stored[nearest]).statistic)
    assert Judge(vectors).quality(rows).kendall_tau == pytest.approx(np.mean(taus), abs=1e-6)


def test_an_exact_table_keeps_all_and_another_little():
    rows = np.random.default_rng(0).integers(-127, 128, (200, 8)).astype(np.int8)
    judge = Judge(rows.astype(np.float32))
    exact = judge.quality(rows)
    assert (exact.overlap_at_10, exact.strict_overlap_at_10, exact.kendall_tau) == (1, 1, 1)
    assert judge.quality(rows[::-1]).overlap_at_10 < 0.3


def test_a_pair_and_a_single_item():
    rows = np.array([[100, 0], [0, 100]], np.int8)
    assert Judge(rows / np.float32(100)).quality(rows).overlap_at_10 == 1
    assert Judge(rows[:1] / np.float32(100)).quality(rows[:1]).overlap_at_10 == 1


def test_a_large_catalog_is_sampled(monkeypatch):
    monkeypatch.setattr(gate, "_MOST_SCORES", 0)
    vectors = unit(1200, 4)
    quality = Judge(vectors).quality(quantize(vectors).rows)
    assert quality.items_measured == 500
    assert quality.overlap_at_10 > 0.9


def test_triplets_are_counted_before_and_after():
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [-1, 0]], np.float32)
    triplets = (Triplet(0, 1, 2, "easy"), Triplet(0, 3, 1, "hard"))
    quality = Judge(vectors, triplets).quality(np.array([[9, 0], [0, 9], [9, 0], [-9, 0]], np.int8))
    assert (quality.float_triplets, quality.triplets) == (0.5, 0.0)


def test_thirds_go_from_common_values_to_rare_ones():
    values = ["common"] * 4 + ["seldom"] * 2 + ["a", "b", "c"]
    items = tuple(Item(i, str(i), str(i), (), {"kind": (value,)}) for i, value in enumerate(values))
    thirds = frequency_thirds(Catalog(items, ("kind",)))
    assert thirds.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert frequency_thirds(Catalog((Item(0, "a", "b", (), {}),), ())) is None


def test_the_manifest_holds_the_measured_quality(model_path, judge):
    model = ModelFile.open(model_path)
    measured = judge.quality(model.table)
    stored = model.manifest.quality
    assert stored["overlap_at_10"] == round(measured.overlap_at_10, 4)
    assert stored["overlap_by_frequency"].keys() == set(gate.THIRDS)
    assert stored["triplets"] is None
