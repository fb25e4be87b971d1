"""Favorites to ask engines about, and the answers by exact integers, worked out without the runtime's code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.scoring.integers import is_exact_in_float32
from device_runtime.scoring.top_k import top_k
from export.errors import VerificationError
from export.table import QuantizedTable
from export.tflite.plan import FIXED, NONE, SignaturePlan

NEIGHBORS = 10
BASKETS = 200
LARGE = 200_000  # items; one question of so many takes an engine milliseconds
_BASKETS_OF_LARGE = 50
_LARGEST_BASKET = 20
_MOST_RESULTS = 50


class ExpectedAnswer(NamedTuple):
    """One question and the rows that are its answer, best first.

    Attributes:
        method: of `Engine`: `nearest` others of favorites, or `search` by a query.
        asked: the favorites' rows, int64 [n], or the query, int64 [columns].
        k: how many rows to give.
        rows: int64 [k], fewer where there are fewer.
    """

    method: Literal["nearest", "search"]
    asked: NDArray[np.int64]
    k: int
    rows: NDArray[np.int64]


def draw_baskets(rows: int, count: int = BASKETS, seed: int = 0) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Random favorites, 1 to 20 of so many rows, and how many results to ask for."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        size = int(rng.integers(1, min(_LARGEST_BASKET, rows) + 1))
        yield rng.choice(rows, size, replace=False), int(rng.integers(1, min(_MOST_RESULTS, rows) + 1))


def expect_answers(table: QuantizedTable, items: NDArray[np.int64]) -> Iterator[ExpectedAnswer]:
    """The ten others nearest to each of `items`, and what random baskets and the sums of their rows give.

    There are 200 baskets, and 50 of more than 200,000 items.
    """
    wide = table.rows.astype(np.float32)
    others = min(NEIGHBORS, len(wide) - 1)
    if others:
        yield from (_expect_others(table, wide, np.array([item]), others) for item in items)
    for basket, k in draw_baskets(len(wide), BASKETS if len(wide) <= LARGE else _BASKETS_OF_LARGE):
        query = sum_rows(table, basket)
        yield ExpectedAnswer("search", query, k, top_k(_score(wide, query), k))
        yield _expect_others(table, wide, basket, k)


class FixedAnswer(NamedTuple):
    """One question to `recommend_fixed`: favorites filled up with -1, int32 [1, n], and the rows that come back."""

    items: NDArray[np.int32]
    rows: NDArray[np.int64]


def expect_fixed(table: QuantizedTable, plan: SignaturePlan) -> list[FixedAnswer]:
    """What random baskets of any size that fits give, those whose scores float32 holds; none without the signature."""
    if FIXED not in plan.names:
        return []
    wide, rng = table.rows.astype(np.float32), np.random.default_rng(1)
    answers = []
    for _ in range(BASKETS if len(wide) <= LARGE else _BASKETS_OF_LARGE):
        size = int(rng.integers(1, min(plan.favorites, len(wide)) + 1))
        basket, places = rng.choice(len(wide), size, replace=False), rng.choice(plan.favorites, size, replace=False)
        if is_exact_in_float32(make_query(table, basket)):
            items = np.full((1, plan.favorites), NONE, np.int32)
            items[0, places] = basket
            others = min(plan.results, len(wide) - size)
            rows = _expect_others(table, wide, basket, others).rows if others else basket[:0]
            answers.append(FixedAnswer(items, np.pad(rows, (0, plan.results - len(rows)), constant_values=NONE)))
    return answers


def compare_fixed(path: Path, name: str, answer: FixedAnswer, found: NDArray[np.int32]) -> None:
    """Holds what came back from `recommend_fixed` on the engine called `name` against exact integers.

    Raises:
        VerificationError: they differ.
    """
    if not np.array_equal(found, answer.rows):
        raise VerificationError(
            f"{path}: {FIXED} on {name} answers {found[:5].tolist()}... to {answer.items.tolist()}; exact integer "
            f"scores give {answer.rows[:5].tolist()}..."
        )


def make_query(table: QuantizedTable, basket: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of the rows of `basket`, and where there is a rule its signs and its entry: int64 [columns]."""
    query = sum_rows(table, basket)
    if table.rule is not None:
        query[table.dims - table.rule.negative_columns :] *= -1
        query[-1] = round(table.rule.entry * len(basket) ** table.rule.power)
    return query


def sum_rows(table: QuantizedTable, basket: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of the rows of `basket`, int64 [columns]; 0 in the column of a bias."""
    query: NDArray[np.int64] = table.rows[basket].astype(np.int64).sum(axis=0)
    query[table.dims :] = 0
    return query


def _expect_others(
    table: QuantizedTable, wide: NDArray[np.float32], basket: NDArray[np.int64], k: int
) -> ExpectedAnswer:
    scores = _score(wide, make_query(table, basket))
    scores[basket] = -np.inf
    return ExpectedAnswer("nearest", basket, k, top_k(scores, k))


def _score(wide: NDArray[np.float32], query: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
    return wide @ query.astype(np.float32 if is_exact_in_float32(query) else np.float64)
