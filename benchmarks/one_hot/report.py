"""The results as a table for a terminal, as JSON and as one picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.one_hot.compare import Latency, Likeness
from benchmarks.one_hot.encodings import FIRST_LAYER_UNITS, Encoding
from training.console.files import replacing


def size_table(encodings: Sequence[Encoding]) -> str:
    """Bytes, weights and multiplications, one encoding a line."""
    headers = ["", "bytes stored", "bytes an input", f"weights, {FIRST_LAYER_UNITS} units", "multiplications"]
    rows = [
        [e.name, e.bytes_stored, e.bytes_per_input, e.first_layer_weights, e.first_layer_multiplications]
        for e in encodings
    ]
    return tabulate(_grouped(rows), headers, disable_numparse=True, colalign=["left", *["right"] * 4])


def latency_table(latencies: Sequence[Latency]) -> str:
    """Microseconds an answer, and the ratio to one-hot in the same run."""
    rows = [
        [
            item.name,
            f"{item.microseconds:.0f}",
            "-" if item.ratio_to_one_hot is None else f"{item.ratio_to_one_hot:.4f}",
        ]
        for item in latencies
    ]
    return tabulate(
        rows,
        ["8 favorites in, 10 others out", "µs", "x one-hot"],
        disable_numparse=True,
        colalign=["left", "right", "right"],
    )


def likeness_table(likenesses: Sequence[Likeness]) -> str:
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
    return tabulate(
        rows, ["item: near / far", "index distance", "one-hot cosine", "embedding cosine"], disable_numparse=True
    )


def verdicts(likenesses: Sequence[Likeness]) -> list[str]:
    """One sentence for each triplet, true of what was measured."""
    return [
        f"{item.item} is {'nearer' if item.embedding_near > item.embedding_far else 'NOT nearer'} to {item.near} "
        f"({item.embedding_near:.2f}) than to {item.far} ({item.embedding_far:.2f}) by embedding; one-hot cannot tell"
        for item in likenesses
    ]


def write_json(results: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Writes the results, each a list of records."""
    records = {name: [asdict(item) for item in items] for name, items in results.items()}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(records, ensure_ascii=False, indent=2) + "\n", "utf-8")


def draw(
    encodings: Sequence[Encoding], latencies: Sequence[Latency], likenesses: Sequence[Likeness], path: Path
) -> None:
    """One picture: bytes stored, microseconds an answer, and likeness, one-hot against embedding."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.2), layout="constrained")
    _bars(axes[0], [e.name for e in encodings], [e.bytes_stored for e in encodings], "Bytes stored (log scale)", _bytes)
    _bars(
        axes[1],
        [item.name for item in latencies],
        [item.microseconds for item in latencies],
        "Microseconds an answer (log scale)",
        lambda value: f"{value:,.0f} µs",
    )
    _pairs(axes[2], likenesses)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})
    pyplot.close(figure)


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


def _grouped(rows: Sequence[Sequence[object]]) -> list[list[str]]:
    return [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
