"""The measures of `training.by_attributes.measures` over several widths, as a table and a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import drawing, format_table
from export.quantization.rows import quantize
from training.by_attributes import measures
from training.by_attributes.measures import NewItems, VectorScores
from training.inputs.catalog import Catalog
from training.inputs.triplets import Triplet

_CURVES = (("mignon int8", "#4c78a8", "-"), ("SVD, weighted", "#e45756", "--"), ("SVD", "#f2a39f", ":"))


def measure(
    catalog: Catalog, triplets: Sequence[Triplet], weights: Mapping[str, float], dims: Sequence[int]
) -> list[VectorScores]:
    """All measures of all methods at all widths; trains a model for each measure and width."""
    return measures.compare_with_baselines(catalog, triplets, weights, dims, variants={"mignon int8": _as_int8})


def _as_int8(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The int8 table as scores see it: integer rows times one scale, their small differences of norm included."""
    made = quantize(table)
    return made.rows.astype(np.float32) * np.float32(made.scale)


def format_scores(results: Sequence[VectorScores]) -> str:
    """The measures, one method a line, in percent."""
    headers = ["", "dims", "triplets", "hard ones", "hidden ingredients", "same form", "same course", "same cuisine"]
    rows = [[r.name, f"{r.dims:,}", *(f"{100 * v:.1f}" for v in list(asdict(r).values())[2:])] for r in results]
    return format_table(headers, rows)


def format_new_items(results: Sequence[NewItems]) -> str:
    """The measures of new items, in percent."""
    rows = [[r.name, *(f"{100 * v:.1f}" for v in list(asdict(r).values())[1:])] for r in results]
    headers = ["held-out items", "triplets", "same form", "same course", "same cuisine"]
    return format_table(headers, rows)


def draw(results: Sequence[VectorScores], path: Path) -> None:
    """The curves over dims, one picture a measure."""
    titles = {
        "triplets": "Triplets",
        "hidden_recall": "Hidden ingredients, recall@10",
        "form": "Neighbors of the same form",
        "course": "Neighbors of the same course",
        "cuisine": "Neighbors of the same cuisine",
    }
    full = next(r for r in results if r.name == "TF-IDF, weighted")
    widths = sorted({r.dims for r in results if r.name == "mignon int8"})
    with drawing(path, dpi=100, ncols=len(titles), figsize=(19, 3.8)) as (_, axes):
        for axis, (measure_name, title) in zip(axes, titles.items(), strict=True):
            for name, color, style in _CURVES:
                points = [(r.dims, 100 * getattr(r, measure_name)) for r in results if r.name == name]
                axis.plot(*zip(*points, strict=True), style, color=color, marker="o", label=name)
            axis.axhline(100 * getattr(full, measure_name), color="#888", linestyle=":", label=full.name)
            axis.set_xscale("log", base=2)
            axis.set_xticks(widths, [str(d) for d in widths])
            axis.set_title(title, fontsize=11)
            axis.set_xlabel("dims")
            axis.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("percent")
        axes[0].legend(frameon=False)
