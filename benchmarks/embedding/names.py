"""How well and how fast meals are found by what people type: `python -m benchmarks names`.

The queries were written by hand (`tests/device_runtime/items/names_as_typed.csv`); times are of the thread, so that
what else the machine does is left out.
"""

from __future__ import annotations

import csv
import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.output import format_table
from device_runtime.items.names import NameIndex
from training.inputs.catalog import BUILT_IN_CATALOG, read_catalog
from training.inputs.rules import read_rules

QUERIES = Path(__file__).parents[2] / "tests" / "device_runtime" / "items" / "names_as_typed.csv"
Aliases = list[tuple[int, str]]


@dataclass(frozen=True)
class Found:
    """Of the queries of one kind, the percentages whose meal came first and among the first three."""

    kind: str
    queries: int
    first: float
    among_three: float


@dataclass(frozen=True)
class Cost:
    """What an index costs: milliseconds a query and to build, and bytes it keeps."""

    names: int
    aliases: int
    median: float
    percentile_95: float
    build: float
    kept_bytes: int


def read_names(path: Path = BUILT_IN_CATALOG) -> tuple[list[str], list[str], Aliases]:
    """The ids, the names and the (row, alias) pairs of a catalog."""
    items = read_catalog(path, popularity=read_rules(path).popularity).items
    aliases = [(row, alias) for row, item in enumerate(items) for alias in item.other_names]
    return [item.id for item in items], [item.name for item in items], aliases


def read_queries(path: Path = QUERIES) -> list[tuple[str, str, str]]:
    """What was typed, the name meant and the kind of query."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(line["query"], line["expected"], line["kind"]) for line in csv.DictReader(file)]


def measure_accuracy(index: NameIndex, names: Sequence[str], asked: Iterable[tuple[str, str, str]]) -> list[Found]:
    """The percentages by kind, and of all."""
    places: dict[str, list[int]] = {}
    for query, expected, kind in asked:
        found = [names[row] for row, _ in index.find(query, 3)]
        place = found.index(expected) if expected in found else len(names)
        places.setdefault(kind, []).append(place)
    places["all"] = [place for kind in places.values() for place in kind]
    return [
        Found(kind, len(its), *(100 * float(np.mean(np.array(its) < best)) for best in (1, 3)))
        for kind, its in places.items()
    ]


def measure_cost(ids: Sequence[str], names: Sequence[str], aliases: Aliases, asked: Sequence[str]) -> Cost:
    """Builds an index twice, once to time it and once to weigh it, and times each query once."""
    index = NameIndex(ids, names, aliases)
    build = _milliseconds(lambda: index.find("panckaes", 5))
    times = [_milliseconds(lambda query=query: index.find(query, 5)) for query in asked]  # type: ignore[misc]
    kept = _kept_bytes(lambda: NameIndex(ids, names, aliases))
    return Cost(len(names), len(aliases), float(np.median(times)), float(np.percentile(times, 95)), build, kept)


def make_larger(names: Sequence[str], aliases: Aliases, size: int) -> tuple[list[str], list[str], Aliases]:
    """A catalog of `size` made-up names, and aliases in proportion, of words of real ones, some cut short."""
    rng = np.random.default_rng(0)
    words = [word for name in [*names, *(alias for _, alias in aliases)] for word in name.split()]

    def made_up() -> str:
        chosen = [words[i] for i in rng.integers(len(words), size=rng.integers(1, 5))]
        return " ".join(
            word if rng.random() < 0.6 else f"{word[:4]}{words[rng.integers(len(words))]}" for word in chosen
        )

    more = [(int(rng.integers(size)), made_up()) for _ in range(size * len(aliases) // len(names))]
    return [str(i) for i in range(size)], [*names, *(made_up() for _ in range(size - len(names)))], more


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return 1e3 * (time.thread_time() - start)


def _kept_bytes(make: Callable[[], NameIndex]) -> int:
    gc.collect()
    tracemalloc.start()
    index = make()
    index.find("panckaes", 5)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept


def measure_built_in() -> str:
    """What `python -m benchmarks names` prints: of the built-in catalog, and costs of one twenty times as large."""
    ids, names, aliases = read_names()
    asked = read_queries()
    found = measure_accuracy(NameIndex(ids, names, aliases), names, asked)
    catalogs = ((ids, names, aliases), make_larger(names, aliases, 20 * len(names)))
    costs = [measure_cost(*each, [query for query, _, _ in asked]) for each in catalogs]
    return f"{_format_accuracy(found)}\n\n{_format_costs(costs)}"


def _format_accuracy(found: Iterable[Found]) -> str:
    rows = [[kind.kind, kind.queries, f"{kind.first:.1f}", f"{kind.among_three:.1f}"] for kind in found]
    return format_table(["what was typed", "queries", "first, %", "among three, %"], rows)


def _format_costs(costs: Iterable[Cost]) -> str:
    rows = [
        [
            *(f"{n:,}" for n in (c.names, c.aliases)),
            *(f"{x:.2f}" for x in (c.median, c.percentile_95, c.build)),
            f"{c.kept_bytes:,}",
        ]
        for c in costs
    ]
    headers = ["names", "aliases", "median, ms", "95th percentile, ms", "first query, ms", "bytes kept"]
    return format_table(headers, rows, left=0)
