import os
from types import SimpleNamespace

import numpy as np
import pytest

from device_runtime.engines import choice as engines
from device_runtime.engines import proposing_engine, tflite_engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.tflite_engine import TFLiteEngine, quietly
from device_runtime.errors import InvalidArgumentError, MissingEngineError
from device_runtime.format.model_file import ModelFile
from export.verification.questions import draw_baskets
from tests.interpreters import INTERPRETERS, needs_tflite_runtime


def tflite(model):
    return TFLiteEngine(model, INTERPRETERS[-1])


def expected(table, rows, k):
    scores = table.astype(np.int64) @ table[rows].astype(np.int64).sum(axis=0)
    others = set(range(len(table))) - set(rows.tolist())
    return sorted(others, key=lambda row: (-scores[row], row))[:k]


@pytest.mark.parametrize("engine", [NumpyEngine, tflite])
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


@pytest.mark.usefixtures("large")
def test_without_an_interpreter_auto_takes_numpy_and_tflite_says_what_to_install(model, monkeypatch):
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("no_such_interpreter.module",))
    assert engines.create("auto", model).name == "numpy"
    with pytest.raises(MissingEngineError, match=r"pip install 'mignon\[litert\]'"):
        engines.create("tflite", model)


@pytest.fixture
def large(monkeypatch):
    """The small model counts as large, whichever interpreter there is."""
    monkeypatch.setattr(engines, "_NUMPY_UP_TO", dict.fromkeys(engines._NUMPY_UP_TO, 1))


def test_auto_takes_numpy_for_a_small_table_and_asks_for_no_interpreter(model, monkeypatch):
    monkeypatch.setattr(tflite_engine, "interpreter_modules", None)
    assert {type(engines.create("auto", model)) for _ in range(5)} == {NumpyEngine}


@pytest.mark.parametrize(
    ("rows", "module", "name"),
    [
        (5_000, "ai_edge_litert.interpreter", "numpy"),
        (20_000, "ai_edge_litert.interpreter", "numpy"),
        (20_001, "ai_edge_litert.interpreter", "tflite"),
        (131_072, "tflite_runtime.interpreter", "numpy"),
        (131_073, "tflite_runtime.interpreter", "tflite"),
        (1_000_000, "none", "numpy"),
    ],
)
def test_auto_decides_by_size_and_by_what_is_installed(monkeypatch, rows, module, name):
    installed = [module] if module != "none" else []
    monkeypatch.setattr(tflite_engine, "interpreter_modules", lambda: installed)
    monkeypatch.setattr(proposing_engine, "ProposingEngine", lambda *_: SimpleNamespace(name="tflite"))
    monkeypatch.setattr(engines, "NumpyEngine", lambda _: SimpleNamespace(name="numpy"))
    model = SimpleNamespace(manifest=SimpleNamespace(rows=rows, columns=32))
    assert engines.create("auto", model).name == name


@pytest.mark.usefixtures("large")
def test_auto_takes_an_interpreter_for_a_large_table(model):
    assert isinstance(engines.create("auto", model), TFLiteEngine)


@pytest.mark.usefixtures("large")
def test_a_broken_interpreter_is_passed_over(model, monkeypatch, tmp_path):
    (tmp_path / "broken_interpreter.py").write_text("raise ImportError('built for another numpy')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("broken_interpreter", INTERPRETERS[-1]))
    assert engines.create("tflite", model).name == "tflite"
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("broken_interpreter",))
    assert engines.create("auto", model).name == "numpy"


@pytest.mark.usefixtures("large")
@needs_tflite_runtime
def test_a_4_bit_file_is_refused_by_tflite_runtime_and_auto_takes_another(model_4_bits, monkeypatch):
    basket = np.array([3, 8, 11])
    wanted = expected(model_4_bits.table, basket, 10)
    for name in ("numpy", "tflite", "auto"):
        assert engines.create(name, model_4_bits).nearest(basket, 10)[0].tolist() == wanted
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", ("tflite_runtime.interpreter",))
    assert engines.create("auto", model_4_bits).name == "numpy"
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
