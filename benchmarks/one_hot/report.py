"""The results as tables for a terminal and as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.one_hot.compare import Latency, Likeness
from benchmarks.one_hot.encodings import FIRST_LAYER_UNITS, Encoding
from benchmarks.output import drawing, format_table


def format_sizes(encodings: Sequence[Encoding]) -> str:
    """Bytes, weights and multiplications, one encoding a line."""
    headers = ["", "bytes stored", "bytes an input", f"weights, {FIRST_LAYER_UNITS} units", "multiplications"]
    rows = [
        (e.bytes_stored, e.bytes_per_input, e.first_layer_weights, e.first_layer_multiplications) for e in encodings
    ]
    cells = [[e.name, *(f"{number:,}" for number in row)] for e, row in zip(encodings, rows, strict=True)]
    return format_table(headers, cells)


def format_latencies(latencies: Sequence[Latency]) -> str:
    """Microseconds an answer, and the ratio to one-hot in the same run."""
    rows = [
        [x.name, f"{x.microseconds:.0f}", "-" if x.ratio_to_one_hot is None else f"{x.ratio_to_one_hot:.4f}"]
        for x in latencies
    ]
    return format_table(["8 favorites in, 10 others out", "µs", "x one-hot"], rows)


def format_likenesses(likenesses: Sequence[Likeness]) -> str:
    """Near against far, by index, one-hot cosine and embedding."""
    rows = [
        [
            f"{item.item}: {item.near} / {item.far}",
            f"{item.index_near} / {item.index_far}",
            f"{item.one_hot_near:.2f} / {item.one_hot_far:.2f}",
            f"{item.embedding_near:.2f} / {item.embedding_far:.2f}",
        ]
        for item in likenesses
    ]
    headers = ["item: near / far", "index distance", "one-hot cosine", "embedding cosine"]
    return format_table(headers, rows, left=len(headers))


def state_verdicts(likenesses: Sequence[Likeness]) -> list[str]:
    """One sentence for each triplet, true of what was measured."""
    return [
        f"{item.item} is {'nearer' if item.embedding_near > item.embedding_far else 'NOT nearer'} to {item.near} "
        f"({item.embedding_near:.2f}) than to {item.far} ({item.embedding_far:.2f}) by embedding; one-hot cannot tell"
        for item in likenesses
    ]


def draw(
    encodings: Sequence[Encoding], latencies: Sequence[Latency], likenesses: Sequence[Likeness], *, path: Path
) -> None:
    """One picture: bytes stored, microseconds an answer, and likeness, one-hot against embedding."""
    bytes_stored = [e.bytes_stored for e in encodings]
    times = [item.microseconds for item in latencies]
    with drawing(path, ncols=3, figsize=(15, 4.2)) as (_, axes):
        _bars(axes[0], [e.name for e in encodings], bytes_stored, "Bytes stored (log scale)", _bytes)
        title = "Microseconds an answer (log scale)"
        _bars(axes[1], [item.name for item in latencies], times, title, lambda value: f"{value:,.0f} µs")
        _pairs(axes[2], likenesses)


def _bars(axis: Any, names: Sequence[str], values: Sequence[float], title: str, label: Any) -> None:
    colors = ["#4c78a8" if name.startswith("embedding") else "#c9c9c9" for name in names]
    bars = axis.barh(names, values, color=colors)
    axis.bar_label(bars, [label(value) for value in values], padding=4)
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 3, max(values) * 12)
    axis.invert_yaxis()
    axis.set_title(title)
    axis.spines[["top", "right"]].set_visible(False)


def _pairs(axis: Any, likenesses: Sequence[Likeness]) -> None:
    labels = [label for item in likenesses for label in (f"{item.item} : {item.near}", f"{item.item} : {item.far}")]
    values = [value for item in likenesses for value in (item.embedding_near, item.embedding_far)]
    colors = ["#4c78a8", "#e45756"] * len(likenesses)
    bars = axis.barh(labels, values, color=colors)
    axis.bar_label(bars, [f"{value:.2f}" for value in values], padding=4)
    axis.axvline(0, color="#888", linewidth=0.8)
    axis.set_xlim(min([0.0, *values]) * 1.3, 1.15)
    axis.invert_yaxis()
    axis.set_title("Cosine by embedding")
    axis.set_xlabel("by one-hot vectors, each of these is 0")
    axis.spines[["top", "right"]].set_visible(False)


def _bytes(value: float) -> str:
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
