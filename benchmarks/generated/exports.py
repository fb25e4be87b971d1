"""Exports of generated tables from small to large: bytes, what is kept, faults, seconds and memory."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.base import Size
from benchmarks.environments import HERE
from benchmarks.generated.tables import generate
from benchmarks.output import format_table
from device_runtime.errors import InvalidArgumentError
from export import lint_file

BITS = (8, 4)
_ALLOWED_SHARE = 1.02  # of the table's bytes: room for the signatures over it
_ALLOWED_BYTES = 20_000


@dataclass(frozen=True)
class ExportResult:
    """One export in a process of its own.

    Attributes:
        allowed_bytes: 1.02 times the table's bytes and 20 KB.
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


def measure(out: Path, sizes: Sequence[Size], bits: Sequence[int] = BITS) -> list[ExportResult]:
    """Generates a trained folder of each size below `out` and exports it at each depth, quantized after training.

    Raises:
        InvalidArgumentError: an export fails.
    """
    jobs = tqdm([(size, depth) for size in sizes for depth in bits], desc="exporting", unit="file")
    return [_export(size, depth, out) for size, depth in jobs]


def export_generated(size: Size, out: Path) -> Path:
    """The 8-bit file of a generated table, made below `out` if it is not there yet.

    Raises:
        InvalidArgumentError: its export fails.
    """
    path = _path(size, 8, out)
    if not path.exists():
        _export(size, 8, out)
    return path


def _folder(size: Size, out: Path) -> Path:
    return out / "generated" / str(size)


def _path(size: Size, bits: int, out: Path) -> Path:
    return _folder(size, out).with_name(f"{size}x{bits}.tflite")


def format_exports(exports: Sequence[ExportResult]) -> str:
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
    return format_table(headers, rows)


def _export(size: Size, bits: int, out: Path) -> ExportResult:
    folder, path = _folder(size, out), _path(size, bits, out)
    if not folder.exists():
        generate(*size, folder)
    log = path.with_suffix(".json")
    options = ["--bits", bits, "--quantize", "ptq", "--no-progress", "--json"]
    start = time.monotonic()
    with log.open("wb") as stream:
        process = HERE.start("-m", "export", folder, "--out", path, *options, one_thread=False, stdout=stream)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # it was waited for here, for the sake of `usage`
    seconds = time.monotonic() - start
    if status:
        raise InvalidArgumentError(f"{folder}: cannot be exported, as said above")
    record = json.loads(log.read_text("utf-8"))
    return ExportResult(
        size=str(size),
        bits=bits,
        flatbuffer_bytes=record["flatbuffer_bytes"],
        allowed_bytes=int(_ALLOWED_SHARE * size.rows * size.dims * bits / 8) + _ALLOWED_BYTES,
        overlap_at_10=record["quality"]["overlap_at_10"],
        engines=tuple(record["engines"]),
        faults=len(lint_file(path)),
        seconds=seconds,
        peak_bytes=usage.ru_maxrss * 1024,
    )
