"""The measures of `training.by_attributes.measures` over several widths, as a table and a curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import drawing, format_table
from export.quantization.rows import quantize
from training.by_attributes.measures import ALL, MODEL, TRIPLETS, Comparison, compare_with_baselines
from training.by_attributes.train import Inputs

INT8 = f"{MODEL} int8"
_CURVES = {INT8: ("#4c78a8", "-"), "SVD, weighted": ("#e45756", "--"), "SVD": ("#f2a39f", ":")}


def measure(inputs: Inputs, columns: Sequence[str], dims: Sequence[int]) -> Comparison:
    """All measures of all methods at all widths; trains models for each width."""
    variants = {INT8: _as_int8}
    return compare_with_baselines(
        inputs.catalog, inputs.triplets, inputs.rules.weights, dims, columns=columns, variants=variants
    )


def _as_int8(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The int8 table as scores see it: integer rows times one scale, their small differences of norm included."""
    made = quantize(table)
    return made.rows.astype(np.float32) * np.float32(made.scale)


def format_scores(compared: Comparison) -> str:
    """The measures in percent, one method a line: mean reciprocal rank of hidden values, and triplets."""
    headers = ["", "dims", *compared.counts]
    counts = ["asked", "", *(f"{count:,}" for count in compared.counts.values())]
    rows = [
        [m.name, f"{m.dims:,}" if m.dims else "", *(f"{100 * m.scores[asked]:.1f}" for asked in compared.counts)]
        for m in compared.methods
    ]
    return format_table(headers, [counts, *rows])


def draw(compared: Comparison, path: Path) -> None:
    """The curves over dims, one picture for all hidden values, one for triplets and one a column, six at most."""
    asked = sorted(compared.counts, key=lambda name: (name not in (ALL, TRIPLETS), -compared.counts[name]))[:6]
    methods = compared.methods
    widths = sorted({m.dims for m in methods if m.name == INT8})
    curves = [(name, *style) for name, style in _CURVES.items() if any(m.name == name for m in methods)]
    full = [m for m in methods if m.name.startswith("TF-IDF")][-1]
    with drawing(path, dpi=100, ncols=len(asked), squeeze=False, figsize=(3.8 * len(asked), 3.8)) as (_, axes):
        for axis, name in zip(axes[0], asked, strict=True):
            for method, color, style in curves:
                points = [(m.dims, 100 * m.scores[name]) for m in methods if m.name == method]
                axis.plot(*zip(*points, strict=True), style, color=color, marker="o", label=method)
            axis.axhline(100 * full.scores[name], color="#888", linestyle=":", label=full.name)
            axis.set_xscale("log", base=2)
            axis.set_xticks(widths, [str(d) for d in widths])
            axis.set_title(f"{name} ({compared.counts[name]:,} asked)", fontsize=11)
            axis.set_xlabel("dims")
            axis.spines[["top", "right"]].set_visible(False)
        axes[0, 0].set_ylabel("percent")
        axes[0, 0].legend(frameon=False)
