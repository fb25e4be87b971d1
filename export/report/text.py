"""An export in a few lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from tabulate import tabulate

from export.quantization.sizes import find_frontier
from export.verification.quality import BasketQuality, NeighborQuality
from export.writing.export_file import Exported


def describe_export(exported: Exported) -> Iterator[str]:
    """What was tried, kept, written and verified, line by line."""
    if exported.sizes:
        yield _tabulate_sizes(exported)
    for attempt in exported.tried:
        yield f"{attempt.method}: {_describe_quality(attempt.quality)}{'  (kept)' if attempt.kept else ''}"
    bias = ""
    if isinstance(exported.quality, BasketQuality):
        bias = f" and a bias, {exported.bytes_per_item} bytes an item"
        yield (
            f"the ten best by integers hold {exported.quality.overlap_at_10:.3f} of the ten best by float, "
            f"of {exported.quality.baskets} baskets"
        )
    yield (
        f"wrote {exported.path}: {exported.rows} items x {exported.dims} dims{bias}, {exported.file_bytes:,} bytes, of "
        f"which {exported.flatbuffer_bytes:,} flatbuffer"
    )
    yield f"verified on {', '.join(exported.engines)}: ids equal exact arithmetic"
    if exported.missing_engines:
        yield f"not verified on {', '.join(exported.missing_engines)}, which is not installed here"
    for fault in exported.allowed_faults:
        yield f"note: {fault}"


def _describe_quality(quality: NeighborQuality) -> str:
    triplets = (
        "" if quality.triplets is None else f", triplets {quality.triplets:.3f} (float {quality.float_triplets:.3f})"
    )
    return (
        f"overlap@10 with float {quality.overlap_at_10:.3f} (strict {quality.strict_overlap_at_10:.3f}), Kendall's tau "
        f"{quality.kendall_tau:.3f}{triplets}"
    )


def _tabulate_sizes(exported: Exported) -> str:
    best = {candidate.name for candidate in find_frontier(exported.sizes)}
    rows = [
        [
            c.table.dims,
            c.table.bits,
            c.method,
            f"{c.flatbuffer_bytes:,}",
            f"{c.quality.overlap_at_10:.3f}",
            f"{c.quality.kendall_tau:.3f}",
            "-" if c.quality.triplets is None else f"{c.quality.triplets:.3f}",
            "*" if c.name in best else "",
            "chosen" if c.name == exported.size else "",
        ]
        for c in exported.sizes
    ]
    headers = ["dims", "bits", "method", "flatbuffer bytes", "overlap@10", "tau", "triplets", "frontier", ""]
    return tabulate(
        rows, headers, disable_numparse=True, colalign=["right"] * 2 + ["left"] + ["right"] * 4 + ["left"] * 2
    )
