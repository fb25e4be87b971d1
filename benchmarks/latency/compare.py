"""mignon against libraries for nearest neighbors, each doing the whole job in Python on one thread.

The job: ids of favorites in, look up their vectors, add, search, drop the favorites, ids and scores of the 10 best
others out.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.environments import HAS_TFLITE_RUNTIME, LIGHT, ROOT
from benchmarks.latency.libraries import APPROXIMATE, EXACT, PEERS, K
from benchmarks.latency.processes import (
    Contestant,
    ContestantEnvironment,
    Samples,
    Start,
    build_indexes,
    measure_start,
    take_turns,
)
from benchmarks.latency.worker import index_folder
from device_runtime.errors import InvalidArgumentError
from device_runtime.format.layout import IDS
from device_runtime.format.model_file import ModelFile

READ = "reading the table"
MAKE_PEERS = "python3.11 -m venv .venv/peers && .venv/peers/bin/pip install --requirement constraints/peers.txt"
_MOST_FAVORITES = 8
_BASKETS_IN_TURN = 40
_MOST_ROWS_OF_GRAPHS = 100_000  # a graph of a million rows takes minutes to build
_ALL_ENGINES = ("native", "tflite", "numpy")
_PEERS_FOLDER, _TFLITE, _NUMPY = ROOT / ".venv" / "peers", LIGHT["tflite"], LIGHT["numpy"]
_WITH_TFLITE_RUNTIME = ContestantEnvironment(
    "tflite-runtime", _TFLITE.folder, _TFLITE.make, _ALL_ENGINES, "tflite_runtime.interpreter", peers=False
)
ENVIRONMENTS = (
    ContestantEnvironment("LiteRT", _PEERS_FOLDER, MAKE_PEERS, _ALL_ENGINES, "ai_edge_litert.interpreter", peers=True),
    *([_WITH_TFLITE_RUNTIME] if HAS_TFLITE_RUNTIME else []),
    ContestantEnvironment("numpy alone", _NUMPY.folder, _NUMPY.make, ("numpy",), None, peers=False),
)


@dataclass(frozen=True)
class Scope:
    """What a run may be limited to.

    Attributes:
        peers: names from `libraries.PEERS`; all of them, but graphs of more than 100,000 rows, where not given.
        turns: how often each contestant gets a turn of 40 baskets; fewer for larger tables where not given.
        starts: how many processes are started to time the first answer.
        favorites: how many a basket has.
    """

    environments: tuple[ContestantEnvironment, ...] = ENVIRONMENTS
    peers: tuple[str, ...] | None = None
    turns: int | None = None
    starts: int = 7
    favorites: int = _MOST_FAVORITES
    seed: int = 0


@dataclass(frozen=True)
class ContestantResult:
    """What one contestant needs for the job.

    Attributes:
        contestant: `mignon ENGINE` or a peer; `reading the table` is numpy, reading every byte of the table once.
        environment: whose process it ran in.
        favorites: of each basket.
        exact: whether it is meant to miss nothing; some of those round the table once more before.
        agreement: the share of baskets whose answers are, in order, the best others by integer arithmetic on the
            table; of equally good ones any will do, as only mignon promises which comes first.
        recall_at_10: the share of the best others that it finds.
        microseconds: the median of an answer that follows others of the same contestant.
        first_microseconds: the median of the first answer of a turn, when the caches hold what others left there.
        least_microseconds: the least of all.
        ratio, first_ratio: `microseconds` and `first_microseconds` by those of the fastest exact peer, or engine where
            there are no peers.
        reads: `microseconds` by those of reading the table once in the same environment.
        stored_bytes: of the model file, or of a peer's saved index and the ids.
        anonymous_bytes: memory of a fresh process that no file backs, after a few answers; Python's and numpy's too.
        start_seconds: from the start of a process to its first answer, the median of a few.
        start_ratio: that by a process that imports numpy and, where the contestant uses one, the interpreter.
        digest_seconds: of `start_seconds`, those that checking the digest of the file takes.
    """

    rows: int
    dims: int
    contestant: str
    environment: str
    favorites: int
    exact: bool
    agreement: float
    recall_at_10: float
    microseconds: float
    first_microseconds: float
    least_microseconds: float
    ratio: float
    first_ratio: float
    reads: float
    stored_bytes: int
    anonymous_bytes: int
    start_seconds: float
    start_ratio: float
    digest_seconds: float


class _Times(NamedTuple):
    """Seconds: the median of answers after others, of first answers, and the least."""

    usual: float
    first: float
    least: float


class _Basket(NamedTuple):
    """Rows of favorites, their integer query, and the integer scores of the best others, best first."""

    rows: list[int]
    query: NDArray[np.int64]
    best: list[int]


EVERYTHING = Scope()


def measure(model_path: Path, out: Path, scope: Scope = EVERYTHING) -> list[ContestantResult]:
    """Measures mignon and peers on one file; the peers' indexes are written below `out` and kept.

    Raises:
        InvalidArgumentError: none of the peers is exact, or there are too few items.
        UnusableEnvironmentError: an environment or a peer is missing, and the message says what to run.
    """
    model_path, out = model_path.resolve(), out.resolve()  # scann finds its files by absolute paths alone
    model = ModelFile.open(model_path)
    rows = model.manifest.rows
    if rows < _MOST_FAVORITES + K:
        raise InvalidArgumentError(
            f"{model_path}: has {rows} items; {_MOST_FAVORITES + K} are the fewest to compare on"
        )
    peers = _fitting(rows) if scope.peers is None else scope.peers
    if peers and EXACT.keys().isdisjoint(peers):
        raise InvalidArgumentError(f"none of {', '.join(peers)} is exact; name one of {', '.join(EXACT)}")
    folder = out / "peers" / f"{model_path.stem}-{rows}x{model.manifest.dims}"
    names = {env: env.contestants(peers) for env in scope.environments}
    for env, listed in names.items():
        env.check()
        build_indexes(env, model_path, folder, listed)
    ids, baskets = model.lines(IDS), _draw_baskets(rows, scope)
    samples = take_turns(
        model_path, folder, names, [[[ids[row] for row in basket] for basket in turn] for turn in baskets]
    )
    started = {
        (env, name): measure_start((env, name), model_path, folder, ids[:_MOST_FAVORITES], scope.starts)
        for env, listed in names.items()
        for name in listed
    }
    asked = [_solve(model.table, basket) for turn in baskets for basket in turn]
    return _results(model, folder, asked, samples, started)


def _fitting(rows: int) -> tuple[str, ...]:
    return tuple(PEERS if rows <= _MOST_ROWS_OF_GRAPHS else EXACT)


def _turns(rows: int) -> int:
    return 60 if rows <= 20_000 else 25 if rows <= 200_000 else 10


def _draw_baskets(rows: int, scope: Scope) -> list[list[list[int]]]:
    rng = np.random.default_rng(scope.seed)

    def draw() -> list[int]:
        basket: list[int] = rng.choice(rows, scope.favorites, replace=False).tolist()
        return basket

    return [[draw() for _ in range(_BASKETS_IN_TURN)] for _ in range(scope.turns or _turns(rows))]


def _solve(table: NDArray[np.int8], rows: list[int]) -> _Basket:
    query = table[rows].astype(np.int64).sum(axis=0)
    scores = np.concatenate([part.astype(np.int64) @ query for part in np.array_split(table, 64)])
    others = np.delete(scores, rows)
    return _Basket(rows, query, sorted(np.partition(others, -K)[-K:].tolist(), reverse=True))


def _results(
    model: ModelFile,
    folder: Path,
    asked: Sequence[_Basket],
    samples: Mapping[Contestant, Samples],
    started: Mapping[Contestant, Start],
) -> list[ContestantResult]:
    times = {contestant: _times(of_one.seconds) for contestant, of_one in samples.items()}
    peers = [of_one for (_, name), of_one in times.items() if name in EXACT]
    exact = peers or [of_one for (_, name), of_one in times.items() if _is_exact(name) and name != "read"]
    fastest = _Times(*(min(column) for column in zip(*exact, strict=True)))
    digest = _time_digest(model.path)
    found = []
    for (env, name), of_one in times.items():
        start = started.get((env, name), Start())
        agreement, recall = _agreement_and_recall(model, asked, samples[env, name])
        found.append(
            ContestantResult(
                rows=model.manifest.rows,
                dims=model.manifest.dims,
                contestant=READ if name == "read" else name,
                environment=env.name,
                favorites=len(asked[0].rows),
                exact=_is_exact(name),
                agreement=agreement,
                recall_at_10=recall,
                microseconds=1e6 * of_one.usual,
                first_microseconds=1e6 * of_one.first,
                least_microseconds=1e6 * of_one.least,
                ratio=of_one.usual / fastest.usual,
                first_ratio=of_one.first / fastest.first,
                reads=of_one.usual / times[env, "read"].usual,
                stored_bytes=_count_stored_bytes(model, folder, name),
                anonymous_bytes=start.anonymous_bytes,
                start_seconds=start.seconds,
                start_ratio=start.ratio,
                digest_seconds=digest if name.startswith("mignon") else 0.0,
            )
        )
    return found


def _is_exact(name: str) -> bool:
    return name not in APPROXIMATE


def _agreement_and_recall(model: ModelFile, asked: Sequence[_Basket], samples: Samples) -> tuple[float, float]:
    row_of = {item: row for row, item in enumerate(model.lines(IDS))}
    answers = [[row_of[item] for item in answer] for turn in samples.answers for answer in turn]
    agreeing = hits = 0
    for basket, answer in zip(asked, answers, strict=False):
        scores = (model.table[answer].astype(np.int64) @ basket.query).tolist()
        is_valid = len({*answer, *basket.rows}) == len(answer) + len(basket.rows)  # neither twice nor a favorite
        agreeing += is_valid and scores == basket.best
        hits += is_valid * sum(score >= basket.best[-1] for score in scores)
    return agreeing / len(asked), hits / (K * len(asked))


def _times(seconds: Sequence[Sequence[float]]) -> _Times:
    turns = seconds[1:] or seconds  # the first one only warms up
    after = [value for turn in turns for value in turn[1:]]
    return _Times(median(after), median(turn[0] for turn in turns), min(after))


def _count_stored_bytes(model: ModelFile, folder: Path, name: str) -> int:
    if name not in PEERS:
        return model.path.stat().st_size if name.startswith("mignon") else model.table.nbytes
    files = (file for file in index_folder(folder, name).rglob("*") if file.is_file() and file.name != "built_from")
    return sum(file.stat().st_size for file in files) + len(model.text(IDS).encode("utf-8"))


def _time_digest(path: Path) -> float:
    data = path.read_bytes()
    start = time.perf_counter()
    hashlib.sha256(data).hexdigest()
    return time.perf_counter() - start
