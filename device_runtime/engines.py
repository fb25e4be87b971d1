"""Two ways to scan the table, with the same answers: plain numpy, and a TFLite interpreter running the file's graph."""

from __future__ import annotations

import importlib
import importlib.util
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
        """The k other rows nearest to the sum of `rows`, and their cosines; fewer where there are fewer others."""

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""


class NumpyEngine:
    """Maps the table and multiplies.

    Args:
        resident: keep a small table in float32 as well, which makes answers faster.
    """

    name = "numpy"

    def __init__(self, model: ModelFile, *, resident: bool = True) -> None:
        self._table = model.table
        self._scale = model.manifest.scale
        small = resident and self._table.size * 4 <= _RESIDENT_TABLE_BYTES
        self._transposed = np.ascontiguousarray(self._table.T, np.float32) if small else None

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        query = scoring.sum_of_rows(self._table, rows)
        if self._transposed is not None and scoring.is_exact_in_float32(query):
            scores = query.astype(np.float32) @ self._transposed
            scores[rows] = -np.inf
            return scoring.best(scores, query, k, self._scale)
        found, best = scoring.best_of_table(self._table, query, min(k + len(rows), len(self._table)))
        kept = scoring.without(found, rows, k)
        return found[kept], scoring.cosines(best[kept], query, self._scale)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if self._transposed is not None and scoring.is_exact_in_float32(query):
            return scoring.best(query.astype(np.float32) @ self._transposed, query, k, self._scale)
        found, best = scoring.best_of_table(self._table, query, k)
        return found, scoring.cosines(best, query, self._scale)


class TFLiteEngine:
    """Asks the signatures of the file through tflite-runtime or ai-edge-litert, whichever is installed.

    An interpreter holds one set of tensors, so threads take turns.
    """

    name = "tflite"

    def __init__(self, model: ModelFile, module: str) -> None:
        import threading  # only here: what numpy answers needs no lock

        interpreter = _load(module, model)
        self._recommend = interpreter.get_signature_runner("recommend")
        self._search = interpreter.get_signature_runner("search")
        self._embed = interpreter.get_signature_runner("embed")
        self._by_numpy = NumpyEngine(model, resident=False)
        self._exact_favorites = scoring.EXACT_IN_FLOAT32 // (scoring.LARGEST_ENTRY**2 * model.manifest.columns)
        self._turn = threading.Lock()

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        if len(rows) > self._exact_favorites:
            return self._by_numpy.nearest(rows, k)
        with self._turn:
            return _ranking(self._recommend(items=rows.astype(np.int32)[None], k=_count(k)))

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if not scoring.is_exact_in_float32(query):
            return self._by_numpy.search(query, k)
        with self._turn:
            return _ranking(self._search(vector=query.astype(np.float32)[None], k=_count(k)))

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
    reasons = ["no TFLite interpreter is installed; run `pip install 'mignon[litert]'` or use engine 'numpy'"]
    for module in interpreter_modules():
        try:
            return TFLiteEngine(model, module)
        except MissingInterpreterError as error:  # noqa: PERF203 - a broken one must not hide a working one
            reasons.append(str(error))
    if name == "tflite":
        raise MissingInterpreterError(f"engine 'tflite' cannot be used: {reasons[-1]}")
    return NumpyEngine(model)


def interpreter_modules() -> list[str]:
    """The TFLite interpreters that are installed, by module; none is imported."""
    return [module for module in _INTERPRETER_MODULES if importlib.util.find_spec(module.partition(".")[0])]


def _load(module: str, model: ModelFile) -> Any:
    try:
        return importlib.import_module(module).Interpreter(model_path=model.filename, num_threads=1)
    except (ImportError, AttributeError, RuntimeError) as error:  # one built for another numpy fails in many ways
        raise MissingInterpreterError(
            f"{module} is installed but cannot be imported ({error}); use engine 'numpy'"
        ) from error
    except ValueError as error:  # an op that it does not have
        raise MissingInterpreterError(
            f"{model.filename}: {module.partition('.')[0]} does not load this file of {model.manifest.bits}-bit "
            "entries; install 'mignon[litert]' or use engine 'numpy'"
        ) from error


def _count(k: int) -> NDArray[np.int32]:
    """Of one entry: on ARM, LiteRT 2.3.0 crashes when it resizes an input to a scalar."""
    return np.array([k], np.int32)


def _ranking(outputs: dict[str, NDArray[Any]]) -> Ranking:
    return outputs["ids"].astype(np.int64), outputs["scores"]
