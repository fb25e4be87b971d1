"""Whether every engine present answers from a file as exact integers do.

As a program it asks one interpreter, or CompiledModel: `python -m export.verification.engines FILE MODULE`, with what
is expected pickled on standard input and an error, or None, pickled on standard output.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device_runtime.engines.base import Engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.tflite_engine import TFLiteEngine, interpreter_modules, load_interpreter
from device_runtime.errors import MignonError, MissingEngineError
from device_runtime.format.model_file import ModelFile
from export.errors import VerificationError
from export.table import QuantizedTable
from export.tflite.plan import ALL_SIGNATURES, SignaturePlan
from export.verification import compiled_model
from export.verification.compiled_model import COMPILED_MODEL, check_compiled_model
from export.verification.questions import (
    ExpectedAnswer,
    FixedAnswer,
    compare_fixed,
    expect_answers,
    expect_fixed,
)
from training.console.quiet_tensorflow import without_chatter

INTERPRETERS = ("ai_edge_litert", "tflite_runtime")
_ROOT = Path(__file__).parents[2]
_SMALL_ERROR = 1e-5  # of a vector's number, at most 1: float32 rounds a product at 6e-8
_ROWS_AT_ONCE = 1 << 16


class Expected(NamedTuple):
    """What every interpreter has to give, to all signatures."""

    table: QuantizedTable
    plan: SignaturePlan
    answers: list[ExpectedAnswer]
    fixed: list[FixedAnswer]


def verify(
    path: Path,
    table: QuantizedTable,
    items: NDArray[np.int64],
    plan: SignaturePlan = ALL_SIGNATURES,
    *,
    progress: bool = False,
) -> tuple[str, ...]:
    """Checks the file at `path` against the table it was made from, on every engine present; gives their names.

    The neighbors of `items`, random baskets of 1 to 20 favorites and the vectors must be those of exact integers, and
    what `recommend_fixed` gives, if the file has it: by interpreters, and by CompiledModel, which can ask nothing else.
    tflite-runtime 2.14 does not load a 4-bit table and is left out.

    Raises:
        VerificationError: the table was changed, an engine answers otherwise, or no interpreter is installed.
        MissingEngineError: one is installed and cannot be used.
    """
    model = ModelFile.open(path)
    if not np.array_equal(model.table, table.rows):
        raise VerificationError(f"{path}: the table read back is not the one that was written")
    modules = [module for module in interpreter_modules() if table.bits == 8 or _name(module) != "tflite_runtime"]
    if not modules:
        raise VerificationError("no TFLite interpreter is installed to check the file on; install extra 'pipeline'")
    expected = Expected(table, plan, list(expect_answers(table, items)), expect_fixed(table, plan))
    compiled = bool(expected.fixed) and compiled_model.is_installed()
    with tqdm(total=1 + len(modules) + compiled, desc="verifying", unit="engine", disable=not progress) as bar:
        _compare_answers(path, "numpy", NumpyEngine(model), expected.answers)
        bar.update()
        for module in modules:
            check = _check_apart if _fails_after_tensorflow(module) else _check_interpreter
            check(model, module, expected)
            bar.update()
        if compiled:
            _check_apart(model, COMPILED_MODEL, expected)  # as it writes to standard error when the process ends
            bar.update()
    return ("numpy", *map(_name, modules), *([COMPILED_MODEL] if compiled else []))


def find_missing_interpreters() -> tuple[str, ...]:
    """The interpreters that no file can be verified on here, since they are not installed."""
    installed = {_name(module) for module in interpreter_modules()}
    return tuple(name for name in INTERPRETERS if name not in installed)


def import_interpreters() -> None:
    """Imports those that are installed, so that they come before TensorFlow (see `_fails_after_tensorflow`)."""
    for module in interpreter_modules():
        try:
            with without_chatter():
                import_module(module)
        except (ImportError, AttributeError):  # noqa: PERF203 - one built for another numpy; verification says so
            continue


def _name(module: str) -> str:
    return module.partition(".")[0]


def _fails_after_tensorflow(module: str) -> bool:
    """tflite-runtime 2.14 finds no signatures (`vector::reserve`) in a process that imported TensorFlow 2.21 before."""
    return _name(module) == "tflite_runtime" and module not in sys.modules and "tensorflow" in sys.modules


def _check_apart(model: ModelFile, module: str, expected: Expected) -> None:
    """An interpreter or CompiledModel in a process of its own."""
    done = subprocess.run(  # noqa: S603 - this module
        [sys.executable, "-m", __name__, model.filename, module],
        input=pickle.dumps(expected),
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").splitlines() or ["no message"])[-1]
        raise VerificationError(f"{model.filename}: {_name(module)} ended with status {done.returncode} ({last})")
    error = pickle.loads(done.stdout)  # noqa: S301 - written by the process above
    if error is not None:
        raise error


def _check_interpreter(model: ModelFile, module: str, expected: Expected) -> None:
    _check_fixed(model, module, expected.fixed)
    names = expected.plan.names
    if not {"recommend", "search"}.isdisjoint(names):
        with without_chatter():
            engine = TFLiteEngine(model, module)
        _compare_answers(model.path, _name(module), engine, expected.answers)
    if "embed" in names:
        _compare_vectors(model, module, expected.table)


def _check_fixed(model: ModelFile, module: str, answers: Sequence[FixedAnswer]) -> None:
    """As apps ask it: the first graph of the file, its inputs as they are, by the interpreter's own delegate."""
    if not answers:
        return
    with without_chatter():
        interpreter = load_interpreter(module, model, model.flatbuffer(), delegate=True)
        interpreter.allocate_tensors()
    (items,) = interpreter.get_input_details()
    ids = next(output for output in interpreter.get_output_details() if output["dtype"] == np.int32)
    for answer in answers:
        interpreter.set_tensor(items["index"], answer.items)
        interpreter.invoke()
        compare_fixed(model.path, _name(module), answer, interpreter.get_tensor(ids["index"]))


def _compare_answers(path: Path, name: str, engine: Engine, answers: Sequence[ExpectedAnswer]) -> None:
    for answer in answers:
        found, _ = getattr(engine, answer.method)(answer.asked, answer.k)
        if not np.array_equal(found, answer.rows):
            raise VerificationError(
                f"{path}: engine {name} answers {found[:5].tolist()}... to {answer.method} of {answer.asked.tolist()}; "
                f"exact integer scores give {answer.rows[:5].tolist()}..."
            )


def _compare_vectors(model: ModelFile, module: str, table: QuantizedTable) -> None:
    """The signature `embed` has to give the rows without a bias, by their scale."""
    with without_chatter():
        embed = load_interpreter(module, model, model.flatbuffer(), delegate=False).get_signature_runner("embed")
    for start in range(0, len(table.rows), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(table.rows)), dtype=np.int32)
        expected = table.rows[rows, : table.dims] * np.float32(table.scale)
        error = float(np.abs(embed(items=rows)["vectors"] - expected).max())
        if error > _SMALL_ERROR:
            raise VerificationError(f"{model.path}: on {_name(module)} a vector differs from its row by {error:.6f}")


def _main(path: str, module: str) -> None:
    expected = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by `_check_apart`
    error: MignonError | None = None
    try:
        model = ModelFile.open(path)
        if module == COMPILED_MODEL:
            check_compiled_model(model.path, expected.fixed)
        else:
            _check_interpreter(model, module, expected)
    except (VerificationError, MissingEngineError) as found:
        error = found
    pickle.dump(error, sys.stdout.buffer)


if __name__ == "__main__":
    _main(*sys.argv[1:])
