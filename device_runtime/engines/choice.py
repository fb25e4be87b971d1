"""Which engine answers: the one called by its name, or for `auto` the one that is faster here.

All give the same answers, so the rule is about time alone (docs/latency.md has the figures): it looks at what is
installed and never at a clock, so that a device takes the same engine each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from device_runtime.arguments import EngineName
from device_runtime.engines.base import Engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.errors import InvalidArgumentError, MissingEngineError
from device_runtime.format.model_file import ModelFile

_GONE = {"usearch": "is no more, as a scan by engine 'native' takes no longer; use 'auto'"}


def create(name: EngineName, model: ModelFile) -> Engine:
    """The engine called `name`; for `auto` the kernel in C where it is installed, and else numpy.

    Raises:
        InvalidArgumentError: no engine has that name.
        MissingEngineError: it needs what is not installed.
    """
    if name in _GONE:
        raise InvalidArgumentError(f"engine {name!r} {_GONE[name]}")
    if name not in get_args(EngineName):
        raise InvalidArgumentError(f"engine {name!r} is not one of {', '.join(get_args(EngineName))}")
    if name == "tflite":
        from device_runtime.engines.tflite_engine import interpreter_modules

        return _run_by_interpreter(model, interpreter_modules())
    return NumpyEngine(model) if name == "numpy" else _run_natively(model, name)


def _run_natively(model: ModelFile, name: EngineName) -> Engine:
    from device_runtime.engines.native_engine import NativeEngine

    try:
        return NativeEngine(model)
    except MissingEngineError:
        if name == "native":
            raise
        return NumpyEngine(model)


def _run_by_interpreter(model: ModelFile, modules: Sequence[str]) -> Engine:
    """By the first of `modules` that can be imported and loads the file."""
    from device_runtime.engines.tflite_engine import TFLiteEngine

    reason = "no TFLite interpreter is installed; run `pip install 'mignon[litert]'` or use engine 'numpy'"
    for module in modules:
        try:
            return TFLiteEngine(model, module)
        except MissingEngineError as error:  # noqa: PERF203 - a broken one must not hide a working one
            reason = str(error)
    raise MissingEngineError(f"engine 'tflite' cannot be used: {reason}")
