"""Builds the approximate index that lies beside a file, and measures what it finds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device_runtime.engines.usearch_engine import ROWS_TO_A_CANDIDATE, Graph, IndexRecord, library
from device_runtime.scoring.integers import Rows, sum_of_rows
from device_runtime.scoring.scan import best_of_table
from device_runtime.scoring.top_k import positions_without
from export.errors import ExportError

CONNECTIVITY = 16
EXPANSION_ADD = 128
EXPANSIONS = (32, 48, 64, 96, 128, 192, 256, 384, 512)
NEIGHBORS = 10
LEAST_RECALL = 0.95
LARGEST_BASKET = 20
KINDS = {"items": (1, 1), "baskets": (2, LARGEST_BASKET)}
FEWEST_ROWS = ROWS_TO_A_CANDIDATE * EXPANSIONS[0]
_CHOOSING, _HELD = 200, 500
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class BuiltIndex:
    """An index as it will be written, what the manifest will say of it, and how long both took."""

    data: bytes
    record: IndexRecord
    seconds: float


class IndexQuestion(NamedTuple):
    """Favorites, their sum, and the least exact score among the ten best others."""

    favorites: Rows
    query: NDArray[np.int64]
    least: float


def check_size(rows: int) -> None:
    """Refuses a table so small that the engine would never ask its index.

    Raises:
        ExportError: there are too few rows.
    """
    if rows < FEWEST_ROWS:
        raise ExportError(
            f"{rows} items are scanned faster than an index is asked; leave --index out below {FEWEST_ROWS}"
        )


def build_index(table: NDArray[np.int8], *, progress: bool = False) -> BuiltIndex:
    """The index of int8 [rows, columns], built by one thread: the same bytes from the same rows and library.

    Of a few widths of the search the least is taken that finds LEAST_RECALL of the exact ten best for some items and
    baskets, or else the greatest; what it finds, where it is asked, is then measured on others.

    Raises:
        ExportError: the table is too small.
        MissingEngineError: usearch is not installed.
    """
    check_size(len(table))
    start = time.monotonic()
    data = _build_graph(table, progress=progress)
    return BuiltIndex(data, measure_index(table, data), time.monotonic() - start)


def measure_index(table: NDArray[np.int8], data: bytes) -> IndexRecord:
    """What to say of an index of `table`: how wide to search it, and what it finds then."""
    choosing = {kind: list(_questions(table, *sizes, _CHOOSING, seed=1)) for kind, sizes in KINDS.items()}
    for expansion in EXPANSIONS:
        graph = Graph(table, data, expansion)
        if all(measure_recall(graph, asked) >= LEAST_RECALL for asked in choosing.values()):
            break
    held = {kind: list(_questions(table, *sizes, _HELD, seed=2)) for kind, sizes in KINDS.items()}
    return IndexRecord(
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        library=f"usearch {version('usearch')}",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=expansion,
        recall_at_10={kind: round(measure_recall(graph, asked), 4) for kind, asked in held.items()},
    )


def measure_recall(graph: Graph, asked: Sequence[IndexQuestion]) -> float:
    """The mean share of the exact best that are found; a row that ties with the last of them counts as one."""
    shares = []
    for question in asked:
        found, scores = graph.best(question.query, NEIGHBORS + len(question.favorites), question.favorites)
        kept = positions_without(found, question.favorites, NEIGHBORS)
        shares.append((scores[kept] >= question.least).sum() / NEIGHBORS)
    return float(np.mean(shares))


def _build_graph(table: NDArray[np.int8], *, progress: bool) -> bytes:
    index = library().Index(
        ndim=table.shape[1],
        metric="ip",
        dtype="i8",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        enable_key_lookups=False,
    )
    starts = range(0, len(table), _ROWS_AT_ONCE)  # between blocks the work can be stopped
    for start in tqdm(starts, desc="indexing", unit="block", disable=not progress):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(table)))
        index.add(rows, table[rows], threads=1)
    return bytes(index.save())


def _questions(table: NDArray[np.int8], fewest: int, most: int, count: int, seed: int) -> Iterator[IndexQuestion]:
    """Random favorites, from `fewest` to `most` of them, and what exact integers answer."""
    rng = np.random.default_rng(seed)
    for size in rng.integers(fewest, most + 1, count):
        favorites = rng.choice(len(table), size, replace=False)
        query = sum_of_rows(table, favorites)
        found, scores = best_of_table(table, query, NEIGHBORS + len(favorites))
        kept = positions_without(found, favorites, NEIGHBORS)
        yield IndexQuestion(favorites, query, float(scores[kept[-1]]))
