"""How fast contestants are, as a table for a terminal and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.latency.compare import READ, ContestantResult
from benchmarks.output import drawing, format_table


def format_results(results: Sequence[ContestantResult]) -> str:
    """One contestant a line, the fastest first; tables apart."""
    headers = ["", "in", "exact", "agrees", "µs", "x", "x read", "first µs", "x", "stored kB", "anonymous MB"]
    headers += ["start s", "x", "digest s"]
    tables = []
    for rows, dims in dict.fromkeys((r.rows, r.dims) for r in results):
        here = sorted((r for r in results if (r.rows, r.dims) == (rows, dims)), key=lambda r: r.microseconds)
        tables.append(f"{rows:,} x {dims}\n{format_table(headers, [*map(_cells, here)], left=3)}")
    return "\n\n".join(tables)


def draw(results: Sequence[ContestantResult], path: Path) -> None:
    """One line a contestant: microseconds an answer against items, both in powers of ten."""
    with drawing(path, figsize=(9, 6)) as (_, axis):
        for name, env in dict.fromkeys((r.contestant, r.environment) for r in results):
            mine = sorted((r for r in results if (r.contestant, r.environment) == (name, env)), key=lambda r: r.rows)
            ours = name.startswith("mignon")
            axis.plot(
                [r.rows for r in mine],
                [r.microseconds for r in mine],
                marker="o",
                linewidth=2.5 if ours else 1,
                linestyle="-" if mine[0].exact else ":",
                label=f"{name}, {env}" if ours else name,
            )
        axis.set(xscale="log", yscale="log", xlabel="items", ylabel="µs an answer, one thread")
        axis.grid(visible=True, which="both", alpha=0.2)
        axis.legend(fontsize=7, ncols=2, title="dotted: approximate")


def _cells(result: ContestantResult) -> list[str]:
    return [
        result.contestant,
        result.environment,
        "yes" if result.exact else "no",
        "" if result.contestant == READ else f"{100 * result.agreement:.1f} %",
        f"{result.microseconds:,.0f}",
        f"{result.ratio:.2f}",
        f"{result.reads:.2f}",
        f"{result.first_microseconds:,.0f}",
        f"{result.first_ratio:.2f}",
        f"{result.stored_bytes / 1e3:,.0f}",
        f"{result.anonymous_bytes / 1e6:,.1f}" if result.anonymous_bytes else "",
        f"{result.start_seconds:.2f}" if result.start_seconds else "",
        f"{result.start_ratio:.2f}" if result.start_seconds else "",
        f"{result.digest_seconds:.3f}" if result.digest_seconds else "",
    ]
