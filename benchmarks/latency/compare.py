"""mignon against libraries for nearest neighbors, each doing the whole job in Python on one thread.

The job: ids of 8 favorites in, look up their vectors, add, search, drop the favorites, ids and scores of the 10 best
others out. Every environment has a process that holds its contestants; they take turns, so that what else the machine
does falls on all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.latency import libraries as contestants
from benchmarks.latency.libraries import APPROXIMATE, EXACT, PEERS
from device_runtime.errors import InvalidArgumentError
from device_runtime.format.model_file import ModelFile
from training.console.files import replacing

ROOT = Path(__file__).parents[2]
FAVORITES = 8
BASKETS_IN_TURN = 40
STARTS = 7
MAKE_PEERS = "python3.11 -m venv .venv/peers && .venv/peers/bin/pip install --requirement constraints/peers.txt"
READ = "reading the table"
_FIRST_ANSWER = """
import sys
from device_runtime import Recommender
print(Recommender.open(sys.argv[1], engine=sys.argv[2]).recommend(sys.argv[3:]), flush=True)
"""
_MOST_ROWS_OF_GRAPHS = 100_000
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Environment(NamedTuple):
    """An environment, how to make it, what mignon is asked by there, and what its interpreter is imported as."""

    name: str
    folder: Path
    make: str
    engines: tuple[str, ...]
    interpreter: str | None
    peers: bool


_ALL_ENGINES = ("auto", "tflite", "numpy")
_LIGHT = ROOT / ".venv" / "light"
ENVIRONMENTS = (
    Environment("LiteRT", ROOT / ".venv" / "peers", MAKE_PEERS, _ALL_ENGINES, "ai_edge_litert.interpreter", peers=True),
    Environment(
        "tflite-runtime", _LIGHT / "tflite", "make test", _ALL_ENGINES, "tflite_runtime.interpreter", peers=False
    ),
    Environment("numpy alone", _LIGHT / "numpy", "make test", ("numpy",), None, peers=False),
)


@dataclass(frozen=True)
class Result:
    """What one contestant needs for the job.

    Attributes:
        contestant: `mignon ENGINE` or a peer; `reading the table` is numpy, reading every byte of the table once.
        environment: whose process it ran in.
        exact: whether it is meant to miss nothing; some of those round the table once more before.
        agreement: the share of baskets whose ids, in order, are those of integer arithmetic on the table.
        microseconds: the median of an answer that follows others of the same contestant.
        first_microseconds: the median of the first answer of a turn, when the caches hold what others left there.
        least_microseconds: the least of all.
        ratio, first_ratio: `microseconds` and `first_microseconds` by those of the fastest exact peer.
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
    exact: bool
    agreement: float
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


class _SilenceError(Exception):
    """A contestant's process ended without an answer."""


class _Samples(NamedTuple):
    seconds: list[list[float]]
    answers: list[list[list[str]]]


class _Start(NamedTuple):
    seconds: float
    ratio: float
    anonymous: int


def measure(  # noqa: PLR0913 - what a run may be limited to
    model_path: Path,
    out: Path,
    *,
    environments: Sequence[Environment] = ENVIRONMENTS,
    peers: Sequence[str] | None = None,
    turns: int | None = None,
    starts: int = STARTS,
    seed: int = 0,
) -> list[Result]:
    """Measures mignon and `peers` on one file; the peers' indexes are written below `out` and kept.

    Args:
        peers: names from `contestants.PEERS`; all of them, but graphs of more than 100,000 rows, where not given.
        turns: how often each contestant gets a turn of 6 baskets; fewer for larger tables where not given.

    Raises:
        InvalidArgumentError: an environment or a peer is missing, and the message says what to run; or none is exact.
    """
    model_path, out = model_path.resolve(), out.resolve()  # scann finds its files by absolute paths alone
    model = ModelFile.open(model_path)
    rows = model.manifest.rows
    if rows < 2 * FAVORITES:
        raise InvalidArgumentError(f"{model_path}: has {rows} items; {2 * FAVORITES} are the fewest to compare on")
    peers = _fitting(rows) if peers is None else peers
    if EXACT.keys().isdisjoint(peers):
        raise InvalidArgumentError(f"none of {', '.join(peers) or 'no peers'} is exact; name one of {', '.join(EXACT)}")
    folder = out / "peers" / f"{model_path.stem}-{rows}x{model.manifest.dims}"
    names = {env: _names(env, peers) for env in environments}
    for env in environments:
        _check(env)
        _build(env, model_path, folder, [name for name in names[env] if name in PEERS])
    asked = _baskets(rows, turns or _turns(rows), seed)
    samples = _interleaved(model, folder, names, asked)
    wanted = [[_exactly(model, basket) for basket in turn] for turn in asked]
    started = {
        (env, name): _start(env, model, folder, name, starts) for env, listed in names.items() for name in listed
    }
    return _results(model, folder, samples, wanted, started)


