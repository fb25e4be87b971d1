"""One page about an export: what went in, what came out, where the bytes are and what the integers keep."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from device_runtime.format.layout import ALIASES, ATTRIBUTES, IDS, NAMES
from export.errors import ExportError
from export.outputs import COMMAND
from export.quantization.sizes import LEAST_GAIN
from export.report import chart
from export.verification.quality import TIE, NeighborQuality
from export.writing.export_file import Exported
from training.console.files import make_mark, replacing

METHODS = {"ptq": "rounded after training", "qat": "fine-tuned with the rounding in the loop"}
_TEMPLATE = "page.html"
_COLUMN_ORDER = (
    "asked for", "column", "item", "name", "count", "values", "single", "note", "most frequent", "TF-IDF", "SVD",
    "mignon",
)  # fmt: skip
_TITLES = {
    "neighbors": "Some items and their nearest",
    "columns": "What training saw in each column",
    "held_out_values": "Held-out values (they chose the epoch too) told by the nearest items, mean reciprocal rank",
    "measures": "Hidden values told by the nearest items, of models that never saw them, mean reciprocal rank",
}
_FLOAT_BYTES = 4
_FLATBUFFER = ("table", "graph")
_SHADES = 4
_ROOM = 0.25
_MEANINGS = {
    "table": "the integers, one row an item",
    "graph": "ops, shapes and names of the signatures",
    "manifest.json": "rows, dims, scale, measured quality, license",
    IDS: "the identifier of each row",
    NAMES: "the name of each row",
    ALIASES: "other names",
    ATTRIBUTES: "what each item is like",
    "vocabulary.tsv": "attribute values that have a vector",
    "vocabulary.int8": "their vectors, to place new items by",
    "archive headers": "names, offsets and the digest of the file",
}
_COLORS = {
    chart.INK: "var(--ink)",
    chart.MUTED: "var(--muted)",
    chart.GRID: "var(--line)",
    chart.PAPER: "var(--card)",
    chart.BITS_COLORS[8]: "var(--blue)",
    chart.BITS_COLORS[4]: "var(--orange)",
}


class Bar(NamedTuple):
    """A measure from 0 to 1, or bytes as a share of the longest bar."""

    label: str
    text: str
    share: float
    kind: str = "stored"


class Part(NamedTuple):
    """Bytes of the file that belong together; `group` is `flatbuffer` or `archive`."""

    name: str
    bytes: int
    share: float
    group: str
    shade: int
    meaning: str


class Interval(NamedTuple):
    """Two values and an error on an axis from `low` to `high`."""

    low: float
    high: float
    before: float
    after: float
    error: float

    def place(self, value: float) -> float:
        """Where `value` is between the ends, in percent."""
        return 100 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class OperatorLine:
    """One op of a signature as the page lists it."""

    kind: str
    version: int
    shape: str


def write_report(exported: Exported, path: Path) -> None:
    """Writes one self-contained HTML page about `exported`; the same bytes from the same arguments.

    Raises:
        ExportError: it is a model of what people like.
    """
    with replacing(path) as temporary:
        temporary.write_text(render_page(exported), "utf-8")


def render_page(exported: Exported) -> str:
    """The page as text. Every text from the data is escaped.

    Raises:
        ExportError: it is a model of what people like.
    """
    quality = exported.quality
    if not isinstance(quality, NeighborQuality):
        raise ExportError(f"{exported.path}: is a model of what people like, for which there is no report")
    templates = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "points": _points, "whole": _whole}
    return environment.get_template(_TEMPLATE).render(
        e=exported,
        mark=make_mark(COMMAND),
        titles=_TITLES,
        float_bytes=_float_bytes(exported),
        sizes=exported.sizes,
        points={point.name: point for point in chart.list_points(exported)},
        scale=_scale(exported),
        parts=_parts(exported),
        measures=_measures(quality),
        thirds=[Bar(f"{name} third", _percent(v), v) for name, v in quality.overlap_by_frequency.items()],
        triplets=_triplets(quality),
        tie=TIE,
        training=_training(exported),
        tables=[(name, _order(exported.training[name])) for name in _list_tables(exported)],
        methods=METHODS,
        why=_why(exported, quality),
        charts=_charts(exported),
        signatures=_signatures(exported),
    )


def _float_bytes(exported: Exported) -> int:
    """Of the table as it was trained."""
    return exported.rows * exported.trained_dims * _FLOAT_BYTES


def _scale(exported: Exported) -> list[Bar]:
    sizes = [
        ("float32 table, as trained", _float_bytes(exported), "float"),
        ("integer table", exported.parts["table"], "stored"),
        ("flatbuffer: table and graph", exported.flatbuffer_bytes, "stored"),
        ("file: flatbuffer and catalog", exported.file_bytes, "file"),
    ]
    longest = max(count for _, count, _ in sizes)
    return [Bar(label, _whole(count), count / longest, kind) for label, count, kind in sizes]


def _parts(exported: Exported) -> list[Part]:
    """The parts in the order of the file; what is left over belongs to the archive itself."""
    counted = exported.parts | {"archive headers": exported.file_bytes - sum(exported.parts.values())}
    return [
        Part(
            name,
            count,
            count / exported.file_bytes,
            "flatbuffer" if name in _FLATBUFFER else "archive",
            i % _SHADES,
            _MEANINGS.get(name, ""),
        )
        for i, (name, count) in enumerate(counted.items())
    ]


def _measures(quality: NeighborQuality) -> list[Bar]:
    return [
        Bar("overlap@10", _percent(quality.overlap_at_10), quality.overlap_at_10),
        Bar("overlap@10, strict", _percent(quality.strict_overlap_at_10), quality.strict_overlap_at_10),
        Bar("Kendall's tau", f"{quality.kendall_tau:.3f}", max(0.0, quality.kendall_tau)),
    ]


def _triplets(quality: NeighborQuality) -> Interval | None:
    """The axis runs between whole percents, with some room around all that is shown."""
    after, before = quality.triplets, quality.float_triplets
    if after is None or before is None:
        return None
    error = quality.triplet_error or 0.0
    low = math.floor(100 * min(before, after - error) - _ROOM)
    high = math.ceil(100 * max(before, after + error) + _ROOM)
    return Interval(max(low, 0) / 100, min(high, 100) / 100, before, after, error)


def _training(exported: Exported) -> dict[str, str]:
    return {
        name.replace("_", " "): "not measured" if value is None else str(value)
        for name, value in exported.training.items()
        if not isinstance(value, list) and name != "items"
    }


def _list_tables(exported: Exported) -> list[str]:
    """The best to look at first."""
    names = [name for name, value in exported.training.items() if _is_table(value)]
    return [*(name for name in _TITLES if name in names), *(name for name in names if name not in _TITLES)]


def _order(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records, whose keys were sorted when they were written, with those first that say what a line is about."""

    def place(key: str) -> int:
        return next((i for i, start in enumerate(_COLUMN_ORDER) if key.startswith(start)), len(_COLUMN_ORDER))

    return [dict(sorted(record.items(), key=lambda item: place(item[0]))) for record in records]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _why(exported: Exported, quality: NeighborQuality) -> str:
    """Why the kept method is the kept one, by the rule of `try_methods`."""
    found = {attempt.method: attempt for attempt in exported.tried}
    least = _points(LEAST_GAIN)
    if "qat" not in found and quality.overlap_at_10 >= 1 - LEAST_GAIN:
        loss = _points(1 - quality.overlap_at_10)
        return (
            f"Rounding loses {loss} points of overlap@10; fine-tuning has to win back more than {least}, so it cannot."
        )
    if not {"ptq", "qat"} <= found.keys():
        return "No other method is on record for this file."
    before, after = found["ptq"].quality, found["qat"].quality
    gain = after.overlap_at_10 - before.overlap_at_10
    lost = 0.0 if before.triplets is None or after.triplets is None else before.triplets - after.triplets
    if found["qat"].kept:
        cost = f", and loses {_points(lost)} points of triplets, within their standard error" if lost > 0 else ""
        return f"Fine-tuning wins back {_points(gain)} points of overlap@10, more than the {least} it has to{cost}."
    compared = f"Fine-tuning keeps {_points(abs(gain))} points {'more' if gain > 0 else 'less'} of overlap@10"
    if lost > (after.triplet_error or 0.0):
        return f"{compared} but loses {_points(lost)} points of triplets, more than their standard error."
    return f"{compared}; to be kept it has to win back more than {least}."


