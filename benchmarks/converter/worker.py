"""Asks .tflite files through the interpreter that the running environment has, for `benchmarks.converter.compare`.

Run by other environments' Pythons, so it needs numpy and tflite-runtime or ai-edge-litert and imports nothing of the
project. `python worker.py answers|times|memory` reads a request as JSON from standard input and writes its reply there:

- a request: {name: {"path": file, "questions": [[items, k], ...]}}, each asked of the file's signature `recommend`;
- a reply: {"interpreter": name and version, "result": {name: what was asked for}}.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

INTERPRETERS = {"tflite_runtime": "tflite-runtime", "ai_edge_litert": "ai-edge-litert"}
WARM_UP = 0.1

Ask = Callable[[Any, Any], dict[str, Any]]


def answers(request: dict[str, Any]) -> dict[str, Any]:
    """For each file the ids and scores of every question, or the error of the interpreter that refuses the file."""
    return {name: _answers_of(asked) for name, asked in request.items()}


def times(request: dict[str, Any]) -> dict[str, float]:
    """For each file the median of its seconds for a question; all files get a question before the next one comes."""
    asks = {name: _load(asked["path"]) for name, asked in request.items()}
    samples: dict[str, list[float]] = {name: [] for name in request}
    names = list(request)
    for i in range(min(len(asked["questions"]) for asked in request.values())):
        for name in names[i % len(names) :] + names[: i % len(names)]:  # each goes first as often as any other
            arguments = _arguments(*request[name]["questions"][i])
            start = time.perf_counter()
            asks[name](*arguments)
            samples[name].append(time.perf_counter() - start)
    return {name: median(values[int(WARM_UP * len(values)) :]) for name, values in samples.items()}


def memory(request: dict[str, Any]) -> dict[str, int]:
    """For each file the bytes by which anonymous memory grows until its first answer; give one file a process."""
    grown = {}
    for name, asked in request.items():
        arguments = _arguments(*asked["questions"][0])
        gc.collect()
        before = _anonymous_bytes()
        ask = _load(asked["path"])
        ask(*arguments)
        grown[name] = _anonymous_bytes() - before
    return grown


def _answers_of(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        ask = _load(asked["path"])
        replies = [ask(*_arguments(items, k)) for items, k in asked["questions"]]
    except (ValueError, RuntimeError) as error:  # what both interpreters raise for an op that they do not have
        return {"error": str(error), "ids": [], "scores": []}
    return {
        "error": None,
        "ids": [reply["ids"].ravel().tolist() for reply in replies],
        "scores": [reply["scores"].ravel().tolist() for reply in replies],
    }


def _load(path: str) -> Ask:
    """The signature `recommend` of the file; the function it returns keeps the interpreter alive."""
    module = importlib.import_module(f"{_installed()}.interpreter")
    runner = module.Interpreter(model_path=path, num_threads=1).get_signature_runner("recommend")
    return lambda items, k: runner(items=items, k=k)


def _arguments(items: list[int], k: int) -> tuple[Any, Any]:
    return np.array([items], np.int32), np.array(k, np.int32)


def _installed() -> str:
    return next(module for module in INTERPRETERS if importlib.util.find_spec(module))


def _anonymous_bytes() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
    return int(kilobytes) * 1024


def main() -> int:
    """Answers one request."""
    request = json.load(sys.stdin)
    importlib.import_module(f"{_installed()}.interpreter")  # before memory is first read
    asked = {"answers": answers, "times": times, "memory": memory}[sys.argv[1]]
    package = INTERPRETERS[_installed()]
    reply = {"interpreter": f"{package} {importlib.metadata.version(package)}", "result": asked(request)}
    json.dump(reply, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
