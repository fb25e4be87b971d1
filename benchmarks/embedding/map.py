"""A map of a catalog: its embedding in two dimensions, colored by an attribute, with some of its names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import drawing
from device_runtime.errors import InvalidArgumentError, UnknownAttributeError
from device_runtime.format.layout import ALIASES, ATTRIBUTES, NAMES
from device_runtime.format.model_file import ModelFile

LABELS = 130
_COLORS = 20
_FEWEST = 4


def draw_map(model: ModelFile, attribute: str, path: Path, seed: int = 0) -> None:
    """Projects the vectors with t-SNE (van der Maaten and Hinton, 2008) and draws one point an item."""
    from sklearn.manifold import TSNE

    vectors = model.table[:, : model.manifest.dims].astype(np.float32) * np.float32(model.manifest.scale)
    if len(vectors) < _FEWEST:
        raise InvalidArgumentError(f"{model.path}: has {len(vectors)} items; a map needs {_FEWEST}")
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    places = TSNE(metric="cosine", init="random", perplexity=perplexity, random_state=seed).fit_transform(vectors)
    names = model.lines(NAMES)
    aliases = Counter(row for row, _ in model.records(ALIASES, 1))
    best_known = sorted(range(len(names)), key=lambda row: (-aliases[row], len(names[row]), names[row]))
    values = _first_values(model, attribute)
    with drawing(path, dpi=100, figsize=(15, 12)) as (figure, axis):
        _scatter(axis, places, values, attribute)
        _label(figure, places, names, best_known)


def choose_attribute(model: ModelFile, asked: str | None) -> str:
    """The attribute that was asked for, or else the one of at most twenty values that most items have.

    Raises:
        UnknownAttributeError: no item has it, or any.
    """
    values: dict[str, set[str]] = {}
    items: Counter[str] = Counter()
    for _, (name, cell) in model.records(ATTRIBUTES, 2):
        values.setdefault(name, set()).add(cell.partition("|")[0])
        items[name] += 1
    if asked is None and values:  # more values than colors tell less; one tells nothing
        return max(values, key=lambda name: (1 < len(values[name]) <= _COLORS, items[name], len(values[name])))
    if asked not in values:
        there = f"there are {', '.join(sorted(values))}" if values else "its items have none"
        raise UnknownAttributeError(f"{model.path}: no item has an attribute {asked!r}; {there}")
    return asked


def _first_values(model: ModelFile, attribute: str) -> list[str]:
    values = ["none"] * model.manifest.rows
    for row, (name, cell) in model.records(ATTRIBUTES, 2):
        if name == attribute:
            values[row] = cell.partition("|")[0]
    return values


def _scatter(axis: Any, places: NDArray[np.float32], values: Sequence[str], attribute: str) -> None:
    from matplotlib import colormaps

    kinds = sorted(set(values), key=lambda value: -values.count(value))[:_COLORS]
    for i, kind in enumerate(kinds):
        chosen = np.array([value == kind for value in values])
        color = colormaps["tab20"](i)
        axis.scatter(places[chosen, 0], places[chosen, 1], s=9, color=color, label=kind, linewidths=0)
    axis.set_axis_off()
    axis.set_title(f"{len(values):,} items, colored by {attribute}: neighbors are alike", fontsize=15)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=3, fontsize=11)


def _label(figure: Any, places: NDArray[np.float32], names: Sequence[str], order: Sequence[int]) -> None:
    """Names items in `order`, wherever no label stands yet; those with the most aliases are the best known."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.5, foreground="white")]
    figure.canvas.draw()
    axis, renderer = figure.axes[0], figure.canvas.get_renderer()
    taken: list[Any] = []
    for row in order:
        if len(taken) == LABELS:
            return
        text = axis.annotate(names[row], places[row], fontsize=9, ha="center", va="bottom", path_effects=halo)
        box = text.get_window_extent(renderer).expanded(1.2, 1.6)
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)
