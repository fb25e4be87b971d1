"""Tables of several widths and bit depths to choose from, each as good as it was measured to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from export.errors import ExportError
from export.quantization.axes import truncated
from export.quantization.rows import QuantizedTable, check_packs, quantize
from export.tflite.flatbuffer import serialize
from export.tflite.operators import signatures
from export.verification.engines import Judge, Quality

Method = Literal["auto", "ptq", "qat"]
METHODS = get_args(Method)
WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
BITS = (8, 4)
LEAST_GAIN = 0.002
MOST_ROWS_TO_FINE_TUNE = 200_000


@dataclass(frozen=True)
class Candidate:
    """One table that could be exported.

    Attributes:
        method: how its integers were found: `ptq` after training, `qat` by fine-tuning with the rounding in the loop.
        flatbuffer_bytes: of the graph with this table.
    """

    method: str
    table: QuantizedTable
    quality: Quality
    flatbuffer_bytes: int

    @property
    def dims(self) -> int:
        """Numbers in a row."""
        return int(self.table.rows.shape[1])

    @property
    def name(self) -> str:
        """Such as `16x8`: dims and bits."""
        return f"{self.dims}x{self.table.bits}"


def candidates(judge: Judge, dims: int, bits: int, method: Method, *, progress: bool = True) -> list[Candidate]:
    """The tables of one width and depth by each method asked for, the best first.

    `auto` tries both, but fine-tunes only catalogs of up to 200,000 items, and only where rounding loses more than
    LEAST_GAIN of overlap@10. Fine-tuning has to win more than that back, and not to lose more triplets than their
    standard error, to be the best.

    Raises:
        ExportError: `dims` is more than was trained, or odd at 4 bits; or a row has no direction.
    """
    width = judge.vectors.shape[1]
    if not 1 <= dims <= width:
        raise ExportError(f"{dims} dims were asked for and the model has {width}; give 1 to {width}, or train again")
    check_packs(dims, bits)
    start = truncated(judge.vectors, dims)
    found = []
    if method != "qat":
        found.append(_candidate("ptq", quantize(start, bits), judge))
    if method == "qat" or (method == "auto" and _could_gain(found[0], judge)):
        from export.quantization.fine_tuning import fine_tune

        found.append(_candidate("qat", fine_tune(start, judge.vectors, bits, progress=progress), judge))
    return found[::-1] if len(found) == 2 and _is_better(found[1].quality, found[0].quality) else found


def every_size(judge: Judge, method: Method, bits: Iterable[int], *, progress: bool = True) -> list[Candidate]:
    """The best table of each width up to the trained one and of each depth in `bits`, smallest first."""
    width = judge.vectors.shape[1]
    sizes = [(d, b) for d in sorted({*WIDTHS, width}) for b in bits if d <= width and not d * b % 8]
    made = [
        candidates(judge, d, b, method, progress=False)[0]
        for d, b in tqdm(sizes, desc="trying sizes", unit="size", disable=not progress)
    ]
    return sorted(made, key=lambda candidate: candidate.flatbuffer_bytes)


def frontier(found: Sequence[Candidate]) -> list[Candidate]:
    """Those that no smaller or equally large one equals in overlap@10; `found` smallest first."""
    best: list[Candidate] = []
    for candidate in found:
        if not best or candidate.quality.overlap_at_10 > best[-1].quality.overlap_at_10:
            best.append(candidate)
    return best


def within(found: Sequence[Candidate], most_bytes: int) -> Candidate:
    """The best whose flatbuffer has at most `most_bytes`.

    Raises:
        ExportError: none is so small.
    """
    fitting = [candidate for candidate in found if candidate.flatbuffer_bytes <= most_bytes]
    if not fitting:
        raise ExportError(
            f"the smallest flatbuffer of {len(found[0].table.rows)} items has {found[0].flatbuffer_bytes:,} bytes "
            f"({found[0].name}), more than the {most_bytes:,} allowed; give --max-bytes more or fewer items"
        )
    return max(fitting, key=lambda candidate: candidate.quality.overlap_at_10)


def least_overlap(judge: Judge, dims: int, bits: int) -> float:
    """The overlap@10 below which a file is refused, where none was asked for.

    At 8 bits 0.97 of what the float table keeps when cut to as many dims: 0.97 where it is not cut. A 4-bit table has
    to keep what 8 bits would in as many bytes, with half the dims.
    """
    if bits == 8:
        return 0.97 * (1.0 if dims == judge.vectors.shape[1] else judge.overlap(truncated(judge.vectors, dims)))
    return judge.overlap(quantize(truncated(judge.vectors, max(1, dims // 2))).rows)


def vectors_in(table: QuantizedTable, judge: Judge, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Trained vectors float32 [any, width] where the file's rows are: [any, dims], by the linear map that fits best.

    Truncation is a linear map and fine-tuning nearly one, so that what was trained beside the table can follow it.
    """
    rows = table.rows * np.float32(table.scale)
    moved: NDArray[np.float32] = vectors @ np.linalg.lstsq(judge.vectors, rows, rcond=None)[0]
    return moved.astype(np.float32)


def _candidate(method: str, table: QuantizedTable, judge: Judge) -> Candidate:
    return Candidate(method, table, judge.quality(table.rows), len(serialize(signatures(table), "mignon").data))


def _could_gain(rounded: Candidate, judge: Judge) -> bool:
    return (
        judge.k > 0 and len(judge.vectors) <= MOST_ROWS_TO_FINE_TUNE and rounded.quality.overlap_at_10 < 1 - LEAST_GAIN
    )


def _is_better(new: Quality, old: Quality) -> bool:
    if new.triplets is not None and old.triplets is not None and new.triplets < old.triplets - (new.triplet_error or 0):
        return False
    return new.overlap_at_10 > old.overlap_at_10 + LEAST_GAIN
