"""How well vectors say which items are alike. Vectors are rows of unit length.

Every measure takes any matrix of unit rows, dense or sparse, so that an embedding, its int8 form, TF-IDF and its
truncated SVD are measured alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.evaluation.triplets import Triplet
from training.inputs.attribute_features import Features, Vocabulary

Vectors = Any  # NDArray[np.float32] or csr_matrix, which has no types
_ROWS_AT_ONCE = 512
_VOTERS = 20
_TIE_BREAK = 1e-6  # less than any vote that tells


@dataclass(frozen=True)
class TripletAccuracy:
    """The share of triplets in which `near` has the greater cosine; a tie counts half."""

    all: float
    hard: float | None
    count: int


@dataclass(frozen=True)
class Questions:
    """Values that were hidden: int64 [questions] each, the rows of the items and the values by the vocabulary."""

    items: NDArray[np.int64]
    values: NDArray[np.int64]


def measure_triplets(vectors: Vectors, triplets: Sequence[Triplet]) -> TripletAccuracy:
    """How often the nearer of two items is the one that people would rather take instead."""
    item, near, far = (np.array([getattr(t, part) for t in triplets], np.int64) for part in ("item", "near", "far"))
    margin = _row_products(vectors[item], vectors[near]) - _row_products(vectors[item], vectors[far])
    right = (margin > 1e-7) + 0.5 * (np.abs(margin) <= 1e-7)
    hard = np.array([t.kind == "hard" for t in triplets])
    return TripletAccuracy(float(right.mean()), float(right[hard].mean()) if hard.any() else None, len(triplets))


def rank_hidden(
    vectors: Vectors | None, shown: Features, vocabulary: Vocabulary, questions: Questions
) -> NDArray[np.float64]:
    """1 by the rank of each hidden value among the values of its column, found by the twenty nearest items.

    Each neighbor votes by its cosine for the values that it shows; of equal votes the more frequent value comes first,
    so that a value no neighbor shows is ranked by how frequent it is. Values that the item itself shows are no answers.

    Args:
        vectors: made from what is shown; None ranks by frequency alone.
        shown: what is not hidden.
    """
    membership = _membership(shown, vocabulary)
    frequency = np.asarray(membership.sum(axis=0)).ravel() / len(shown)
    starts = np.array(vocabulary.starts)
    columns = np.searchsorted(starts, questions.values, side="right") - 1
    ranks = np.empty(len(questions.items))
    for block, votes in _vote(vectors, membership, questions.items):
        scores = votes + _TIE_BREAK * frequency
        scores[membership[questions.items[block]].toarray() > 0] = -1
        for row, question in enumerate(block):
            start, end = starts[columns[question]], starts[columns[question] + 1]
            own = scores[row, questions.values[question]]
            rivals = scores[row, start:end]
            ranks[question] = 1 + (rivals > own).sum() + ((rivals == own).sum() - 1) / 2
    return 1 / ranks


def find_neighbors(vectors: Vectors, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The k nearest other rows of each of `rows`, nearest first: int64 [rows, k], fewer where there are not so many."""
    found = []
    for _, nearest, cosines in _neighbors(vectors, min(k, vectors.shape[0] - 1), rows):
        found.append(np.take_along_axis(nearest, np.argsort(-cosines, axis=1, kind="stable"), axis=1))
    return np.concatenate(found)


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
        nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        yield block, nearest, np.take_along_axis(cosines, nearest, axis=1)


def _vote(
    vectors: Vectors | None, membership: csr_matrix, items: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Blocks of questions, and the votes for every value: float64 [block, values + 1]."""
    if vectors is None:
        for start in range(0, len(items), _ROWS_AT_ONCE):
            block = np.arange(start, min(start + _ROWS_AT_ONCE, len(items)))
            yield block, np.zeros((len(block), membership.shape[1]))
        return
    done = 0
    for rows, nearest, cosines in _neighbors(vectors, min(_VOTERS, vectors.shape[0] - 1), items):
        weights = np.maximum(cosines, 0).ravel()
        voters = np.repeat(np.arange(len(rows)), nearest.shape[1])
        votes = csr_matrix((weights, (voters, nearest.ravel())), (len(rows), membership.shape[0])) @ membership
        yield np.arange(done, done + len(rows)), votes.toarray().astype(np.float64)
        done += len(rows)


def _membership(features: Features, vocabulary: Vocabulary) -> csr_matrix:
    """Which values items show: csr float32 [items, values + 1] of ones."""
    rows, places = np.nonzero(features.indices)
    shape = (len(features), len(vocabulary))
    return csr_matrix((np.ones(len(rows), np.float32), (rows, features.indices[rows, places])), shape)


def _row_products(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    product = a.multiply(b) if isinstance(a, csr_matrix) else a * b
    return np.asarray(product.sum(axis=1), np.float64).ravel()
