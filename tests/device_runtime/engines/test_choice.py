import os

import numpy as np
import pytest

from device_runtime.engines import choice as engines
from device_runtime.engines import native_engine, tflite_engine
from device_runtime.engines.native_engine import NativeEngine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.tflite_engine import TFLiteEngine, quietly
from device_runtime.errors import InvalidArgumentError, MissingEngineError
from device_runtime.format.model_file import ModelFile
from export.verification.questions import draw_baskets
from tests.conftest import needs_kernel
from tests.interpreters import INTERPRETERS, needs_tflite_runtime


def tflite(model):
    return TFLiteEngine(model, INTERPRETERS[-1])


def expected(table, rows, k):
    scores = table.astype(np.int64) @ table[rows].astype(np.int64).sum(axis=0)
    others = set(range(len(table))) - set(rows.tolist())
    return sorted(others, key=lambda row: (-scores[row], row))[:k]


@pytest.mark.parametrize("engine", [NumpyEngine, tflite, pytest.param(NativeEngine, marks=needs_kernel)])
def test_ids_are_those_of_exact_integers_for_1000_baskets(model, engine):
    engine = engine(model)
    for basket, k in draw_baskets(model.manifest.rows, 1000):
        assert engine.nearest(basket, k)[0].tolist() == expected(model.table, basket, k)


@pytest.mark.parametrize("module", INTERPRETERS)
def test_engines_give_the_same_cosines_to_the_last_bit(model, module):
    by_numpy, by_interpreter = NumpyEngine(model), TFLiteEngine(model, module)
    for basket, k in draw_baskets(model.manifest.rows, 200):
        if len(basket) <= 16:
            assert by_numpy.nearest(basket, k)[1].tolist() == by_interpreter.nearest(basket, k)[1].tolist()


def test_more_favorites_than_float32_sums_exactly(model):
    many = np.arange(model.manifest.rows - 30)
    for engine in (NumpyEngine(model), tflite(model)):
        assert engine.nearest(many, 20)[0].tolist() == expected(model.table, many, 20)


def test_unknown_engine_is_an_error(model):
    with pytest.raises(InvalidArgumentError, match="'gpu' is not one of"):
        engines.create("gpu", model)


def test_an_engine_of_earlier_versions_says_what_to_take(model):
    with pytest.raises(InvalidArgumentError, match=r"'usearch' is no more, .* use 'auto'"):
        engines.create("usearch", model)


def test_without_an_interpreter_tflite_says_what_to_install(model, monkeypatch):
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("no_such_interpreter.module",))
    with pytest.raises(MissingEngineError, match=r"pip install 'mignon\[litert\]'"):
        engines.create("tflite", model)


@needs_kernel
def test_auto_takes_the_kernel_where_it_is(model):
    assert isinstance(engines.create("auto", model), NativeEngine)


def test_without_the_kernel_auto_takes_numpy_and_native_says_what_to_install(model, monkeypatch):
    monkeypatch.setattr(native_engine, "_MODULE", "no_such_kernel")
    assert isinstance(engines.create("auto", model), NumpyEngine)
    with pytest.raises(MissingEngineError, match=r"pip install 'mignon\[native\]'"):
        engines.create("native", model)


def test_a_kernel_of_another_version_is_passed_over(model, monkeypatch, tmp_path):
    (tmp_path / "other_kernel.py").write_text("INTERFACE = 0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(native_engine, "_MODULE", "other_kernel")
    assert isinstance(engines.create("auto", model), NumpyEngine)
    with pytest.raises(MissingEngineError, match="of another version than mignon"):
        engines.create("native", model)


def test_a_kernel_that_cannot_be_imported_is_passed_over(model, monkeypatch, tmp_path):
    (tmp_path / "broken_kernel.py").write_text("raise ImportError('built for another system')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(native_engine, "_MODULE", "broken_kernel")
    assert isinstance(engines.create("auto", model), NumpyEngine)
    with pytest.raises(MissingEngineError, match="cannot be imported: built for another system"):
        engines.create("native", model)


def test_a_broken_interpreter_is_passed_over(model, monkeypatch, tmp_path):
    (tmp_path / "broken_interpreter.py").write_text("raise ImportError('built for another numpy')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("broken_interpreter", INTERPRETERS[-1]))
    assert engines.create("tflite", model).name == "tflite"


@needs_tflite_runtime
def test_a_4_bit_file_is_refused_by_tflite_runtime(model_4_bits, monkeypatch):
    basket = np.array([3, 8, 11])
    wanted = expected(model_4_bits.table, basket, 10)
    for name in ("numpy", "tflite", "auto"):
        assert engines.create(name, model_4_bits).nearest(basket, 10)[0].tolist() == wanted
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("tflite_runtime.interpreter",))
    with pytest.raises(MissingEngineError, match="tflite_runtime does not load this file of 4-bit entries"):
        engines.create("tflite", model_4_bits)


def test_only_the_announcement_is_kept_off_standard_error(capfd):
    with quietly():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nERROR: no memory\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "ERROR: no memory\nafter\n"


def test_engines_are_made_without_a_word(model, capfd):
    for name in ("numpy", "tflite", "auto"):
        engines.create(name, model).nearest(np.array([1]), 3)
    assert capfd.readouterr().err == ""


def test_the_interpreter_runs_the_bytes_that_were_verified(model_copy):
    model = ModelFile.open(model_copy)
    wanted = expected(model.table, np.array([4, 9]), 10)
    other = model_copy.with_name("other")
    other.write_bytes(b"another file")
    other.replace(model_copy)
    assert engines.create("tflite", model).nearest(np.array([4, 9]), 10)[0].tolist() == wanted
