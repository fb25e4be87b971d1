"""What people type, and whether the right meal or kind of meals is found and surely meant, beside two libraries.

`food101.csv` holds the classes of Food-101 (Bossard, Guillaumin and Van Gool, 2014) and the meals they mean;
`typed_tuning.csv` and `typed_unseen.csv` are names in six languages, written from the meals' names alone; the search
and the names of the catalog were tuned on the first, and the second was asked once all was done.
"""

from __future__ import annotations

import csv
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.output import format_table
from device_runtime import Recommender
from device_runtime.format.layout import ALIASES, IDS, NAMES
from device_runtime.items.folding import fold

_HERE = Path(__file__).parent
LISTS = {"Food-101": "food101.csv", "typed, tuned on": "typed_tuning.csv", "typed, unseen": "typed_unseen.csv"}
_FAMILY = "family:"
_WRATIO_SURE = 90.0


class Query(NamedTuple):
    """What was typed, and what it may mean, any of which is right: ids, and texts that begin with `family:`."""

    text: str
    expected: tuple[str, ...]


class Answer(NamedTuple):
    """The first that a search gives: the ids it stands for, several of a family, and whether that is sure."""

    ids: frozenset[str]
    is_family: bool
    sure: bool


Search = Callable[[str], Answer | None]


@dataclass(frozen=True)
class Outcome:
    """Of one list by one search: percentages, and the median of microseconds a query."""

    queries: str
    search: str
    count: int
    right_and_sure: float
    right_unsure: float
    wrong_and_sure: float
    wrong_unsure: float
    microseconds: float


def read_list(path: Path) -> list[Query]:
    """The queries of a list; classes of Food-101 are written with underscores."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [
        Query(row.get("query") or row["class"].replace("_", " "), tuple(row["expected"].split("|"))) for row in rows
    ]


def is_right(answer: Answer | None, query: Query, names: Mapping[str, str]) -> bool:
    """Whether the first answer is what was meant.

    A kind is right where a kind was meant that most of the meals named beside it are of, or where all of several meals
    that were meant are of it; a meal is right where it was meant, or where it is called just as the kind that was
    (Sushi).
    """
    if answer is None:
        return False
    kinds = {text.removeprefix(_FAMILY) for text in query.expected if text.startswith(_FAMILY)}
    meals = {text for text in query.expected if not text.startswith(_FAMILY)}
    if answer.is_family:
        return 2 * len(answer.ids & meals) >= len(meals) if kinds else answer.ids >= meals and len(meals) > 1
    return not answer.ids.isdisjoint(meals) or any(fold(names[item]) in kinds for item in answer.ids)


def search_with_mignon(model: Recommender) -> Search:
    """`Recommender.find`; of a family, all its items."""

    def search(text: str) -> Answer | None:
        found = model.find(text, 1)
        if not found:
            return None
        match = found[0]
        if match.kind == "item":
            return Answer(frozenset({match.id}), False, match.sure)
        attribute, _, value = match.id.partition("=")
        items = model.recommend([match.id], len(model), where={attribute: value})
        return Answer(frozenset(item.id for item in items), True, match.sure)

    return search


def search_with_rapidfuzz(ids: Sequence[str], names: Sequence[tuple[int, str]]) -> Search:
    """The best of all names, folded, by rapidfuzz's `WRatio`; sure from 90 of 100 on."""
    from rapidfuzz import fuzz, process

    texts = [fold(name) for _, name in names]

    def search(text: str) -> Answer | None:
        found = process.extractOne(fold(text), texts, scorer=fuzz.WRatio)
        return None if found is None else Answer(frozenset({ids[names[found[2]][0]]}), False, found[1] >= _WRATIO_SURE)

    return search


def search_with_sqlite(ids: Sequence[str], names: Sequence[tuple[int, str]]) -> Search:
    """The best of all names, folded, by SQLite's FTS5 with trigrams and its rank; sure where it is the same text."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE name USING fts5(text, row UNINDEXED, tokenize='trigram')")
    database.executemany("INSERT INTO name VALUES (?, ?)", ((fold(name), row) for row, name in names))

    def search(text: str) -> Answer | None:
        folded = fold(text)
        trigrams = " OR ".join(f'"{folded[place : place + 3]}"' for place in range(len(folded) - 2))
        if not trigrams:
            return None
        statement = "SELECT text, row FROM name WHERE name MATCH ? ORDER BY rank LIMIT 1"
        found = database.execute(statement, (trigrams,)).fetchone()
        return None if found is None else Answer(frozenset({ids[found[1]]}), False, found[0] == folded)

    return search


def measure_typed(model: Recommender) -> list[Outcome]:
    """Every list by every search, over the names and aliases in one file of the built-in meals."""
    ids, names = list(model.file.lines(IDS)), list(model.file.lines(NAMES))
    every = [*enumerate(names), *((row, alias) for row, (alias,) in model.file.records(ALIASES, 1))]
    name_of = dict(zip(ids, names, strict=True))
    searches = {
        "mignon": search_with_mignon(model),
        "rapidfuzz WRatio": search_with_rapidfuzz(ids, every),
        "SQLite FTS5 trigram": search_with_sqlite(ids, every),
    }
    return [
        _measure(name, label, search, read_list(_HERE / file), name_of)
        for label, file in LISTS.items()
        for name, search in searches.items()
    ]


def _measure(name: str, label: str, search: Search, queries: Sequence[Query], names: Mapping[str, str]) -> Outcome:
    counts: Counter[tuple[bool, bool]] = Counter()
    times = []
    for query in queries:
        start = time.thread_time()
        answer = search(query.text)
        times.append(time.thread_time() - start)
        counts[is_right(answer, query, names), answer is not None and answer.sure] += 1
    share = {key: 100 * count / len(queries) for key, count in counts.items()}
    return Outcome(
        queries=label,
        search=name,
        count=len(queries),
        right_and_sure=share.get((True, True), 0.0),
        right_unsure=share.get((True, False), 0.0),
        wrong_and_sure=share.get((False, True), 0.0),
        wrong_unsure=share.get((False, False), 0.0),
        microseconds=1e6 * float(np.median(times)),
    )


def format_outcomes(outcomes: Sequence[Outcome]) -> str:
    """One list and search a line."""
    headers = ["list", "search", "queries", "right, sure, %", "right, unsure", "wrong, sure", "wrong, unsure", "us"]
    rows = [
        [
            *(o.queries, o.search, o.count),
            *(f"{x:.1f}" for x in (o.right_and_sure, o.right_unsure, o.wrong_and_sure, o.wrong_unsure)),
            f"{o.microseconds:,.0f}",
        ]
        for o in outcomes
    ]
    return format_table(headers, rows, left=2)
