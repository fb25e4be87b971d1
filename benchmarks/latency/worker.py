"""Contestants in a process of their environment: mignon by one engine, a peer library, or numpy by hand.

Other environments' Pythons start this file by its path, so it needs nothing but the contestant's own library, numpy
and `device_runtime`. Each line on standard input is a request in JSON, each line on standard output its answer.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.latency.libraries import PEERS, K
from device_runtime import Recommender
from device_runtime.format.layout import IDS
from device_runtime.format.model_file import ModelFile

Answer = list[tuple[str, float]]
Job = Callable[[list[str]], Answer]
_MORE_ANSWERS = 5


def open_mignon(path: Path, engine: str) -> Job:
    """The job by mignon, through its public API."""
    recommender = Recommender.open(path, engine=engine)  # type: ignore[arg-type]
    return lambda items: [(found.id, found.score) for found in recommender.recommend(items, K, blend="together")]


def open_peer(path: Path, name: str, folder: Path) -> Job:
    """The job by a peer: it gets the same ids and table, and reads what `build` wrote into `folder`."""
    model = ModelFile.open(path)
    table, scale, ids = model.table, model.manifest.scale, model.lines(IDS)
    row_of = {item: row for row, item in enumerate(ids)}
    search = PEERS[name].load(folder, model.manifest)

    def job(items: list[str]) -> Answer:
        favorites = [row_of[item] for item in items]
        query = table[favorites].sum(axis=0, dtype=np.float32)
        factor = scale / float(np.sqrt(query @ query))
        found, scores = search(query, min(K + len(favorites), len(ids)))
        pairs = zip(found.tolist(), scores.tolist(), strict=True)
        return [(ids[row], factor * score) for row, score in pairs if row not in favorites][:K]

    return job


def index_folder(folder: Path, name: str) -> Path:
    """Where the index of a peer is written."""
    return folder / name.replace(" ", "_")


def build(path: Path, name: str, folder: Path) -> None:
    """Writes the index of a peer below `folder`."""
    own = index_folder(folder, name)
    own.mkdir(parents=True, exist_ok=True)
    PEERS[name].build(ModelFile.open(path).table.astype(np.float32), own)


def open_contestant(path: Path, name: str, folder: Path) -> Job:
    """The job by whoever has that name: `mignon ENGINE` or a peer."""
    kind, _, engine = name.partition(" ")
    return open_mignon(path, engine) if kind == "mignon" else open_peer(path, name, index_folder(folder, name))


def count_anonymous_bytes() -> int:
    """Memory of this process that no file backs, as Linux counts it; 0 elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def time_reading(table: NDArray[np.int8]) -> float:
    """How long numpy needs to read the table once."""
    words = table.reshape(-1)[: table.size // 8 * 8].view(np.int64)
    start = time.perf_counter()
    np.bitwise_or.reduce(words)
    return time.perf_counter() - start


def serve(path: Path, folder: Path, names: Sequence[str]) -> None:
    """Answers requests until standard input ends: the baskets of `{"ask": [ids, ...]}` by each contestant in turn.

    The first basket of a turn finds the processor's caches as another contestant left them, the others do not.
    """
    jobs = {name: open_contestant(path, name, folder) for name in names}
    table = ModelFile.open(path).table
    _say({"ready": names})
    for line in sys.stdin:
        baskets = json.loads(line)["ask"]
        measured: dict[str, Any] = {"read": {"seconds": [time_reading(table) for _ in baskets], "answers": []}}
        for name, job in random.sample(list(jobs.items()), len(jobs)):
            measured[name] = _timed(job, baskets)
        _say(measured)


def _timed(job: Job, baskets: list[list[str]]) -> dict[str, Any]:
    seconds, answers = [], []
    for items in baskets:
        start = time.perf_counter()
        answer = job(items)
        seconds.append(time.perf_counter() - start)
        answers.append([item for item, _ in answer])
    return {"seconds": seconds, "answers": answers}


def once(path: Path, folder: Path, name: str, items: list[str]) -> None:
    """Opens, answers, says so, and then how much memory that no file backs the process has after more answers."""
    job = open_contestant(path, name, folder)
    _say({"answered": len(job(items))})
    for _ in range(_MORE_ANSWERS):
        job(items)
    _say({"anonymous": count_anonymous_bytes()})


def main(arguments: Sequence[str]) -> int:
    """Runs `serve`, `once` or `build` as the first argument says; the others follow it."""
    task, path, folder, *rest = arguments
    if task == "build":
        build(Path(path), rest[0], Path(folder))
        _say({"built": rest[0]})
    elif task == "once":
        once(Path(path), Path(folder), rest[0], rest[1:])
    else:
        serve(Path(path), Path(folder), rest)
    return 0


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
