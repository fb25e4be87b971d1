import numpy as np
import pytest

from device_runtime.engines import NumpyEngine
from device_runtime.model_file import ModelFile
from export import gate
from export.errors import VerificationError
from training import trained


@pytest.fixture
def vectors(trained_folder):
    return trained.load(trained_folder).table


def test_a_good_file_is_verified_on_numpy_and_an_interpreter(model_path, model, vectors):
    assert gate.verify(model_path, vectors, model.table) == ["numpy", "tflite_runtime"]


def test_another_table_is_refused(model_path, model, vectors):
    rows = model.table.copy()
    rows[5, 5] += 1
    with pytest.raises(VerificationError, match="not the one that was written"):
        gate.verify(model_path, vectors, rows)


def test_vectors_far_from_the_keras_model_are_refused(model_path, model, vectors):
    wrong = vectors.copy()
    wrong[9] = -wrong[9]
    with pytest.raises(VerificationError, match="differs from the Keras model's"):
        gate.verify(model_path, wrong, model.table)


def test_an_engine_that_answers_otherwise_is_refused(model_path, model, vectors, monkeypatch):
    def reversed_ids(self, rows, k):
        ids, scores = self.search(self._table[rows].sum(axis=0, dtype=np.int64), k)
        return ids[::-1], scores

    monkeypatch.setattr(NumpyEngine, "nearest", reversed_ids)
    with pytest.raises(VerificationError, match="engine numpy answers"):
        gate.verify(model_path, vectors, model.table)


def test_quality_of_an_exact_table_is_one_and_of_noise_is_not():
    rows = np.random.default_rng(0).integers(-127, 128, (200, 8)).astype(np.int8)
    exact = rows * np.float32(0.01)
    assert gate.quality(exact, rows, 0.01) == gate.Quality(1.0, 1.0, 0.0)
    shuffled = gate.quality(exact[::-1], rows, 0.01)
    assert shuffled.overlap_at_10 < 0.3
    assert shuffled.strict_overlap_at_10 <= shuffled.overlap_at_10


def test_quality_of_a_pair_and_a_single_item():
    rows = np.array([[100, 0], [0, 100]], np.int8)
    assert gate.quality(rows / np.float32(100), rows, 0.01).overlap_at_10 == 1
    assert gate.quality(rows[:1] / np.float32(100), rows[:1], 0.01).largest_error == 0


def test_the_manifest_holds_the_measured_quality(model_path, vectors):
    model = ModelFile.open(model_path)
    measured = gate.quality(vectors, model.table, model.manifest.scale)
    assert model.manifest.quality["overlap_at_10"] == round(measured.overlap_at_10, 4)
