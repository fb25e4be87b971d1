"""The sizes that were tried as a record and a chart: what each byte of the flatbuffer keeps of the neighbors."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from export.outputs import COMMAND
from export.quantization.sizes import find_frontier
from export.writing.export_file import Exported
from training.console.files import make_mark, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

WIDE = (9.0, 4.6)
NARROW = (3.7, 3.9)
INK = "#23272e"
MUTED = "#6a7078"
GRID = "#e2e3e5"
PAPER = "#fefefe"
BITS_COLORS = {8: "#2a6bab", 4: "#c4581b"}
_MARKERS = {8: "o", 4: "s"}
_FONT_SIZE = 9.5
_PNG_DPI = 150
_STYLE: Any = {
    "svg.hashsalt": "mignon",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": _FONT_SIZE,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_TICK_DISTANCE = 7  # pixels between two numbers of an axis
_MARKER_PIXELS = 6  # from the middle of a marker to its edge
_RING_PIXELS = 10
_LONGEST_WITHOUT_LINE = 16  # pixels from a point to its name
_MOST_MOVES = 100  # of the names; a limit of time, as adjustText has it, would not repeat itself


class Point(NamedTuple):
    """One candidate as it is drawn."""

    name: str
    bits: int
    flatbuffer_bytes: int
    overlap: float
    best: bool
    exported: bool


def write_frontier(exported: Exported, files: Sequence[Exported], folder: Path) -> None:
    """Writes `frontier.json`, `frontier.svg` and `frontier.png`; the same bytes from the same arguments.

    Args:
        exported: the file that was asked for, and the sizes that were tried.
        files: those written for the sizes on the frontier.
    """
    with replacing(folder / "frontier.json") as temporary:
        record = {"generator": make_mark(COMMAND), **_make_record(exported, files, folder)}
        temporary.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", "utf-8")
    with replacing(folder / "frontier.svg") as temporary:
        temporary.write_text(f"{draw_svg(exported)}<!-- {make_mark(COMMAND)} -->\n", "utf-8")
    with replacing(folder / "frontier.png") as temporary:
        _save(exported, WIDE, temporary, format="png", dpi=_PNG_DPI, metadata={"Software": make_mark(COMMAND)})


def draw_svg(exported: Exported, inches: tuple[float, float] = WIDE) -> str:
    """The chart as SVG of the given width and height; its text is text, so that it can be read and searched."""
    stream = io.StringIO()
    _save(exported, inches, stream, format="svg", metadata=_NO_METADATA)
    return stream.getvalue()


def list_points(exported: Exported) -> list[Point]:
    """What the chart shows: every size, and that of the exported file where it is not among them."""
    best = {candidate.name for candidate in find_frontier(exported.sizes)}
    points = [
        Point(
            name=c.name,
            bits=c.table.bits,
            flatbuffer_bytes=c.flatbuffer_bytes,
            overlap=c.quality.overlap_at_10,
            best=c.name in best,
            exported=c.name == exported.size,
        )
        for c in exported.sizes
    ]
    if not any(point.exported for point in points):
        overlap = exported.quality.overlap_at_10
        points.append(Point(exported.size, exported.bits, exported.flatbuffer_bytes, overlap, False, True))
    return points


def _make_record(exported: Exported, files: Sequence[Exported], folder: Path) -> dict[str, Any]:
    file_names = {file.size: file.path.name for file in files}
    best = {candidate.name for candidate in find_frontier(exported.sizes)}
    candidates = [
        c.as_record()
        | {"on_frontier": c.name in best, "exported": c.name == exported.size, "file": file_names.get(c.name)}
        for c in exported.sizes
    ]
    return {
        "exported": {
            "dims": exported.dims,
            "bits": exported.bits,
            "method": exported.method,
            "flatbuffer_bytes": exported.flatbuffer_bytes,
            "quality": asdict(exported.quality),
            "file": Path(os.path.relpath(exported.path, folder)).as_posix(),
        },
        "candidates": candidates,
    }


def _save(exported: Exported, inches: tuple[float, float], target: Any, **options: Any) -> None:
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        draw_chart(list_points(exported), inches).savefig(target, **options)


def draw_chart(points: Sequence[Point], inches: tuple[float, float]) -> Figure:
    """The chart of the given width and height, its names moved apart."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(inches, layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    _style(axis, points)
    line = [(p.flatbuffer_bytes, p.overlap) for p in points if p.best]
    axis.plot(*zip(*line, strict=True), color=MUTED, linewidth=1.4, zorder=1, label="frontier (filled)")
    for bits in sorted({p.bits for p in points}, reverse=True):
        _scatter(axis, [p for p in points if p.bits == bits], bits)
    chosen = next(p for p in points if p.exported)
    _ring(axis, chosen)
    legend = axis.legend(title="dims x bits", loc="lower right", frameon=False, labelcolor=INK, markerscale=0.8)
    legend.get_title().set_color(INK)
    figure.canvas.draw()
    figure.set_layout_engine("none")
    _thin_out(axis)
    _name_points(axis, points, legend)
    return figure


