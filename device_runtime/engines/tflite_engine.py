"""The engine that runs the file's own graph, and how interpreters are found and loaded."""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.base import ShortCut
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.errors import MissingEngineError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import Ranking, Rows, is_exact_in_float32
from device_runtime.scoring.objectives import objective_of
from device_runtime.scoring.scan import Best

_INTERPRETER_MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
_ANNOUNCEMENT = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_LOADING = threading.Lock()


class TFLiteEngine:
    """Asks the signatures of the file through tflite-runtime or ai-edge-litert.

    The interpreter gets the bytes that were verified, not the path, where another file could be by now. It runs its
    own kernels: those of its delegate take as long here, need three times the memory, and take other square roots, so
    that scores would differ in their last bit. An interpreter holds one set of tensors, so threads take turns.

    Signatures are found by their names, whatever comes first in the file. What one cannot answer, numpy does: more
    favorites than float32 is exact for, a signature that the file was exported without.
    """

    name = "tflite"

    def __init__(self, model: ModelFile, module: str) -> None:
        self._model = model
        self._signatures = _find_signatures(load_interpreter(module, model, model.flatbuffer(), delegate=False), model)
        self._by_numpy = NumpyEngine(model, resident=False)
        self._exact_favorites = objective_of(model).exact_favorites
        self._turn = threading.Lock()

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        if len(rows) > self._exact_favorites or "recommend" not in self._signatures:
            return self._by_numpy.nearest(rows, k)
        with self._turn:
            found = self._signatures["recommend"](items=rows.astype(np.int32)[None], k=_count(k))
        return found["ids"].astype(np.int64), found["scores"]

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if not is_exact_in_float32(query) or "search" not in self._signatures:
            return self._by_numpy.search(query, k)
        with self._turn:
            vector = query[: self._model.manifest.dims].astype(np.float32)[None]
            found = self._signatures["search"](vector=vector, k=_count(k))
        return found["ids"].astype(np.int64), found["scores"]

    def search_each(
        self, queries: NDArray[np.int64], banned: Sequence[Rows], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[Best]:
        """See `Engine.search_each`."""
        return self._by_numpy.search_each(queries, banned, k, allowed)

    def open_short_cut(
        self, ids: Sequence[str], names: Sequence[str], row_of_id: Callable[[], Mapping[str, int]]
    ) -> ShortCut | None:
        """See `Engine.open_short_cut`."""
        return self._by_numpy.open_short_cut(ids, names, row_of_id)


def _find_signatures(interpreter: Any, model: ModelFile) -> dict[str, Any]:
    """What can be asked at any length, by name."""
    try:
        names = [name for name in ("recommend", "search") if name in interpreter.get_signature_list()]
        runners = {name: interpreter.get_signature_runner(name) for name in names}
    except ValueError as error:  # tflite-runtime 2.14 once TensorFlow 2.21 is imported
        raise MissingEngineError(
            f"{model.filename}: its signatures cannot be read ({error}); use engine 'numpy'"
        ) from error
    if not runners:
        raise MissingEngineError(
            f"{model.filename}: holds neither of the signatures `recommend` and `search`; use engine 'numpy', or "
            "export it again with both"
        )
    return runners


def interpreter_modules() -> list[str]:
    """The TFLite interpreters that are installed, by module, the faster first; none is imported."""
    return [module for module in _INTERPRETER_MODULES if importlib.util.find_spec(module.partition(".")[0])]


def load_interpreter(module: str, model: ModelFile, content: bytes, *, delegate: bool) -> Any:
    """An interpreter of `content`, a TFLite model that is part of the file or made from it.

    Args:
        delegate: whether ops may be left to its default delegate, XNNPACK.

    Raises:
        MissingEngineError: it cannot be imported, or does not know an op.
    """
    try:
        library = importlib.import_module(module)
        kinds = library.OpResolverType
        resolver = kinds.AUTO if delegate else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        return library.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=resolver)
    except (ImportError, AttributeError, RuntimeError) as error:  # one built for another numpy fails in many ways
        raise MissingEngineError(
            f"{module} is installed but cannot be imported ({error}); use engine 'numpy'"
        ) from error
    except ValueError as error:  # an op that it does not have
        raise MissingEngineError(
            f"{model.filename}: {module.partition('.')[0]} does not load this file of {model.manifest.bits}-bit "
            "entries; install 'mignon[litert]' or use engine 'numpy'"
        ) from error


@contextmanager
def quietly() -> Iterator[None]:
    """Keeps off standard error the line by which an interpreter announces its delegate, and nothing else."""
    with _LOADING:  # two at once would each put back what the other had put there
        try:
            saved = os.dup(2)
        except OSError:  # there is no standard error
            yield
            return
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        os.dup2(writing, 2)
        os.close(writing)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            with open(reading, "rb") as stream:  # noqa: PTH123 - a descriptor, not a path
                said = [line for line in stream if not line.startswith(_ANNOUNCEMENT)]
            if said:
                os.write(2, b"".join(said))


def _count(k: int) -> NDArray[np.int32]:
    """Of one entry: on ARM, LiteRT 2.3.0 crashes when it resizes an input to a scalar."""
    return np.array([k], np.int32)
