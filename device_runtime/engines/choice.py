"""Ways to scan the table, with the same answers: plain numpy, or a TFLite interpreter.

A further one, asked for by name alone, asks an approximate index.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.errors import InvalidArgumentError, MissingEngineError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import Ranking, Rows

EngineName = Literal["auto", "tflite", "numpy", "usearch"]

_LARGE_TABLE_BYTES = 1 << 19
_TRIED_ROWS = 8
_TRIES = 6


class Engine(Protocol):
    """Ranks all rows. `k` is between 1 and the number of rows; rows come best first, ties by the lower row."""

    name: str

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """The k other rows nearest to the sum of `rows`, and their cosines; fewer where there are fewer others."""

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""


def create(name: EngineName, model: ModelFile) -> Engine:
    """The engine called `name`; `auto` takes whichever of numpy and an interpreter answers faster, as a few tries show.

    Raises:
        InvalidArgumentError: no engine has that name.
        MissingEngineError: `tflite` was asked for and no interpreter is installed.
        MissingEngineError, IndexFileError: `usearch` was asked for and cannot answer (see `approximate`).
    """
    if name not in get_args(EngineName):
        raise InvalidArgumentError(f"engine {name!r} is not one of {', '.join(get_args(EngineName))}")
    if name == "numpy":
        return NumpyEngine(model)
    if name == "usearch":
        from device_runtime.engines.usearch_engine import UsearchEngine

        return UsearchEngine(model)
    try:
        engine = _by_interpreter(model)
    except MissingEngineError:
        if name == "tflite":
            raise
        return NumpyEngine(model)
    return engine if name == "tflite" else _faster(engine, NumpyEngine(model), model.manifest.rows)


def _by_interpreter(model: ModelFile) -> Engine:
    """Of a small table the file's own graph is run; of a large one, rounded products are scored again."""
    from device_runtime.engines.tflite_engine import TFLiteEngine, interpreter_modules

    kinds: list[Callable[[ModelFile, str], Engine]] = [TFLiteEngine]
    if model.table.size > _LARGE_TABLE_BYTES:
        from device_runtime.engines.proposing_engine import ProposingEngine

        kinds.insert(0, ProposingEngine)
    reason = "no TFLite interpreter is installed; run `pip install 'mignon[litert]'` or use engine 'numpy'"
    for module in interpreter_modules():
        for kind in kinds:
            try:
                return kind(model, module)
            except MissingEngineError as error:  # noqa: PERF203 - a broken one must not hide a working one
                reason = str(error)
    raise MissingEngineError(f"engine 'tflite' cannot be used: {reason}")


def _faster(first: Engine, second: Engine, rows: int) -> Engine:
    """The one whose fastest of some answers took less; they take turns, so that a busy moment falls on both.

    Each turn asks for other favorites: a processor soon foresees how the same ones are ranked.
    """
    took: dict[Engine, list[float]] = {first: [], second: []}
    apart = np.arange(min(rows, _TRIED_ROWS), dtype=np.int64) * max(1, rows // _TRIED_ROWS)
    for turn in range(_TRIES):
        for engine, seconds in took.items():
            start = time.perf_counter()
            engine.nearest((apart + turn) % rows, min(10, rows))
            seconds.append(time.perf_counter() - start)
    return first if min(took[first]) <= min(took[second]) else second
