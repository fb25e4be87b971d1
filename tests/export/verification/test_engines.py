import sys
from dataclasses import replace

import numpy as np
import pytest

from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.errors import MissingEngineError
from export.errors import VerificationError
from export.table import QuantizedTable
from export.tflite.plan import ALL_SIGNATURES
from export.verification import engines
from export.verification.engines import find_missing_interpreters, import_interpreters, verify
from export.verification.questions import expect_fixed
from tests.interpreters import INTERPRETERS, PACKAGES, VERIFIED_ON, needs_tflite_runtime

TFLITE_RUNTIME = "tflite_runtime.interpreter"


@pytest.fixture
def table(model):
    return QuantizedTable(model.table, model.manifest.scale, 8)


def test_a_good_file_is_verified_on_numpy_and_every_interpreter(model_path, table, judge):
    assert verify(model_path, table, judge.verified_items()) == VERIFIED_ON


def test_a_4_bit_file_is_verified_where_it_loads(model_4_bits, judge):
    table = QuantizedTable(model_4_bits.table, model_4_bits.manifest.scale, 4)
    assert verify(model_4_bits.path, table, judge.verified_items()) == ("numpy", "ai_edge_litert", "compiled_model")


def test_another_table_is_refused(model_path, table, judge):
    rows = table.rows.copy()
    rows[5, 5] += 1
    with pytest.raises(VerificationError, match="not the one that was written"):
        verify(model_path, replace(table, rows=rows), judge.verified_items())


def test_vectors_that_are_not_the_scaled_rows_are_refused(model_path, table, judge):
    with pytest.raises(VerificationError, match="a vector differs from its row"):
        verify(model_path, replace(table, scale=table.scale * 1.01), judge.verified_items())


@pytest.mark.parametrize("method", ["nearest", "search"])
def test_an_engine_that_answers_otherwise_is_refused(model_path, table, judge, monkeypatch, method):
    original = getattr(NumpyEngine, method)

    def swapped(self, asked, k):
        ids, scores = original(self, asked, k)
        return ids[::-1], scores

    monkeypatch.setattr(NumpyEngine, method, swapped)
    with pytest.raises(VerificationError, match="engine numpy answers"):
        verify(model_path, table, judge.verified_items())


@needs_tflite_runtime
def test_tflite_runtime_is_asked_in_a_process_of_its_own_where_tensorflow_came_first(
    model_path, table, judge, monkeypatch
):
    monkeypatch.delitem(sys.modules, TFLITE_RUNTIME)
    items = judge.verified_items()[:20]
    assert "tflite_runtime" in verify(model_path, table, items)
    assert TFLITE_RUNTIME not in sys.modules
    monkeypatch.setattr(engines, "interpreter_modules", lambda: [TFLITE_RUNTIME])
    with pytest.raises(VerificationError, match="on tflite_runtime a vector differs"):
        verify(model_path, replace(table, scale=table.scale * 1.01), items)


def test_a_process_that_stops_is_told_of(model_path, table, judge, monkeypatch):
    monkeypatch.setattr(engines, "_fails_after_tensorflow", lambda _: True)
    monkeypatch.setattr(engines, "interpreter_modules", lambda: ["no_such_interpreter.interpreter"])
    with pytest.raises(MissingEngineError, match="no_such_interpreter"):
        verify(model_path, table, judge.verified_items()[:5])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(VerificationError, match="ended with status 1"):
        verify(model_path, table, judge.verified_items()[:5])


def test_interpreters_that_are_not_installed_are_named(monkeypatch):
    assert {*find_missing_interpreters(), *PACKAGES} == set(engines.INTERPRETERS)
    monkeypatch.setattr(engines, "interpreter_modules", lambda: ["ai_edge_litert.interpreter"])
    assert find_missing_interpreters() == ("tflite_runtime",)


def test_without_any_interpreter_no_file_is_kept(model_path, table, judge, monkeypatch):
    monkeypatch.setattr(engines, "interpreter_modules", list)
    with pytest.raises(VerificationError, match="no TFLite interpreter is installed"):
        verify(model_path, table, judge.verified_items())


def test_one_that_cannot_be_imported_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(engines, "interpreter_modules", lambda: ["no_such_interpreter.interpreter", "json"])
    import_interpreters()


@pytest.mark.parametrize("package", INTERPRETERS)
def test_other_answers_of_the_signature_of_fixed_shapes_are_refused(model_path, table, judge, package, monkeypatch):
    """The right table, and what `recommend_fixed` would give for another."""
    other = replace(table, rows=np.roll(table.rows, 1, axis=0))
    wrong = expect_fixed(other, ALL_SIGNATURES)
    monkeypatch.setattr(engines, "interpreter_modules", lambda: [package])
    monkeypatch.setattr(engines, "expect_fixed", lambda *_: wrong)
    name = package.partition(".")[0]
    with pytest.raises(VerificationError, match=f"recommend_fixed on {name} answers"):
        verify(model_path, table, judge.verified_items()[:5])