def table_of(results: Sequence[Result]) -> str:
    """One contestant a line, the fastest first; tables apart."""
    headers = ["", "in", "exact", "agrees", "µs", "x", "x read", "first µs", "x", "stored kB", "anonymous MB"]
    headers += ["start s", "x", "digest s"]
    tables = []
    for rows, dims in dict.fromkeys((r.rows, r.dims) for r in results):
        here = sorted((r for r in results if (r.rows, r.dims) == (rows, dims)), key=lambda r: r.microseconds)
        tables.append(
            f"{rows:,} x {dims}\n"
            + tabulate(map(_line, here), headers, disable_numparse=True, colalign=["left"] * 3 + ["right"] * 11)
        )
    return "\n\n".join(tables)


def write(results: Sequence[Result], out: Path) -> None:
    """Writes `latency.json` and `latency.png`, which shows how answers grow with the number of items."""
    with replacing(out / "latency.json") as temporary:
        temporary.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n", "utf-8")
    draw(results, out / "latency.png")


def draw(results: Sequence[Result], path: Path) -> None:
    """One line a contestant: microseconds an answer against items, both in powers of ten."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(9, 6), layout="constrained")
    for name, env in dict.fromkeys((r.contestant, r.environment) for r in results):
        mine = sorted((r for r in results if (r.contestant, r.environment) == (name, env)), key=lambda r: r.rows)
        ours = name.startswith("mignon")
        axis.plot(
            [r.rows for r in mine],
            [r.microseconds for r in mine],
            marker="o",
            linewidth=2.5 if ours else 1,
            linestyle="-" if mine[0].exact else ":",
            label=f"{name}, {env}" if ours else name,
        )
    axis.set(xscale="log", yscale="log", xlabel="items", ylabel="µs an answer, one thread")
    axis.grid(visible=True, which="both", alpha=0.2)
    axis.legend(fontsize=7, ncols=2, title="dotted: approximate")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})
    pyplot.close(figure)


def _fitting(rows: int) -> list[str]:
    return list(PEERS if rows <= _MOST_ROWS_OF_GRAPHS else EXACT)


def _turns(rows: int) -> int:
    return 60 if rows <= 20_000 else 25 if rows <= 200_000 else 10


def _names(env: Environment, peers: Sequence[str]) -> list[str]:
    return [f"mignon {engine}" for engine in env.engines] + (list(peers) if env.peers else [])


def check_environments(environments: Sequence[Environment] = ENVIRONMENTS) -> None:
    """Refuses to begin where an environment is missing.

    Raises:
        InvalidArgumentError: one is missing; the message says how to make it.
    """
    for env in environments:
        _check(env)


def _check(env: Environment) -> None:
    if not (env.folder / "bin" / "python").exists():
        raise InvalidArgumentError(f"{env.folder}: there is no such environment; make it with `{env.make}`")


def _build(env: Environment, path: Path, folder: Path, names: Sequence[str]) -> None:
    digest = ModelFile.open(path).path.read_bytes()[-64:].decode("ascii")
    for name in tqdm(names, desc="building indexes", unit="index", disable=not names):
        done = _folder_of(folder, name) / "built_from"
        if done.exists() and done.read_text("ascii") == digest:
            continue
        built = subprocess.run(  # noqa: S603 - our own file, by an environment's own Python
            _command(env, "build", path, folder, name), env=_variables(), capture_output=True, text=True, check=False
        )
        if built.returncode:
            reason = (built.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise InvalidArgumentError(f"{env.folder}: {name} cannot be used ({reason}); make it with `{env.make}`")
        done.write_text(digest, "ascii")


def _baskets(rows: int, turns: int, seed: int) -> list[list[NDArray[np.int64]]]:
    rng = np.random.default_rng(seed)
    return [[rng.choice(rows, FAVORITES, replace=False) for _ in range(BASKETS_IN_TURN)] for _ in range(turns)]


def _interleaved(
    model: ModelFile,
    folder: Path,
    names: dict[Environment, list[str]],
    asked: Sequence[Sequence[NDArray[np.int64]]],
) -> dict[tuple[Environment, str], _Samples]:
    ids = model.lines("ids.txt")
    samples: dict[tuple[Environment, str], _Samples] = {}
    with ExitStack() as stack:
        running = {
            env: stack.enter_context(_running(_command(env, "serve", model.path, folder, *listed)))
            for env, listed in names.items()
        }
        for turn in tqdm(asked, desc=f"{len(ids):,} items", unit="turn"):
            request = json.dumps({"ask": [[ids[row] for row in basket.tolist()] for basket in turn]})
            for env, process in running.items():
                for name, said in _said(process, request).items():
                    of_name = samples.setdefault((env, name), _Samples([], []))
                    of_name.seconds.append(said["seconds"])
                    of_name.answers.append(said["answers"])
    return samples


@contextmanager
def _running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile("w+") as errors:  # a pipe that nobody reads could fill
        process = subprocess.Popen(  # noqa: S603 - our own file, by an environment's own Python
            command, env=_variables(), stdin=pipe, stdout=pipe, stderr=errors, text=True
        )
        try:
            _said(process)
            yield process
        except (BrokenPipeError, _SilenceError) as error:
            errors.seek(0)
            reason = (errors.read().strip().splitlines() or ["no reason was given"])[-1]
            raise InvalidArgumentError(f"{command[0]}: a contestant failed ({reason})") from error
        finally:
            with suppress(BrokenPipeError):
                _pipe(process.stdin).close()
            _pipe(process.stdout).close()
            process.wait()


def _said(process: subprocess.Popen[str], request: str | None = None) -> dict[str, Any]:
    if request is not None:
        stream = _pipe(process.stdin)
        stream.write(request + "\n")
        stream.flush()
    line = _pipe(process.stdout).readline()
    if not line:
        raise _SilenceError
    return json.loads(line)


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise InvalidArgumentError("a process has no pipe")
    return stream


def _exactly(model: ModelFile, basket: NDArray[np.int64]) -> list[int]:
    """The rows of the best others by integers, ties by the lower row."""
    query = model.table[basket].astype(np.int64).sum(axis=0)
    scores = np.concatenate([part.astype(np.int64) @ query for part in np.array_split(model.table, 64)])
    scores[basket] = np.iinfo(np.int64).min
    rows = np.flatnonzero(scores >= np.partition(scores, -contestants.K)[-contestants.K])
    return rows[np.argsort(-scores[rows], kind="stable")][: contestants.K].tolist()


def _start(env: Environment, model: ModelFile, folder: Path, name: str, starts: int) -> _Start:
    ids = model.lines("ids.txt")[:FAVORITES]
    python = str(env.folder / "bin" / "python")
    uses_interpreter = name in ("mignon auto", "mignon tflite") and env.interpreter is not None
    imports = f"import numpy{f', {env.interpreter}' if uses_interpreter else ''}; print('{{}}', flush=True)"
    whole = _command(env, "once", model.path, folder, name, *ids)
    kind, _, engine = name.partition(" ")
    first = [python, "-c", _FIRST_ANSWER, str(model.path), engine, *ids] if kind == "mignon" else whole
    took, bare = [], []
    for _ in range(starts):
        bare.append(_seconds_to_speak([python, "-c", imports])[0])
        took.append(_seconds_to_speak(first)[0])
    return _Start(median(took), median(took) / median(bare), _seconds_to_speak(whole)[1]["anonymous"])


def _seconds_to_speak(command: Sequence[str]) -> tuple[float, dict[str, Any]]:
    """Seconds from the start of a process to its first line, and what its last line says."""
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own file, by an environment's own Python
        command, env=_variables(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        first = _pipe(process.stdout).readline()
        seconds = time.perf_counter() - start
        last = _pipe(process.stdout).readlines()[-1:]
    if process.returncode or not first:
        raise InvalidArgumentError(f"{command!r} failed with status {process.returncode}")
    return seconds, json.loads(last[0]) if last else {}


def _results(
    model: ModelFile,
    folder: Path,
    samples: dict[tuple[Environment, str], _Samples],
    wanted: Sequence[Sequence[list[int]]],
    started: dict[tuple[Environment, str], _Start],
) -> list[Result]:
    times = {key: _times(of_key.seconds) for key, of_key in samples.items()}
    exact = [times[key] for key in times if key[1] in EXACT]
    fastest, fastest_first = min(t[0] for t in exact), min(t[1] for t in exact)
    ids, digest = model.lines("ids.txt"), _seconds_to_digest(model.path)
    expected = [[ids[row] for row in rows] for turn in wanted for rows in turn]
    found = []
    for (env, name), (usual, first, least) in times.items():
        label = READ if name == "read" else name
        answers = [answer for turn in samples[env, name].answers for answer in turn]
        start = started.get((env, name), _Start(0.0, 0.0, 0))
        agreement = sum(a == e for a, e in zip(answers, expected, strict=False)) / len(expected)
        found.append(
            Result(
                model.manifest.rows,
                model.manifest.dims,
                label,
                env.name,
                name not in APPROXIMATE,
                agreement,
                1e6 * usual,
                1e6 * first,
                1e6 * least,
                usual / fastest,
                first / fastest_first,
                usual / times[env, "read"][0],
                _stored_bytes(model, folder, name),
                start.anonymous,
                start.seconds,
                start.ratio,
                digest if name.startswith("mignon") else 0.0,
            )
        )
    return found


def _times(seconds: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The median of answers after others, of first answers, and the least; the first turn only warms up."""
    turns = seconds[1:] or seconds
    after = [value for turn in turns for value in turn[1:]]
    return median(after), median(turn[0] for turn in turns), min(after)


