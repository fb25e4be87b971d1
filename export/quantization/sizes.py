"""Tables of several widths and bit depths to choose from, each as good as it was measured to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from export.errors import ExportError
from export.quantization.axes import truncate_table
from export.quantization.rows import check_packing, quantize
from export.request import Method
from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.plan import ALL_SIGNATURES, SignaturePlan
from export.tflite.signatures import build_signatures
from export.verification.quality import BasketQuality, NeighborJudge, NeighborQuality

WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
LEAST_GAIN = 0.002
MOST_ROWS_TO_FINE_TUNE = 200_000
Kept = TypeVar("Kept", NeighborQuality, BasketQuality)
_LEAST_SHARE = 0.97  # of what float keeps of its own neighbors; rounding to 8 bits keeps 0.99


@dataclass(frozen=True)
class Candidate(Generic[Kept]):
    """One table that could be exported.

    Attributes:
        method: how its integers were found: `ptq` after training, `qat` by fine-tuning with the rounding in the loop;
            `None` where there is one way alone.
        flatbuffer_bytes: of the graph with this table.
    """

    method: str | None
    table: QuantizedTable
    quality: Kept
    flatbuffer_bytes: int

    @property
    def name(self) -> str:
        """Such as `16x8`: dims and bits."""
        return f"{self.table.dims}x{self.table.bits}"

    def as_record(self) -> dict[str, Any]:
        """Without the table, as JSON holds it."""
        return {
            "dims": self.table.dims,
            "bits": self.table.bits,
            "method": self.method,
            "flatbuffer_bytes": self.flatbuffer_bytes,
            "quality": asdict(self.quality),
        }


@dataclass(frozen=True)
class Tried(Generic[Kept]):
    """The table to export, and what was tried beside it."""

    best: Candidate[Kept]
    others: tuple[Candidate[Kept], ...] = ()


def try_methods(  # noqa: PLR0913 - what a table depends on
    judge: NeighborJudge,
    dims: int,
    bits: int,
    method: Method,
    *,
    plan: SignaturePlan = ALL_SIGNATURES,
    progress: bool = True,
) -> Tried[NeighborQuality]:
    """The tables of one width and depth by each method asked for.

    `auto` tries both, but fine-tunes only catalogs of up to 200,000 items, and only where rounding loses more than
    LEAST_GAIN of overlap@10. Fine-tuning has to win more than that back, and not to lose more triplets than their
    standard error, to be the best.

    Raises:
        ExportError: `dims` is more than was trained, or odd at 4 bits; or a row has no direction.
    """
    width = judge.vectors.shape[1]
    if not 1 <= dims <= width:
        raise ExportError(f"{dims} dims were asked for and the model has {width}; give 1 to {width}, or train again")
    check_packing(dims, bits)
    start = truncate_table(judge.vectors, dims)
    if method == "qat":
        return Tried(_fine_tune(judge, start, bits, plan, progress=progress))
    table = quantize(start, bits)
    rounded = make_candidate("ptq", table, judge.measure(table), plan)
    if method == "ptq" or not _could_gain(rounded.quality, judge):
        return Tried(rounded)
    tuned = _fine_tune(judge, start, bits, plan, progress=progress)
    return Tried(tuned, (rounded,)) if _is_better(tuned.quality, rounded.quality) else Tried(rounded, (tuned,))


def make_candidate(
    method: str | None, table: QuantizedTable, quality: Kept, plan: SignaturePlan = ALL_SIGNATURES
) -> Candidate[Kept]:
    """`table` with what it keeps and the bytes that it takes."""
    return Candidate(method, table, quality, len(serialize(build_signatures(table, plan)).data))


def try_sizes(
    judge: NeighborJudge,
    method: Method,
    bits: Iterable[int],
    *,
    plan: SignaturePlan = ALL_SIGNATURES,
    progress: bool = True,
) -> list[Candidate[NeighborQuality]]:
    """The best table of each width up to the trained one and of each depth in `bits`, smallest first."""
    width = judge.vectors.shape[1]
    sizes = [(d, b) for d in sorted({*WIDTHS, width}) for b in bits if d <= width and not d * b % 8]
    made = [
        try_methods(judge, d, b, method, plan=plan, progress=False).best
        for d, b in tqdm(sizes, desc="trying sizes", unit="size", disable=not progress)
    ]
    return sorted(made, key=lambda candidate: candidate.flatbuffer_bytes)


def find_frontier(found: Sequence[Candidate[NeighborQuality]]) -> list[Candidate[NeighborQuality]]:
    """Those that no smaller or equally large one equals in overlap@10; `found` smallest first."""
    best: list[Candidate[NeighborQuality]] = []
    for candidate in found:
        if not best or candidate.quality.overlap_at_10 > best[-1].quality.overlap_at_10:
            best.append(candidate)
    return best


def choose_within(found: Sequence[Candidate[NeighborQuality]], most_bytes: int) -> Candidate[NeighborQuality]:
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


def find_least_overlap(judge: NeighborJudge, dims: int, bits: int) -> float:
    """The overlap@10 below which a file is refused, where none was asked for.

    At 8 bits 0.97 of what the float table keeps when cut to as many dims: 0.97 where it is not cut. A 4-bit table has
    to keep what 8 bits would in as many bytes, with half the dims.
    """
    if bits == 8:
        return _LEAST_SHARE * (
            1.0 if dims == judge.vectors.shape[1] else judge.overlap(truncate_table(judge.vectors, dims))
        )
    return judge.overlap(quantize(truncate_table(judge.vectors, max(1, dims // 2))).rows)


def _fine_tune(
    judge: NeighborJudge, start: NDArray[np.float32], bits: int, plan: SignaturePlan, *, progress: bool
) -> Candidate[NeighborQuality]:
    from export.quantization.fine_tuning import fine_tune  # it imports TensorFlow

    table = fine_tune(start, judge.vectors, bits, progress=progress)
    return make_candidate("qat", table, judge.measure(table), plan)


def _could_gain(rounded: NeighborQuality, judge: NeighborJudge) -> bool:
    return judge.k > 0 and len(judge.vectors) <= MOST_ROWS_TO_FINE_TUNE and rounded.overlap_at_10 < 1 - LEAST_GAIN


def _is_better(new: NeighborQuality, old: NeighborQuality) -> bool:
    if new.triplets is not None and old.triplets is not None and new.triplets < old.triplets - (new.triplet_error or 0):
        return False
    return new.overlap_at_10 > old.overlap_at_10 + LEAST_GAIN