def _charts(exported: Exported) -> dict[str, Markup]:
    """The frontier for wide and for narrow windows; none where no sizes were tried."""
    if not exported.sizes:
        return {}
    shapes = {"wide": chart.WIDE, "narrow": chart.NARROW}
    return {name: _inline(chart.draw_svg(exported, inches), name) for name, inches in shapes.items()}


def _inline(svg: str, name: str) -> Markup:
    """SVG to stand within a page: no prolog, ids and style of its own, and the colors of the page."""
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg[svg.index("<svg") :])
    svg = svg.replace("*{", f".{name} *{{")
    for color, variable in _COLORS.items():
        svg = svg.replace(color, variable)
    return Markup(svg)  # noqa: S704 - drawn by matplotlib from numbers alone


def _signatures(exported: Exported) -> dict[str, list[OperatorLine]]:
    return {
        name: [OperatorLine(kind, version, _shape(shape)) for _, kind, version, shape in operators]
        for name, operators in groupby(exported.operators, key=lambda operator: operator[0])
    }


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join("?" if length < 0 else f"{length:,}" for length in shape) or "one number"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _points(share: float) -> str:
    """A share, or a difference of shares, in hundredths."""
    return f"{100 * share:.2f}"


def _whole(count: int) -> str:
    return f"{count:,}"
