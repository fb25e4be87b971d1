"""Which engine answers: the one called by its name, or for `auto` the one that a rule gives.

All but `usearch` give the same answers, so the rule is about time alone (docs/latency.md has the figures): it looks at
the size of the table and at what is installed, and never at a clock, so that a device takes the same engine each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

from device_runtime.arguments import EngineName
from device_runtime.engines.base import Engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.errors import InvalidArgumentError, MissingEngineError
from device_runtime.format.model_file import ModelFile

# `auto` takes numpy up to so many entries of the table, and the interpreter beyond. LiteRT's 8-bit products pay from
# some 20,000 rows of 32 on; those of tflite-runtime only where numpy no longer keeps the table in float32.
_NUMPY_UP_TO = {"ai_edge_litert.interpreter": 20_000 * 32, "tflite_runtime.interpreter": 1 << 22}
_GRAPH_UP_TO = 1 << 19  # entries: of a larger table an interpreter proposes rows instead of running the file's graph


def create(name: EngineName, model: ModelFile) -> Engine:
    """The engine called `name`, or for `auto` the one that is faster for a table of this size.

    Raises:
        InvalidArgumentError: no engine has that name.
        MissingEngineError: it needs what is not installed.
        IndexFileError: `usearch` was asked for, and there is no index that it could use.
    """
    if name not in get_args(EngineName):
        raise InvalidArgumentError(f"engine {name!r} is not one of {', '.join(get_args(EngineName))}")
    if name == "usearch":
        from device_runtime.engines.usearch_engine import UsearchEngine

        return UsearchEngine(model)
    if name == "tflite":
        from device_runtime.engines.tflite_engine import interpreter_modules

        return _run_by_interpreter(model, interpreter_modules())
    return NumpyEngine(model) if name == "numpy" else _choose(model)


def _choose(model: ModelFile) -> Engine:
    entries = _entries(model)
    if entries > min(_NUMPY_UP_TO.values()):
        from device_runtime.engines.tflite_engine import interpreter_modules  # small tables need not wait for it

        faster = [module for module in interpreter_modules() if entries > _NUMPY_UP_TO.get(module, 0)]
        try:
            return _run_by_interpreter(model, faster)
        except MissingEngineError:
            pass
    return NumpyEngine(model)


def _run_by_interpreter(model: ModelFile, modules: Sequence[str]) -> Engine:
    """By the first of `modules` that can be imported and loads the file."""
    from device_runtime.engines.tflite_engine import TFLiteEngine

    kinds: list[Callable[[ModelFile, str], Engine]] = [TFLiteEngine]
    if _entries(model) > _GRAPH_UP_TO:
        from device_runtime.engines.proposing_engine import ProposingEngine

        kinds.insert(0, ProposingEngine)
    reason = "no TFLite interpreter is installed; run `pip install 'mignon[litert]'` or use engine 'numpy'"
    for module in modules:
        for kind in kinds:
            try:
                return kind(model, module)
            except MissingEngineError as error:  # noqa: PERF203 - a broken one must not hide a working one
                reason = str(error)
    raise MissingEngineError(f"engine 'tflite' cannot be used: {reason}")


def _entries(model: ModelFile) -> int:
    return model.manifest.rows * model.manifest.columns
