"""The processes of contestants: each environment has one, and they take turns, so that other work falls on all."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, Any, NamedTuple

from tqdm import tqdm

from benchmarks.environments import Environment, UnusableEnvironmentError, last_line
from benchmarks.latency import worker
from benchmarks.latency.libraries import PEERS

_FIRST_ANSWER = """
import sys
from device_runtime import Recommender
print(Recommender.open(sys.argv[1], engine=sys.argv[2]).recommend(sys.argv[3:]), flush=True)
"""
_DIGEST_LENGTH = 64  # of a model file, in hexadecimal at its end


@dataclass(frozen=True)
class ContestantEnvironment(Environment):
    """An environment and who runs there.

    Attributes:
        engines: of mignon.
        interpreter: what its TFLite interpreter is imported as.
        peers: whether the peers are installed there.
    """

    engines: tuple[str, ...]
    interpreter: str | None
    peers: bool

    def contestants(self, peers: Sequence[str]) -> list[str]:
        """`mignon ENGINE` for each engine, and those of `peers` that run there."""
        return [f"mignon {engine}" for engine in self.engines] + (list(peers) if self.peers else [])


Contestant = tuple[ContestantEnvironment, str]


class Samples(NamedTuple):
    """Of one contestant: seconds [turns][baskets], and the ids of each answer."""

    seconds: list[list[float]]
    answers: list[list[list[str]]]


class Start(NamedTuple):
    """Of a process: see `benchmarks.latency.compare.ContestantResult`."""

    seconds: float = 0.0
    ratio: float = 0.0
    anonymous_bytes: int = 0


class FirstLine(NamedTuple):
    """Seconds from the start of a process to its first line, and its last line."""

    seconds: float
    last_line: str


def build_indexes(env: ContestantEnvironment, path: Path, folder: Path, names: Sequence[str]) -> None:
    """Builds those indexes of peers that were not built from this very file.

    Raises:
        UnusableEnvironmentError: a peer cannot be used there; the message says how to install it.
    """
    digest = path.read_bytes()[-_DIGEST_LENGTH:].decode("ascii")
    peers = [name for name in names if name in PEERS]
    for name in tqdm(peers, desc="building indexes", unit="index", disable=not peers):
        done = worker.index_folder(folder, name) / "built_from"
        if done.exists() and done.read_text("ascii") == digest:
            continue
        try:
            env.run(worker.__file__, "build", path, folder, name)
        except UnusableEnvironmentError as error:
            raise UnusableEnvironmentError(f"{name} cannot be used: {error}") from error
        done.write_text(digest, "ascii")


def take_turns(
    path: Path, folder: Path, names: Mapping[ContestantEnvironment, Sequence[str]], turns: Sequence[Sequence[list[str]]]
) -> dict[Contestant, Samples]:
    """Asks every contestant the baskets of ids of each turn; `read` is the table read once.

    Raises:
        UnusableEnvironmentError: a process ended without an answer.
    """
    samples: dict[Contestant, Samples] = {}
    with ExitStack() as stack:
        running = {
            env: stack.enter_context(_running(env, worker.__file__, "serve", path, folder, *listed))
            for env, listed in names.items()
        }
        for baskets in tqdm(turns, desc=path.stem, unit="turn"):
            for env, process in running.items():
                for name, measured in _ask(process, json.dumps({"ask": baskets})).items():
                    of_name = samples.setdefault((env, name), Samples([], []))
                    of_name.seconds.append(measured["seconds"])
                    of_name.answers.append(measured["answers"])
    return samples


def measure_start(contestant: Contestant, path: Path, folder: Path, items: Sequence[str], starts: int) -> Start:
    """From nothing to the first answer about `items`, beside a process that imports what the contestant needs."""
    env, name = contestant
    kind, _, engine = name.partition(" ")
    imports = ["numpy"]
    if kind == "mignon" and engine != "numpy" and env.interpreter is not None:
        imports.append(env.interpreter)
    whole = [worker.__file__, "once", path, folder, name, *items]
    first = ["-c", _FIRST_ANSWER, path, engine, *items] if kind == "mignon" else whole
    took, bare = [], []
    for _ in range(starts):
        bare.append(time_first_line(env, "-c", f"import {', '.join(imports)}; print(flush=True)").seconds)
        took.append(time_first_line(env, *first).seconds)
    anonymous = json.loads(time_first_line(env, *whole).last_line)["anonymous"]
    return Start(median(took), median(took) / median(bare), anonymous)


def time_first_line(env: Environment, *arguments: object) -> FirstLine:
    """Starts a process of its Python and waits for its end.

    Raises:
        UnusableEnvironmentError: it prints nothing, or ends with another status than 0.
    """
    start = time.perf_counter()
    with env.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        lines = [_pipe(process.stdout).readline()]
        seconds = time.perf_counter() - start
        lines += _pipe(process.stdout).readlines()
    if process.returncode or not lines[0]:
        raise UnusableEnvironmentError(f"{env.folder}: a process failed with status {process.returncode}")
    return FirstLine(seconds, lines[-1])


@contextmanager
def _running(env: Environment, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile("w+") as errors:  # a pipe that nobody reads could fill
        process = env.start(*arguments, stdin=pipe, stdout=pipe, stderr=errors)
        try:
            _ask(process)
            yield process
        except (BrokenPipeError, EOFError) as error:
            errors.seek(0)
            raise UnusableEnvironmentError(
                f"{env.folder}: a contestant failed ({last_line(errors.read())}); make the environment with "
                f"`{env.make}`"
            ) from error
        finally:
            with suppress(BrokenPipeError):
                _pipe(process.stdin).close()
            _pipe(process.stdout).close()
            process.wait()


def _ask(process: subprocess.Popen[str], request: str | None = None) -> dict[str, Any]:
    """The answer to `request`, or what is said unasked at the start."""
    if request is not None:
        stream = _pipe(process.stdin)
        stream.write(request + "\n")
        stream.flush()
    line = _pipe(process.stdout).readline()
    if not line:
        raise EOFError
    return json.loads(line)


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise EOFError
    return stream