def _stored_bytes(model: ModelFile, folder: Path, name: str) -> int:
    if name not in PEERS:
        return model.path.stat().st_size if name.startswith("mignon") else model.table.nbytes
    files = (file for file in _folder_of(folder, name).rglob("*") if file.is_file() and file.name != "built_from")
    return sum(file.stat().st_size for file in files) + len(model.text("ids.txt").encode("utf-8"))


def _seconds_to_digest(path: Path) -> float:
    data = path.read_bytes()
    start = time.perf_counter()
    hashlib.sha256(data).hexdigest()
    return time.perf_counter() - start


def _folder_of(folder: Path, name: str) -> Path:
    return folder / name.replace(" ", "_")


def _command(env: Environment, task: str, path: Path, folder: Path, *rest: str) -> list[str]:
    return [str(env.folder / "bin" / "python"), contestants.__file__, task, str(path), str(folder), *rest]


def _variables() -> dict[str, str]:
    """Of the checkout, not of the wheel that an environment may hold; compiled once, as an installed one is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    cache = str(ROOT / "build" / "cache" / "python")
    return {"PYTHONPYCACHEPREFIX": cache, **kept, **_ONE_THREAD, "PYTHONPATH": str(ROOT)}


def _line(result: Result) -> list[str]:
    agrees = "" if result.contestant == READ else f"{100 * result.agreement:.1f} %"
    return [
        result.contestant,
        result.environment,
        "yes" if result.exact else "no",
        agrees,
        f"{result.microseconds:,.0f}",
        f"{result.ratio:.2f}",
        f"{result.reads:.2f}",
        f"{result.first_microseconds:,.0f}",
        f"{result.first_ratio:.2f}",
        f"{result.stored_bytes / 1e3:,.0f}",
        f"{result.anonymous_bytes / 1e6:,.1f}" if result.anonymous_bytes else "",
        f"{result.start_seconds:.2f}" if result.start_seconds else "",
        f"{result.start_ratio:.2f}" if result.start_seconds else "",
        f"{result.digest_seconds:.3f}" if result.digest_seconds else "",
    ]
