"""Exports of generated tables from small to large: bytes, what is kept, faults, seconds and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from benchmarks.generated.tables import generate
from device_runtime.errors import InvalidArgumentError
from export.tflite.lint import lint
from training.console.files import replacing

SIZES = ("5000x16", "5000x32", "100000x32", "1000000x32")
BITS = (8, 4)
ALLOWED_SHARE = 1.02
ALLOWED_BYTES = 14 * 1024


@dataclass(frozen=True)
class Export:
    """One export in a process of its own.

    Attributes:
        allowed_bytes: 1.02 times the table's bytes and 14 KiB.
        faults: that lint finds; the op that reads 4 bits, which tflite-runtime 2.14 does not have, is one.
        seconds: of the whole command.
        peak_bytes: of its resident memory.
    """

    size: str
    bits: int
    flatbuffer_bytes: int
    allowed_bytes: int
    overlap_at_10: float
    engines: tuple[str, ...]
    faults: int
    seconds: float
    peak_bytes: int


def measure(out: Path, sizes: Sequence[str] = SIZES, bits: Sequence[int] = BITS) -> list[Export]:
    """Generates a trained folder of each size below `out` and exports it at each depth, quantized after training.

    Raises:
        InvalidArgumentError: a size is not ROWSxDIMS, or its export fails.
    """
    found = []
    for size, depth in tqdm([(s, b) for s in sizes for b in bits], desc="exporting", unit="file"):
        rows, dims = _parse(size)
        found.append(_export(_generated(size, out), size, rows * dims, depth))
    return found


def exported(size: str, out: Path) -> Path:
    """The 8-bit file of a generated table, made below `out` if it is not there yet.

    Raises:
        InvalidArgumentError: `size` is not ROWSxDIMS, or its export fails.
    """
    rows, dims = _parse(size)
    path = _path(out / "generated" / size, 8)
    if not path.exists():
        _export(_generated(size, out), size, rows * dims, 8)
    return path


def _generated(size: str, out: Path) -> Path:
    folder = out / "generated" / size
    if not folder.exists():
        generate(*_parse(size), folder)
    return folder


def _path(folder: Path, bits: int) -> Path:
    return folder.with_name(f"{folder.name}x{bits}.tflite")


def table_of(exports: Sequence[Export]) -> str:
    """One export a line."""
    rows = [
        [
            e.size,
            e.bits,
            f"{e.flatbuffer_bytes:,}",
            f"{e.allowed_bytes:,}",
            f"{e.overlap_at_10:.3f}",
            len(e.engines),
            e.faults,
            f"{e.seconds:.0f}",
            f"{e.peak_bytes / 1e9:.1f}",
        ]
        for e in exports
    ]
    headers = ["table", "bits", "flatbuffer bytes", "allowed", "overlap@10", "engines", "faults", "seconds", "peak GB"]
    return tabulate(rows, headers, disable_numparse=True, colalign=["left", *["right"] * 8])


def write(exports: Sequence[Export], out: Path) -> None:
    """Writes `sizes.json`."""
    with replacing(out / "sizes.json") as temporary:
        temporary.write_text(json.dumps([asdict(e) for e in exports], indent=2) + "\n", "utf-8")


def _parse(size: str) -> tuple[int, int]:
    rows, _, dims = size.partition("x")
    if not (rows.isdecimal() and dims.isdecimal() and int(rows) and int(dims)):
        raise InvalidArgumentError(f"{size!r} is not a size such as 5000x16: items and dims")
    return int(rows), int(dims)


def _export(folder: Path, size: str, entries: int, bits: int) -> Export:
    path = _path(folder, bits)
    command = [sys.executable, "-m", "export", str(folder), "--out", str(path), "--bits", str(bits)]
    log = folder.with_name(f"{size}x{bits}.json")
    start = time.monotonic()
    with log.open("wb") as stream:
        running = subprocess.Popen([*command, "--quantize", "ptq", "--no-progress", "--json"], stdout=stream)  # noqa: S603
        _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)  # it was waited for here, for the sake of `usage`
    seconds = time.monotonic() - start
    if status:
        raise InvalidArgumentError(f"{folder}: cannot be exported, as said above")
    record = json.loads(log.read_text("utf-8"))
    return Export(
        size,
        bits,
        record["flatbuffer_bytes"],
        int(ALLOWED_SHARE * entries * bits / 8) + ALLOWED_BYTES,
        record["quality"]["overlap_at_10"],
        tuple(record["engines"]),
        len(lint(path)),
        seconds,
        usage.ru_maxrss * 1024,
    )
