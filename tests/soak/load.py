"""Mixed load on `mignon serve`, malformed requests among it: what came back, how fast, and whether memory grows.

Every question is asked once alone; under load its answer has to be the same to the last byte, but for the items that
clients add meanwhile where the server takes changes. Whatever else comes back counts as a fault of the server, be it a
status of 500 and above or a connection that breaks.
"""

from __future__ import annotations

import http.client
import random
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from device_runtime import InvalidArgumentError
from tests.soak.questions import Asked, Server, ask, asked_alone, connection_to
from tests.soak.writes import Writer

CLIENTS = 16
MINUTES = 10.0
MOST_REQUESTS = 10_000_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PATIENCE = 30.0
_SAMPLES = 240
_WARM_UP = 0.25
_GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
_POST = b"POST /v1/recommend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_MALFORMED = {
    "noise": (bytes(range(128, 256)) + b"\n", 400),
    "bad header": (_GET + b"no colon\r\n\r\n", 400),
    "endless header": (_GET + b"X: " + b"a" * 50_000, 431),
    "endless URL": (b"GET /" + b"a" * 50_000, 414),
    "no length": (_POST + b"\r\n{}", 411),
    "in chunks": (_POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411),
    "negative length": (_POST + b"Content-Length: -5\r\n\r\n{}", 400),
    "too long": (_POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, 413),
    "cut short": (_POST + b"Content-Length: 500\r\n\r\n{", 400),
    "bad percent": (b"GET /v1/find?text=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
}
_SHARES = {"question": 70, "change": 10, "malformed": 14, "gone": 5, "slow": 1}


@dataclass(frozen=True)
class Load:
    """What a run saw.

    Attributes:
        outcomes: how often each kind of request had each status; a client that goes away has none.
        faults: how often the server did something else than it should.
        median, p99: milliseconds of well-formed requests, answered with 200 or refused.
        memory: (seconds, bytes) of the server's anonymous memory; empty where its process is not known.
        growth: bytes a minute, fitted to the last three quarters of `memory`.
        threads: the most the server had.
    """

    seconds: float
    outcomes: dict[tuple[str, int | None], int]
    faults: dict[str, int]
    median: float
    p99: float
    memory: tuple[tuple[float, int], ...]
    growth: float | None
    threads: int | None

    @property
    def requests(self) -> int:
        """How many were sent."""
        return sum(self.outcomes.values()) + sum(self.faults.values())


def run(
    target: str | Path, minutes: float = MINUTES, clients: int = CLIENTS, most_requests: int = MOST_REQUESTS
) -> Load:
    """Asks from `clients` threads until the minutes or the requests are used up.

    Args:
        target: a model file, for a copy of which a server that takes changes is started and stopped; or the URL of one
            that runs on this machine, where items and profiles called load-... are changed if it takes changes.

    Raises:
        InvalidArgumentError: the URL is not of this machine, or the server does not start.
    """
    if not str(target).startswith("http://"):
        with _serving(Path(target)) as server:
            return _run(server, minutes, clients, most_requests)
    address = urlsplit(str(target))
    if address.hostname not in _LOOPBACK:
        raise InvalidArgumentError(f"{target} is not on this machine; give a URL such as http://127.0.0.1:8080")
    return _run(Server(address.hostname, address.port or 80), minutes, clients, most_requests)


def format_load(load: Load) -> str:
    """The whole run in lines for a terminal."""
    statuses = sorted({status or 0 for _, status in load.outcomes})
    kinds = sorted({kind for kind, _ in load.outcomes})
    rows = [[kind, *(load.outcomes.get((kind, status or None), 0) for status in statuses)] for kind in kinds]
    cells = [[kind, *(f"{count:,}" if count else "" for count in counts)] for kind, *counts in rows]
    headers = ["request", *(str(status or "none") for status in statuses)]
    table = tabulate(cells, headers, disable_numparse=True, colalign=["left", *["right"] * len(statuses)])
    faults = ", ".join(f"{kind}: {count}" for kind, count in sorted(load.faults.items())) or "none"
    return "\n".join(
        [
            table,
            "",
            f"{load.requests:,} requests in {load.seconds:.0f} s, {load.requests / load.seconds:,.0f} a second",
            f"faults of the server: {faults}",
            f"latency: {load.median:.1f} ms median, {load.p99:.1f} ms p99",
            _memory_line(load),
        ]
    )


def _memory_line(load: Load) -> str:
    if load.growth is None:
        return "memory: not measured; give a model file in place of a URL"
    sizes = [size / 1e6 for _, size in load.memory]
    quarters = " - ".join(f"{sizes[(len(sizes) - 1) * quarter // 4]:.1f}" for quarter in range(5))
    return (
        f"anonymous memory: {quarters} MB from the start to the end, {max(sizes):.1f} MB at most, "
        f"growing by {load.growth / 1e3:,.1f} KB a minute; threads: {load.threads}"
    )


@contextmanager
def _serving(model: Path) -> Iterator[Server]:
    """A server of its own that takes changes to a copy of the model, on a free port of the loopback."""
    with TemporaryDirectory() as folder, _started(shutil.copy(model, folder)) as server:
        yield server


