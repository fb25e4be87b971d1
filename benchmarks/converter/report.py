"""What was measured of the files, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from benchmarks.converter.compare import Answers, OnInterpreter, Row
from benchmarks.output import format_table

_T = TypeVar("_T")


def format_rows(rows: Sequence[Row]) -> str:
    """The measures, one a line, and a column for each file; "-" where a file is refused."""
    lines = [*_lines_of_files(rows), *_lines_between_interpreters(rows)]
    for i, on in enumerate(rows[0].interpreters):
        lines += _lines_on_interpreter(on.interpreter, [row.interpreters[i] for row in rows])
    headers = ["", *(row.name for row in rows)]
    return format_table(headers, lines)


def list_refusals(rows: Sequence[Row]) -> list[str]:
    """One line for each file that an interpreter refuses, with the first line of its error."""
    return [
        f"{row.name} on {on.interpreter}: {on.error.splitlines()[0]}"
        for row in rows
        for on in row.interpreters
        if on.error
    ]


def _lines_of_files(rows: Sequence[Row]) -> list[list[str]]:
    rules = dict.fromkeys(fault.rule for row in rows for fault in row.faults)
    return [
        ["bytes of the flatbuffer", *(f"{row.flatbuffer_bytes:,}" for row in rows)],
        ["bytes of the file, with our catalog", *(f"{row.file_bytes:,}" for row in rows)],
        ["leaves the favorites out", *("yes" if row.drops_favorites else "no" for row in rows)],
        ["faults by lint", *(str(len(row.faults)) for row in rows)],
        *([f"- {rule}", *(_count(fault.rule == rule for fault in row.faults) for row in rows)] for rule in rules),
    ]


def _lines_between_interpreters(rows: Sequence[Row]) -> list[list[str]]:
    return [
        ["baskets with equal ids on both", *(_shown(row.equal_baskets, lambda n: f"{n:,}") for row in rows)],
        ["greatest difference of scores", *(_shown(row.score_difference, lambda x: f"{x:.1e}") for row in rows)],
    ]


def _lines_on_interpreter(interpreter: str, found: Sequence[OnInterpreter]) -> list[list[str]]:
    measures: dict[str, Callable[[Answers], str]] = {
        "- overlap@10 with float": lambda a: f"{a.overlap_at_10:.4f}",
        "- overlap@10, strict": lambda a: f"{a.strict_overlap_at_10:.4f}",
        "- baskets as exact arithmetic": lambda a: f"{a.exact_baskets:,}",
        "- µs an answer": lambda a: f"{a.microseconds:.1f}",
        "- times ours": lambda a: _shown(a.ratio_to_ours, lambda x: f"{x:.2f}"),
        "- KB of anonymous memory": lambda a: f"{a.anonymous_bytes / 1000:,.0f}",
    }
    lines = [[name, *(_shown(on.answers, show) for on in found)] for name, show in measures.items()]
    return [[f"{interpreter} loads it", *("no" if on.error else "yes" for on in found)], *lines]


def _count(matches: Iterable[bool]) -> str:
    return str(sum(matches) or "-")


def _shown(value: _T | None, show: Callable[[_T], str]) -> str:
    return "-" if value is None else show(value)
