"""How recommenders did, as tables for a terminal and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.output import drawing, format_table
from benchmarks.recommenders.compare import REFERENCE, ModelResult
from training.evaluation.bootstrap import Estimate
from training.evaluation.ranking import THIRDS

_DRAWN_BYTES = (3.5, 300)
_TICKS = (5, 9, 17, 33, 65, 129, 256)  # one byte more, for the bias, than the widths of mignon


def format_results(results: Sequence[ModelResult], k: int = 10, reference: str = REFERENCE) -> str:
    """Two tables: quality with its intervals, then who is served, and at what cost."""
    quality = [
        [r.model, f"{r.bytes_per_item:,.0f}", *map(_interval, (r.recall, r.ndcg, r.mrr, r.recall_ratio, r.ndcg_ratio))]
        for r in results
    ]
    rest = [
        [
            r.model,
            *map(_interval, (r.rare, r.middle, r.frequent, r.among_rare)),
            f"{100 * r.coverage:.1f} %",
            "-" if r.popularity_lift is None else f"{r.popularity_lift.value:+.2f}",
            f"{r.train_seconds:.1f}",
            f"{r.train_cpu_seconds:.1f}",
        ]
        for r in results
    ]
    measures = [f"recall@{k}", f"NDCG@{k}", f"MRR@{k}", f"recall by {reference}'s", f"NDCG by {reference}'s"]
    by_third = [f"recall@{k}, {third} third" for third in THIRDS] + [f"recall@{k} among the rare"]
    costs = ["coverage", "popularity lift", "s to train", "CPU s"]
    tables = [format_table(["", "bytes an item", *measures], quality), format_table(["", *by_third, *costs], rest)]
    if rounded := [r for r in results if r.recall_kept]:
        kept = [[r.model, _interval(r.recall_kept), _interval(r.ndcg_kept)] for r in rounded]
        tables.append(format_table(["int8 by float", f"recall@{k}", f"NDCG@{k}"], kept))
    return "\n\n".join(tables)


def _interval(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def draw(results: Sequence[ModelResult], path: Path, k: int = 10, reference: str = REFERENCE) -> None:
    """What each model reaches of the reference against its bytes an item."""
    with drawing(path, ncols=2, figsize=(13, 4.8)) as (_, axes):
        for axis, measure, title in zip(
            axes, ("recall_ratio", "ndcg_ratio"), (f"recall@{k}", f"NDCG@{k}"), strict=True
        ):
            _curves(axis, results, measure)
            axis.set_title(f"{title} by that of {reference}", fontsize=11)


def _curves(axis: Any, results: Sequence[ModelResult], measure: str) -> None:
    """A curve through the models of each family of no more bytes than fit, with the intervals as bars."""
    families: dict[str, list[tuple[float, Estimate]]] = {}
    for r in results:
        estimate = getattr(r, measure)
        if estimate and _DRAWN_BYTES[0] <= r.bytes_per_item <= _DRAWN_BYTES[1]:
            families.setdefault(r.model.partition(",")[0], []).append((r.bytes_per_item, estimate))
    for name, points in families.items():
        places, estimates = zip(*sorted(points, key=lambda point: point[0]), strict=True)
        bars = [[max(0.0, e.value - e.low) for e in estimates], [max(0.0, e.high - e.value) for e in estimates]]
        axis.errorbar(places, [e.value for e in estimates], bars, marker="o", capsize=2, label=name)
    axis.axhline(1, color="#888", linestyle=":")
    axis.set_xscale("log")
    axis.set_xlim(*_DRAWN_BYTES)
    axis.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axis.minorticks_off()
    axis.set_xlabel("bytes an item")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