@contextmanager
def _started(model: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "device_runtime", "serve", model, "--port", "0", "--writable"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found is None:
                raise InvalidArgumentError(f"the server does not start: {line.strip()}")
            yield Server("127.0.0.1", int(found[1]), process.pid)
        finally:
            process.terminate()


def _run(server: Server, minutes: float, clients: int, most_requests: int) -> Load:
    asked = asked_alone(server)
    start = time.monotonic()
    end = start + 60 * minutes
    threads = [_Client(server, asked, end, most_requests // clients, seed) for seed in range(clients)]
    for thread in threads:
        thread.start()
    memory, most_threads = _watch(server.process, threads, start, end)
    for thread in threads:
        thread.join()
    latencies = np.concatenate([np.array(thread.latencies) for thread in threads])
    median, p99 = np.quantile(latencies, [0.5, 0.99]) if len(latencies) else (np.nan, np.nan)
    return Load(
        time.monotonic() - start,
        dict(sum((thread.outcomes for thread in threads), Counter[tuple[str, int | None]]())),
        dict(sum((thread.faults for thread in threads), Counter[str]())),
        1e3 * float(median),
        1e3 * float(p99),
        tuple(memory),
        _slope(memory[int(_WARM_UP * len(memory)) :]),
        most_threads,
    )


def _watch(
    process: int | None, threads: Sequence[threading.Thread], start: float, end: float
) -> tuple[list[tuple[float, int]], int | None]:
    """Samples the server's memory until the clients are done."""
    memory: list[tuple[float, int]] = []
    most_threads = None
    for _ in tqdm(range(_SAMPLES), desc="load", unit="sample"):
        time.sleep(max(0.0, (end - start) / _SAMPLES))
        if not any(thread.is_alive() for thread in threads):
            break
        if process is not None:
            size, count = _memory_and_threads(process)
            memory.append((time.monotonic() - start, size))
            most_threads = max(count, most_threads or 0)
    return memory, most_threads


def _memory_and_threads(process: int) -> tuple[int, int]:
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["RssAnon"].split()[0]) * 1024, int(fields["Threads"])


def _slope(memory: Sequence[tuple[float, int]]) -> float | None:
    if len(memory) < 2:
        return None
    seconds, sizes = np.array(memory, float).T
    return float(60 * np.polyfit(seconds, sizes, 1)[0])


class _Client(threading.Thread):
    """One client that asks at random, over a connection that it keeps and over others that it spoils."""

    def __init__(self, server: Server, asked: Asked, end: float, most_requests: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.outcomes: Counter[tuple[str, int | None]] = Counter()
        self.faults: Counter[str] = Counter()
        self.latencies = array("d")
        self._server = server
        self._questions = asked.questions
        self._writer = Writer(seed, asked.ids) if asked.writable else None
        self._end = end
        self._left = most_requests
        self._rng = random.Random(seed)
        self._connection = connection_to(server)
        self._held: socket.socket | None = None

    def run(self) -> None:
        """Asks until time or requests are used up; a fault is counted, and the next request goes on."""
        does = {
            "question": self._question,
            "change": self._change,
            "malformed": self._malformed,
            "gone": self._gone,
            "slow": self._slow,
        }
        kinds, weights = list(does), [_SHARES[kind] for kind in does]
        while time.monotonic() < self._end and self._left > 0:
            self._left -= 1
            (kind,) = self._rng.choices(kinds, weights)
            try:
                does[kind]()
            except (OSError, http.client.HTTPException) as error:
                self.faults[f"{kind}: {type(error).__name__}"] += 1
                self._connection.close()
        self._connection.close()
        if self._held is not None:
            self._held.close()

    def _question(self) -> None:
        question = self._rng.choice(self._questions)
        start = time.perf_counter()
        status, answer = ask(self._connection, question)
        self.latencies.append(time.perf_counter() - start)
        right = question.is_answered_by(status, answer)
        self._count(question.kind, status, "" if right else f"{question.kind}: a wrong answer, {status}")

    def _change(self) -> None:
        if self._writer is None:
            return self._question()
        kind, status, right = self._writer.write(self._connection)
        self._count(kind, status, "" if right else f"{kind}: not as it should be, {status}")
        return None

    def _malformed(self) -> None:
        kind, (data, expected) = self._rng.choice(list(_MALFORMED.items()))
        with self._open() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            status = _status(_read_all(client))
        self._count(kind, status, "" if status == expected else f"{kind}: {status}, not {expected}")

    def _gone(self) -> None:
        """Goes away in the middle of a request, or before the answer."""
        with self._open() as client:
            client.sendall(_GET + b"\r\n" * self._rng.randrange(2))
        self._count("gone", None)

    def _slow(self) -> None:
        """Leaves a request unfinished, and looks at later times whether it has been cut off."""
        if self._held is not None:
            if not select.select([self._held], [], [], 0)[0]:
                return
            with self._held as client:
                status = _status(_read_all(client))
            self._count("slow", status, "" if status == 408 else f"slow: {status}, not 408")
        self._held = self._open()
        self._held.sendall(_GET)

    def _open(self) -> socket.socket:
        return socket.create_connection((self._server.host, self._server.port), _PATIENCE)

    def _count(self, kind: str, status: int | None, fault: str = "") -> None:
        if fault:
            self.faults[fault] += 1
        else:
            self.outcomes[kind, status] += 1


def _read_all(client: socket.socket) -> bytes:
    found = b""
    while block := client.recv(1 << 16):
        found += block
    return found


def _status(answer: bytes) -> int | None:
    with suppress(ValueError, IndexError):
        return int(answer.split(b" ", 2)[1])
    return None
