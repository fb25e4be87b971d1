"""Two ways to scan the table, with the same answers: plain numpy, and a TFLite interpreter running the file's graph."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from device_runtime import scoring
from device_runtime.errors import InvalidArgumentError, MissingInterpreterError
from device_runtime.model_file import ModelFile
from device_runtime.scoring import Rows

EngineName = Literal["auto", "tflite", "numpy"]
Ranking = tuple[Rows, NDArray[np.float32]]

_INTERPRETER_MODULES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")
_RESIDENT_TABLE_BYTES = 1 << 22


class Engine(Protocol):
    """Ranks all rows. `k` is between 1 and the number of rows; rows come best first, ties by the lower row."""

    name: str

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """The k rows nearest to the sum of `rows`, and their cosines; `rows` themselves are among them."""

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""


class NumpyEngine:
    """Maps the table and multiplies. A small one is kept in float32 as well, which makes answers faster."""

    name = "numpy"

    def __init__(self, model: ModelFile) -> None:
        self._table = model.table
        self._scale = model.manifest.scale
        small = self._table.size * 4 <= _RESIDENT_TABLE_BYTES
        self._transposed = np.ascontiguousarray(self._table.T, np.float32) if small else None

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        return self.search(scoring.sum_of_rows(self._table, rows), k)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        return scoring.best(self._scores(query), query, k, self._scale)

    def _scores(self, query: NDArray[np.int64]) -> scoring.Scores:
        if self._transposed is None or not scoring.is_exact_in_float32(query):
            return scoring.scores_of(self._table, query)
        return query.astype(np.float32) @ self._transposed


class TFLiteEngine:
    """Asks the signatures of the file through tflite-runtime or ai-edge-litert, whichever is installed.

    An interpreter holds one set of tensors, so threads take turns.
    """

    name = "tflite"

    def __init__(self, model: ModelFile, module: str) -> None:
        interpreter = _interpreter_class(module)(model_path=str(model.path), num_threads=1)
        self._recommend = interpreter.get_signature_runner("recommend")
        self._search = interpreter.get_signature_runner("search")
        self._embed = interpreter.get_signature_runner("embed")
        self._table, self._scale = model.table, model.manifest.scale
        self._exact_favorites = scoring.EXACT_IN_FLOAT32 // (scoring.LARGEST_ENTRY**2 * model.manifest.columns)
        self._turn = threading.Lock()

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        if len(rows) > self._exact_favorites:
            return self.search(scoring.sum_of_rows(self._table, rows), k)
        with self._turn:
            return _ranking(self._recommend(items=rows.astype(np.int32)[None], k=np.array(k, np.int32)))

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if not scoring.is_exact_in_float32(query):
            return scoring.best(scoring.scores_of(self._table, query), query, k, self._scale)
        with self._turn:
            return _ranking(self._search(vector=query.astype(np.float32)[None], k=np.array(k, np.int32)))

    def embed(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of `rows`, float32 [n, dims], as the file's own signature gives them."""
        with self._turn:
            vectors: NDArray[np.float32] = self._embed(items=rows.astype(np.int32))["vectors"]
        return vectors


def create(name: EngineName, model: ModelFile) -> Engine:
    """The engine called `name`; `auto` takes an interpreter where one is installed, and numpy otherwise.

    Raises:
        InvalidArgumentError: no engine has that name.
        MissingInterpreterError: `tflite` was asked for and no interpreter is installed.
    """
    if name not in get_args(EngineName):
        raise InvalidArgumentError(f"engine {name!r} is not one of {', '.join(get_args(EngineName))}")
    if name == "numpy":
        return NumpyEngine(model)
    engine = next(_interpreters(model), None)
    if engine is None and name == "tflite":
        raise MissingInterpreterError(
            "engine 'tflite' needs a TFLite interpreter and none that works is installed; run "
            "`pip install 'mignon[litert]'` or `pip install 'mignon[tflite]'`, or use engine 'numpy'"
        )
    return engine or NumpyEngine(model)


def _interpreters(model: ModelFile) -> Iterator[TFLiteEngine]:
    for module in interpreter_modules():
        with suppress(MissingInterpreterError):  # a broken one must not hide a working one
            yield TFLiteEngine(model, module)


def interpreter_modules() -> list[str]:
    """The TFLite interpreters that are installed, by module; none is imported."""
    return [module for module in _INTERPRETER_MODULES if importlib.util.find_spec(module.partition(".")[0])]


def _interpreter_class(module: str) -> Any:
    try:
        return importlib.import_module(module).Interpreter
    except (ImportError, AttributeError, RuntimeError) as error:  # one built for another numpy fails in many ways
        raise MissingInterpreterError(
            f"{module} is installed but cannot be imported ({error}); use engine 'numpy'"
        ) from error


def _ranking(outputs: dict[str, NDArray[Any]]) -> Ranking:
    return outputs["ids"].astype(np.int64), outputs["scores"]
