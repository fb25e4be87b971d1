"""How results are shown and kept: tables for a terminal, JSON, pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.base import COMMAND
from training.console.files import make_mark, replacing


def format_table(headers: Sequence[str], rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """The cells as they are given; the first `left` columns start at their left edge, the others end at their right."""
    from tabulate import tabulate

    alignment = ["left"] * left + ["right"] * (len(headers) - left)
    return tabulate(rows, headers, disable_numparse=True, colalign=alignment)


def to_json(results: Any) -> str:
    """Results, dataclasses among them, as indented JSON."""
    return json.dumps(results, ensure_ascii=False, indent=2, default=asdict) + "\n"


def write_json(results: Any, path: Path) -> None:
    """Writes results under a mark by which a benchmark knows that it may replace them: lists as `results`."""
    named = results if isinstance(results, dict) else {"results": results}
    with replacing(path) as temporary:
        temporary.write_text(to_json({"generator": make_mark(COMMAND), **named}), "utf-8")


@contextmanager
def drawing(path: Path, *, dpi: int = 110, **subplots: Any) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes to draw on, as `pyplot.subplots` gives them; a PNG of it is written when the block ends."""
    import matplotlib

    matplotlib.use("Agg")  # draws without a screen
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(layout="constrained", **subplots)
    try:
        yield figure, axes
        with replacing(path) as temporary:
            # without the version of matplotlib, so that equal pictures are equal files
            figure.savefig(temporary, dpi=dpi, format="png", metadata={"Software": make_mark(COMMAND)})
    finally:
        pyplot.close(figure)
