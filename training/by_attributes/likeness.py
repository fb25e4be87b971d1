"""How well vectors say which items are alike. Vectors are rows of unit length.

Every measure takes any matrix of unit rows, dense or sparse, so that an embedding, its int8 form, TF-IDF and its
truncated SVD are measured alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.inputs.attribute_features import Features
from training.inputs.catalog import Catalog
from training.inputs.triplets import Triplet

Vectors = Any  # NDArray[np.float32] or csr_matrix, which has no types
NEIGHBORS = 10
_ROWS_AT_ONCE = 512
_VOTERS = 20


@dataclass(frozen=True)
class TripletAccuracy:
    """The share of triplets in which `near` has the greater cosine; a tie counts half."""

    all: float
    hard: float | None
    count: int


def measure_triplets(vectors: Vectors, triplets: Sequence[Triplet]) -> TripletAccuracy:
    """How often the nearer of two items is the one that people would rather take instead."""
    item, near, far = (np.array([getattr(t, part) for t in triplets], np.int64) for part in ("item", "near", "far"))
    margin = _row_products(vectors[item], vectors[near]) - _row_products(vectors[item], vectors[far])
    right = (margin > 1e-7) + 0.5 * (np.abs(margin) <= 1e-7)
    hard = np.array([t.kind == "hard" for t in triplets])
    return TripletAccuracy(float(right.mean()), float(right[hard].mean()) if hard.any() else None, len(triplets))


def measure_purity(vectors: Vectors, labels: NDArray[np.int64], rows: NDArray[np.int64] | None = None) -> float:
    """The mean share of an item's ten nearest neighbors that have its label; `rows` limits whose neighbors count."""
    shares = [
        (labels[neighbors] == labels[block][:, None]).mean(axis=1)
        for block, neighbors, _ in _neighbors(vectors, NEIGHBORS, rows)
    ]
    return float(np.concatenate(shares).mean())


def measure_hidden_recall(
    vectors: Vectors, features: Features, hidden: NDArray[np.bool_], column: tuple[int, int]
) -> float:
    """Recall@10 of hidden values of one column, voted for by the twenty nearest items.

    Args:
        vectors: made from what is not hidden.
        hidden: [items, longest], which values of `features` were hidden.
        column: first index of the column's values, and the one after its last.
    """
    start, end = column
    ours = (features.indices >= start) & (features.indices < end)
    shown = _membership(features, ours & ~hidden, column)
    wanted = hidden & ours
    asked = np.flatnonzero(wanted.any(axis=1))
    hits = total = 0
    for block, neighbors, cosines in _neighbors(vectors, _VOTERS, asked):
        votes = np.einsum("bk,bkv->bv", np.maximum(cosines, 0), shown[neighbors])
        votes[shown[block] > 0] = -1
        best = np.argsort(-votes, axis=1, kind="stable")[:, :NEIGHBORS] + start
        for row, item in enumerate(block):
            values = features.indices[item][wanted[item]]
            hits += int(np.isin(values, best[row]).sum())
            total += len(values)
    return hits / total if total else float("nan")


def number_labels(catalog: Catalog, column: str) -> NDArray[np.int64]:
    """A number for the first value of `column` of each item; items without one have a number of their own."""
    number: dict[str, int] = {}
    found = [item.attributes.get(column, (f"\0{row}",))[0] for row, item in enumerate(catalog.items)]
    return np.array([number.setdefault(value, len(number)) for value in found], np.int64)


def drop_columns(catalog: Catalog, columns: Sequence[str]) -> list[Mapping[str, tuple[str, ...]]]:
    """The attributes of all items, the given columns left out."""
    return [{c: v for c, v in item.attributes.items() if c not in columns} for item in catalog.items]


def _neighbors(
    vectors: Vectors, k: int, rows: NDArray[np.int64] | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Blocks of rows, their k nearest other rows and the cosines."""
    chosen = np.arange(vectors.shape[0]) if rows is None else rows
    for start in range(0, len(chosen), _ROWS_AT_ONCE):
        block = chosen[start : start + _ROWS_AT_ONCE]
        product = vectors[block] @ vectors.T
        cosines = product.toarray() if hasattr(product, "toarray") else product
        cosines[np.arange(len(block)), block] = -np.inf
        nearest = np.argpartition(-cosines, k, axis=1)[:, :k]
        yield block, nearest, np.take_along_axis(cosines, nearest, axis=1)


def _membership(features: Features, mask: NDArray[np.bool_], column: tuple[int, int]) -> NDArray[np.float32]:
    start, end = column
    matrix = np.zeros((len(features), end - start), np.float32)
    rows, places = np.nonzero(mask)
    matrix[rows, features.indices[rows, places] - start] = 1
    return matrix


def _row_products(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    product = a.multiply(b) if isinstance(a, csr_matrix) else a * b
    return np.asarray(product.sum(axis=1), np.float64).ravel()
