"""The sizes that were tried as a record and a chart: what each byte of the flatbuffer keeps of the neighbors."""

from __future__ import annotations

import io
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from export.quantization.sizes import Candidate, frontier
from export.writing.export_file import Exported
from training.console.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

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
_DIRECTIONS = ((0, 1), (-1, 1), (1, -1), (0, -1), (-1, 0), (1, 0), (1, 1), (-1, -1))
_DISTANCES = (9, 18, 30, 42, 56)
_MARKER_PIXELS = 7
_DOTS_A_LINE = 60
_POINTS_AN_INCH = 72
_OFFSETS = [(along * distance, up * distance) for distance in _DISTANCES for along, up in _DIRECTIONS]


class Point(NamedTuple):
    """One candidate as it is drawn."""

    name: str
    bits: int
    flatbuffer_bytes: int
    overlap: float
    best: bool
    exported: bool


def write_frontier(sizes: Sequence[Candidate], points: Sequence[Exported], exported: Exported, folder: Path) -> None:
    """Writes `frontier.json`, `frontier.svg` and `frontier.png`; the same bytes from the same arguments.

    Args:
        sizes: every candidate, smallest first.
        points: the files written for those on the frontier.
        exported: the file that was asked for.
    """
    with replacing(folder / "frontier.json") as temporary:
        record = _record(sizes, points, exported, folder)
        temporary.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", "utf-8")
    with replacing(folder / "frontier.svg") as temporary:
        temporary.write_text(chart_svg(sizes, exported), "utf-8")
    with replacing(folder / "frontier.png") as temporary:
        _save(sizes, exported, WIDE, temporary, format="png", dpi=_PNG_DPI, metadata={"Software": None})


def chart_svg(sizes: Sequence[Candidate], exported: Exported, inches: tuple[float, float] = WIDE) -> str:
    """The chart as SVG of the given width and height; its text is text, so that it can be read and searched."""
    stream = io.StringIO()
    _save(sizes, exported, inches, stream, format="svg", metadata=_NO_METADATA)
    return stream.getvalue()


def points_of(sizes: Sequence[Candidate], exported: Exported) -> list[Point]:
    """What the chart shows: every candidate, and the exported file where its size is not among them."""
    best = {candidate.name for candidate in frontier(sizes)}
    name = f"{exported.dims}x{exported.bits}"
    found = [
        Point(c.name, c.table.bits, c.flatbuffer_bytes, c.quality.overlap_at_10, c.name in best, c.name == name)
        for c in sizes
    ]
    if not any(point.exported for point in found):
        overlap = exported.quality.overlap_at_10
        found.append(Point(name, exported.bits, exported.flatbuffer_bytes, overlap, False, True))
    return found


def _record(sizes: Sequence[Candidate], points: Sequence[Exported], exported: Exported, folder: Path) -> dict[str, Any]:
    files = {(point.dims, point.bits): point.path.name for point in points}
    best = {candidate.name for candidate in frontier(sizes)}
    candidates = [
        {
            "dims": c.dims,
            "bits": c.table.bits,
            "method": c.method,
            "flatbuffer_bytes": c.flatbuffer_bytes,
            "quality": asdict(c.quality),
            "on_frontier": c.name in best,
            "exported": (c.dims, c.table.bits) == (exported.dims, exported.bits),
            "file": files.get((c.dims, c.table.bits)),
        }
        for c in sizes
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


def _save(
    sizes: Sequence[Candidate], exported: Exported, inches: tuple[float, float], target: Any, **options: Any
) -> None:
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        _draw(points_of(sizes, exported), inches).savefig(target, **options)


def _draw(points: Sequence[Point], inches: tuple[float, float]) -> Figure:
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
    _ring(axis, chosen.flatbuffer_bytes, chosen.overlap)
    legend = axis.legend(title="dims x bits", loc="lower right", frameon=False, labelcolor=INK, markerscale=0.8)
    legend.get_title().set_color(INK)
    figure.canvas.draw()
    figure.set_layout_engine("none")
    _thin_out(axis)
    _label(axis, points, np.array(line), [legend.get_window_extent()])
    return figure


def _ring(axis: Axes, x: float, y: float) -> None:
    axis.scatter(x, y, s=190, facecolor="none", edgecolor=INK, linewidth=1.6, zorder=2, label="exported")


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
        end = max(end, box.x1 + _MARKER_PIXELS) if text.get_visible() else end


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


def _label(axis: Axes, points: Sequence[Point], line: NDArray[np.float64], taken: list[Any]) -> None:
    """Names each point beside it, where no other name stands and as little of the drawing as can be lies under it."""
    drawn = _drawn(axis, points, line)
    for point in sorted(points, key=lambda p: (not p.exported, not p.best)):
        free: list[tuple[int, tuple[int, int], Any]] = []
        for offset in _OFFSETS:
            box = _try(axis, point, offset)
            if _within(axis, box) and not any(box.overlaps(other) for other in taken):
                leader = _leader(axis, point, offset)
                crossed = sum(_covered(other, leader) for other in taken)
                free.append((_covered(box, drawn) + crossed, offset, box))
        if free:
            _, offset, box = min(free, key=lambda place: place[0])
            _name(axis, point, offset, leader=len(_leader(axis, point, offset)) > 0)
            drawn = np.concatenate([drawn, _leader(axis, point, offset)])
            taken.append(box)


def _try(axis: Axes, point: Point, offset: tuple[int, int]) -> Any:
    """The box that the name would fill."""
    text = _name(axis, point, offset)
    box = text.get_window_extent().padded(2)
    text.remove()
    return box


def _name(axis: Axes, point: Point, offset: tuple[int, int], *, leader: bool = False) -> Annotation:
    color = BITS_COLORS[point.bits]
    return axis.annotate(
        point.name,
        (point.flatbuffer_bytes, point.overlap),
        offset,
        textcoords="offset points",
        ha=("center", "left", "right")[int(np.sign(offset[0]))],
        va=("center", "bottom", "top")[int(np.sign(offset[1]))],
        color=color,
        weight="bold" if point.exported else "normal",
        arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 4}
        if leader
        else None,
    )


def _drawn(axis: Axes, points: Sequence[Point], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels that a name should not cover: some around each marker, and some along the frontier."""
    centers = axis.transData.transform([(p.flatbuffer_bytes, p.overlap) for p in points])
    around = [centers + _MARKER_PIXELS * np.array([x, y]) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    along = [_dots(a, b) for a, b in itertools.pairwise(axis.transData.transform(line))]
    return np.concatenate([*around, *along])


def _leader(axis: Axes, point: Point, offset: tuple[int, int]) -> NDArray[np.float64]:
    """Pixels along the line to a name that stands too far from its point to need none."""
    if max(map(abs, offset)) == _DISTANCES[0]:
        return np.empty((0, 2))
    center = axis.transData.transform((point.flatbuffer_bytes, point.overlap))
    return _dots(center, center + np.array(offset) * axis.figure.dpi / _POINTS_AN_INCH)


def _dots(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    return start + np.linspace(0, 1, _DOTS_A_LINE)[:, None] * (end - start)


def _covered(box: Any, pixels: NDArray[np.float64]) -> int:
    return int(((pixels >= box.min) & (pixels <= box.max)).all(axis=1).sum())


def _within(axis: Axes, box: Any) -> bool:
    frame = axis.get_window_extent()
    return bool((box.min >= frame.min).all() and (box.max <= frame.max).all())
