"""The approximate index against exact engines: time, recall and memory of answers through the public API."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.latency import libraries as contestants
from benchmarks.latency.libraries import K
from device_runtime import Recommender
from device_runtime.engines.usearch_engine import index_path
from device_runtime.format.model_file import ModelFile
from training.console.files import replacing

ENGINES = ("numpy", "tflite", "usearch")
FAVORITES = {"item": 1, "basket": 8}
ROUNDS = 200
STARTS = 3
_WARM_UP = 0.1


@dataclass(frozen=True)
class Asked:
    """One engine asked for ten items.

    Attributes:
        favorites: `item`, or `basket` of eight favorites drawn at random.
        recall_at_10: the share of the ten that numpy, which is exact, finds.
        microseconds: the median of answers; engines take turns.
        anonymous_bytes: of a fresh process after some answers: memory that no file backs, Python's and numpy's too.
        start_seconds: of the same process, until its first answer; the least of a few.
        stored_bytes: of the files that it reads.
    """

    rows: int
    dims: int
    engine: str
    favorites: str
    recall_at_10: float
    microseconds: float
    anonymous_bytes: int
    start_seconds: float
    stored_bytes: int


def measure(path: Path, rounds: int = ROUNDS, starts: int = STARTS, seed: int = 0) -> list[Asked]:
    """Asks the file at `path`, which has an index beside it, by each engine.

    Raises:
        IndexFileError: there is no index, or it is damaged.
        MissingEngineError: no interpreter is installed.
    """
    model = ModelFile.open(path)
    recommenders = {engine: Recommender(model, engine) for engine in ENGINES}  # type: ignore[arg-type]
    ids = model.lines("ids.txt")
    started = {engine: _start(path, engine, ids[: FAVORITES["basket"]], starts) for engine in ENGINES}
    found = []
    for kind, count in FAVORITES.items():
        rng = np.random.default_rng(seed)
        baskets = [[ids[row] for row in rng.choice(len(ids), count, replace=False)] for _ in range(rounds)]
        asked = _interleaved(recommenders, baskets, kind)
        for engine, (recall, seconds) in asked.items():
            stored = path.stat().st_size + (index_path(path).stat().st_size if engine == "usearch" else 0)
            found.append(
                Asked(len(ids), model.manifest.dims, engine, kind, recall, 1e6 * seconds, *started[engine], stored)
            )
    return found


def table_of(results: Sequence[Asked]) -> str:
    """One engine a line."""
    rows = [
        [
            f"{a.rows}x{a.dims}",
            a.favorites,
            a.engine,
            f"{a.recall_at_10:.3f}",
            f"{a.microseconds:,.0f}",
            f"{a.anonymous_bytes / 1e6:.1f}",
            f"{a.start_seconds:.2f}",
            f"{a.stored_bytes / 1e6:.1f}",
        ]
        for a in results
    ]
    headers = ["table", "asked", "engine", "recall@10", "µs", "anonymous MB", "start s", "stored MB"]
    return tabulate(rows, headers, disable_numparse=True, colalign=["left"] * 3 + ["right"] * 5)


def write(results: Sequence[Asked], out: Path) -> None:
    """Writes `index.json`."""
    with replacing(out / "index.json") as temporary:
        temporary.write_text(json.dumps([asdict(a) for a in results], indent=2) + "\n", "utf-8")


def _interleaved(
    recommenders: dict[str, Recommender], baskets: Sequence[list[str]], kind: str
) -> dict[str, tuple[float, float]]:
    """For each engine the mean share of numpy's ten that it finds, and the median of its seconds."""
    seconds: dict[str, list[float]] = {engine: [] for engine in recommenders}
    shares: dict[str, list[float]] = {engine: [] for engine in recommenders}
    for basket in tqdm(baskets, desc=kind, unit="round"):
        answers: dict[str, set[str]] = {}
        for engine, recommender in random.sample(list(recommenders.items()), len(recommenders)):
            start = time.perf_counter()
            answer = recommender.recommend(basket, K)
            seconds[engine].append(time.perf_counter() - start)
            answers[engine] = {neighbor.id for neighbor in answer}
        for engine, found in answers.items():
            shares[engine].append(len(found & answers["numpy"]) / len(answers["numpy"]))
    skipped = int(_WARM_UP * len(baskets))
    return {engine: (mean(shares[engine]), median(seconds[engine][skipped:])) for engine in recommenders}


def _start(path: Path, engine: str, items: Sequence[str], starts: int) -> tuple[int, float]:
    """Anonymous bytes of a fresh process after some answers, and the least seconds until the first of them."""
    asked = ["once", str(path), str(path.parent), f"mignon {engine}", *items]
    seconds = []
    for _ in range(starts):
        start = time.perf_counter()
        with subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", contestants.__name__, *asked], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            output = process.stdout or io.BytesIO()
            output.readline()
            seconds.append(time.perf_counter() - start)
            last = output.read()
    return json.loads(last)["anonymous"], min(seconds)