def _ring(axis: Axes, point: Point) -> None:
    ring = axis.scatter(point.flatbuffer_bytes, point.overlap, s=190, facecolor="none", edgecolor=INK, linewidth=1.6)
    ring.set(zorder=2, label="exported")


def _name_points(axis: Axes, points: Sequence[Point], legend: Legend) -> None:
    """Names each point beside it, clear of markers, legend and other names; a line leads to one that had to move."""
    from adjustText import adjust_text
    from matplotlib.transforms import Bbox

    centers = axis.transData.transform([(p.flatbuffer_bytes, p.overlap) for p in points])
    radii = [_RING_PIXELS if p.exported else _MARKER_PIXELS for p in points]
    drawn = [Bbox.from_extents(x - r, y - r, x + r, y + r) for (x, y), r in zip(centers, radii, strict=True)]
    to_data = axis.transData.inverted()  # adjustText reads boxes so, though it says nothing of it
    names = [
        axis.text(p.flatbuffer_bytes, p.overlap, p.name, color=BITS_COLORS[p.bits], ha="center", va="center", zorder=4)
        for p in points
    ]
    next(name for name, p in zip(names, points, strict=True) if p.exported).set_fontweight("bold")
    adjust_text(
        names,
        objects=[box.transformed(to_data) for box in (*drawn, legend.get_window_extent())],
        ax=axis,
        iter_lim=_MOST_MOVES,
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7},
        min_arrow_len=_LONGEST_WITHOUT_LINE,
    )


def _style(axis: Axes, points: Sequence[Point]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

    bytes_, overlaps = [p.flatbuffer_bytes for p in points], [p.overlap for p in points]
    axis.set_xscale("log")
    room = max(1.25, (max(bytes_) / min(bytes_)) ** 0.12)
    axis.set_xlim(min(bytes_) / room, max(bytes_) * room)
    margin = 0.05 + 0.1 * (max(overlaps) - min(overlaps))
    low = max(0.0, min(overlaps) - margin)
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, 1)
    axis.set_yticks([tick for tick in ticks if low <= tick <= 1])
    axis.set_ylim(low, min(max(overlaps) + margin, 1 + 0.12 * (1 - low)))
    steps = (1, 2, 5) if max(bytes_) > 10 * min(bytes_) else (1, 2, 3, 4, 6, 8)
    axis.xaxis.set_major_locator(LogLocator(subs=steps))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:,g}"))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.set_xlabel("flatbuffer, KB (log scale)", color=INK)
    axis.set_ylabel("overlap@10 with float", color=INK)
    axis.tick_params(colors=INK, length=0)
    axis.grid(color=GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.set_facecolor("none")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.spines["bottom"].set_color(MUTED)


def _thin_out(axis: Axes) -> None:
    """Leaves out numbers of the axis that would run into the one before."""
    end = 0.0
    for text in axis.get_xticklabels():
        box = text.get_window_extent()
        text.set_visible(box.x0 > end)
        end = max(end, box.x1 + _TICK_DISTANCE) if text.get_visible() else end


def _scatter(axis: Axes, points: Sequence[Point], bits: int) -> None:
    """Filled where on the frontier, hollow elsewhere."""
    axis.scatter(
        [p.flatbuffer_bytes for p in points],
        [p.overlap for p in points],
        s=46,
        marker=_MARKERS[bits],
        facecolor=[BITS_COLORS[bits] if p.best else PAPER for p in points],
        edgecolor=BITS_COLORS[bits],
        linewidth=1.5,
        zorder=3,
    )
    axis.scatter([], [], s=46, marker=_MARKERS[bits], color=BITS_COLORS[bits], linewidth=1.5, label=f"{bits} bits")
