"""The conformance set asked of the Python runtime: of each of its engines, and of the file's own graph."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from device_runtime import ModelFileError, Recommender
from tests.conformance.outcome import NotRun, Outcome
from tests.golden import test_golden as golden

Case = dict[str, Any]
_FIXED, _RESULTS = 16, 50  # favorites that the fixed signature takes, and what it gives
_LAST_BITS = 4  # by which an interpreter's delegate may round the scores otherwise; ids are exact
DISTRIBUTIONS = {
    "numpy": "numpy",
    "native": "mignon-native",
    "tflite-runtime": "tflite-runtime",
    "LiteRT Interpreter": "ai-edge-litert",
    "LiteRT CompiledModel": "ai-edge-litert",
}


def ask_engines() -> Iterator[Outcome | NotRun]:
    """Each engine that is installed, and each interpreter of the graph."""
    for name, distribution in DISTRIBUTIONS.items():
        try:
            version = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            yield NotRun(f"Python, {name}", f"{distribution} is not installed")
            continue
        yield _ASKED.get(name, _ask_graph)(name, version)


def _ask_engine(name: str, version: str) -> Outcome:
    failed, count = [], 0
    for path in golden.stored_files():
        meals = Recommender.open(path, engine=name)  # type: ignore[arg-type]
        for number, case in enumerate(golden.cases_of(path), start=1):
            count += 1
            if not _passes(lambda case=case, meals=meals: golden.check(meals, case)):
                failed.append(f"{path.stem}:{number}")
    for case in golden.read_cases(golden.HERE / "cases" / "damaged.jsonl"):
        count += 1
        if not _is_refused(case, name):
            failed.append(case["file"])
    return Outcome(f"Python, {name}", version, count, count - len(failed), failed)


def _ask_graph(name: str, version: str) -> Outcome:
    """What the signature `recommend_fixed` answers by one sum, of up to 16 favorites by their ids alone."""
    failed, count = [], 0
    for path in sorted((golden.HERE / "files").glob("*.tflite")):
        file = Recommender.open(path, engine="numpy").file
        if file.manifest.bits == 4 and name == "tflite-runtime":
            continue  # whose version has no kernel for it, as docs/export.md says
        ids = list(file.lines("ids.txt"))
        answer = _RUNNERS[name](path, file.flatbuffer())
        for number, case in enumerate(golden.cases_of(path), start=1):
            if not _is_plain(case, ids, together=bool(file.manifest.preference)):
                continue
            count += 1
            rows, scores = answer([ids.index(item) for item in case["items"]])
            found = [ids[row] for row in rows[: case["k"]] if row >= 0]
            away = scores[: len(found)].view(np.int32) - np.array(case["bits"][:_RESULTS], np.int32)
            if found != case["ids"][:_RESULTS] or np.abs(away).max(initial=0) > _LAST_BITS:
                failed.append(f"{path.stem}:{number}")
    return Outcome(f"Graph by {name}", version, count, count - len(failed), failed)


def _is_plain(case: Case, ids: list[str], *, together: bool) -> bool:
    asked = case.get("items")
    return (
        case["call"] == "recommend"
        and isinstance(asked, list)
        and 0 < len(asked) <= _FIXED
        and set(asked) <= set(ids)
        and not case.keys() & {"error", "where", "dislikes", "exclude"}
        and (case.get("blend", "together" if together else "each") == "together" or len(asked) == 1)
    )


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True


def _is_refused(case: Case, engine: str) -> bool:
    try:
        Recommender.open(golden.HERE / "damaged" / case["file"], engine=engine)  # type: ignore[arg-type]
    except ModelFileError as error:
        return isinstance(error, golden.ERRORS[case["error"]]) and getattr(error, "part", None) == case["part"]
    return False


Answer = Callable[[list[int]], tuple[list[int], Any]]


def _padded(rows: list[int]) -> Any:
    return np.array([rows + [-1] * (_FIXED - len(rows))], np.int32)


def _by_interpreter(interpreter: Any) -> Answer:
    runner = interpreter.get_signature_runner("recommend_fixed")

    def answer(rows: list[int]) -> tuple[list[int], Any]:
        found = runner(items=_padded(rows))
        return found["ids"].tolist(), found["scores"].copy()

    return answer


def _tflite_runtime(path: Path, flatbuffer: bytes) -> Answer:  # noqa: ARG001 - as the others are called
    from tflite_runtime.interpreter import Interpreter

    return _by_interpreter(Interpreter(model_content=flatbuffer))


def _litert(path: Path, flatbuffer: bytes) -> Answer:  # noqa: ARG001
    from ai_edge_litert.interpreter import Interpreter

    return _by_interpreter(Interpreter(model_content=flatbuffer))


def _compiled_model(path: Path, flatbuffer: bytes) -> Answer:  # noqa: ARG001
    from ai_edge_litert.compiled_model import CompiledModel

    model = CompiledModel.from_file(str(path))
    index = model.get_signature_index("recommend_fixed")
    inputs, outputs = model.create_input_buffers(index), model.create_output_buffers(index)
    found = dict(zip(model.get_signature_by_index(index)["outputs"], outputs, strict=True))

    def answer(rows: list[int]) -> tuple[list[int], Any]:
        inputs[0].write(_padded(rows))
        model.run_by_index(index, inputs, outputs)
        return found["ids"].read(_RESULTS, np.int32).tolist(), found["scores"].read(_RESULTS, np.float32).copy()

    return answer


_RUNNERS = {
    "tflite-runtime": _tflite_runtime,
    "LiteRT Interpreter": _litert,
    "LiteRT CompiledModel": _compiled_model,
}
_ASKED = {"numpy": _ask_engine, "native": _ask_engine}
