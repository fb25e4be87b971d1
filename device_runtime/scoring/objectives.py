"""All that depends on what a model was trained for: its queries, its scores, and what is alike.

A model of attributes asks for what is like the sum of the favorites. A model of what people like asks for what goes
with them: score = (sum of their rows * signs) . row + bias. There, likeness in some columns speaks against an item, so
that what replaces a favorite can stand near it and still not be recommended with it; and the bias is a last column,
whose entry in the query is set by the number of favorites, never summed.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import InvalidArgumentError
from device_runtime.format.layout import LARGEST_ENTRY
from device_runtime.format.manifest import InteractionRule, Manifest
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import (
    EXACT_IN_FLOAT32,
    Query,
    Rows,
    Scores,
    cosines,
    cosines_of_each,
    sum_of_rows,
    weighted_query,
)

_ROWS_AT_ONCE = 1 << 14
_ROWS_FOR_MEDIAN = 10_000
_SHORTENINGS = np.arange(1.0, 0.5, -0.002)  # tried in turn until a rounded row is no longer than it may be
_ROUNDING = 1e-9
_ROWS_OF_PAIRS = 256


def objective_of(model: ModelFile) -> Objective:
    """The one that the model was trained for."""
    rule = model.manifest.preference
    if rule is None:
        return AttributeObjective(model.table, model.manifest)
    return InteractionObjective(model.table, model.manifest, rule)


class AttributeObjective:
    """Of a model of attributes: its rows have nearly the same norm, so that a dot product is a cosine.

    Attributes:
        best_is_alike: whether what is recommended for one item is what is most like it, so that an engine answers both.
        exact_favorites: how many favorites make a query that is surely exact in float32.
    """

    best_is_alike = True
    _pairs_alike = 30  # of a thousand

    def __init__(self, table: NDArray[np.int8], manifest: Manifest) -> None:
        self._table = table
        self._dims = manifest.dims
        self._scale = manifest.scale
        self.exact_favorites = (EXACT_IN_FLOAT32 - 1) // (LARGEST_ENTRY**2 * manifest.columns)

    def query_of_rows(self, rows: Rows) -> Query:
        """The query of some favorites, by their rows in the table: int64 [columns]."""
        return sum_of_rows(self._table, rows)

    def query_of_vectors(self, vectors: NDArray[np.int8], weights: NDArray[np.float64] | None) -> Query:
        """The query of favorites [n, columns] with these weights, 1 each for None; zero where they cancel out."""
        if weights is None:
            return np.add.reduce(vectors, axis=0, dtype=np.int64)
        return weighted_query(vectors, weights)

    def query_of_each(
        self, vectors: NDArray[np.int8], weights: NDArray[np.float64] | None, groups: list[list[int]]
    ) -> NDArray[np.int64]:
        """What `query_of_vectors` gives for some groups of favorites, by their places: int64 [groups, columns]."""
        if weights is not None or not self.best_is_alike:
            each = [None if weights is None else weights[group] for group in groups]
            return np.array([self.query_of_vectors(vectors[g], some) for g, some in zip(groups, each, strict=True)])
        members = np.zeros((len(groups), len(vectors)), np.int64)
        for place, group in enumerate(groups):
            members[place, group] = 1
        return members @ vectors.astype(np.int64)

    def query_towards(self, vector: NDArray[np.int64]) -> Query:
        """The query for what points where `vector` does, of which only [dims] counts: int64 [columns]."""
        return vector

    def cosines(self, scores: Scores, query: Query) -> NDArray[np.float32]:
        """Integer scores, by the norms of the query and of the longest row; see `integers.cosines`."""
        return cosines(scores, query, self._scale)

    def cosines_of_each(self, scores: NDArray[np.generic], queries: NDArray[np.int64]) -> NDArray[np.float32]:
        """`cosines` for each line of `scores` [n, rows] and its query [n, columns]: float32 [n, rows]."""
        return cosines_of_each(scores, queries, self._scale)

    def parts(self, vectors: NDArray[np.int8]) -> NDArray[np.int64]:
        """What each favorite [n, columns] adds to the query: int64 [n, columns]."""
        return vectors.astype(np.int64)

    def directions(self, vectors: NDArray[np.int8]) -> NDArray[np.float32]:
        """Where rows [n, columns] point: float32 [n, dims], each of length about 1."""
        return vectors.astype(np.float32) * np.float32(self._scale)

    @cached_property
    def alike_from(self) -> float:
        """The cosine from which on two rows are alike: that which three in a hundred pairs of rows reach.

        What a cosine says differs from table to table. The pairs are those of 256 rows spread over the table. Of a
        model of what people like it is three in a thousand: there, near rows are wanted with one another.
        """
        count = min(_ROWS_OF_PAIRS, len(self._table))
        some = self._table[np.arange(count) * len(self._table) // count, : self._dims].astype(np.float64)
        products = some @ some.T
        squares = products.diagonal()
        cosines = (products / np.sqrt(np.maximum(squares[:, None] * squares, 1.0)))[np.triu_indices(count, 1)]
        if not len(cosines):
            return 1.0
        place = len(cosines) - 1 - len(cosines) * self._pairs_alike // 1000
        return float(np.partition(cosines, place)[place])

    def lengths(self, vectors: NDArray[np.int8]) -> NDArray[np.float64]:  # noqa: ARG002 - rows have one length here
        """How long rows [n, columns] are where they point: float64 [n], or [1] where all are as long."""
        return np.array([1 / self._scale])

    def likeness(self, one: NDArray[np.int8], other: NDArray[np.int8]) -> float:
        """The cosine of two rows [columns], as `similar` gives it."""
        query = one.astype(np.int64)
        return float(self.cosines(np.array([float(query @ other.astype(np.int64))]), query)[0])

    def alike(self, scores: Scores, added: NDArray[np.int8]) -> Scores:  # noqa: ARG002 - rows have one length here
        """What ranks rows by how alike they are to a query of `query_towards`: float64 [rows] or the scores themselves.

        Args:
            scores: the integer scores of the table's rows, then of the rows `added` [n, columns].
        """
        return scores

    def alike_cosines(self, alike: Scores, query: Query) -> NDArray[np.float32]:
        """Values of `alike` as cosines."""
        return self.cosines(alike, query)

    def middle(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """The row in the middle of some rows [n, columns]: int8 [columns], the same on every processor.

        Raises:
            InvalidArgumentError: they cancel one another out.
        """
        return self.row_towards(np.add.reduce(vectors, axis=0, dtype=np.int64))

    def popularity(self) -> NDArray[np.uint8] | None:
        """How widely each row is liked, where the table says it: uint8 [rows], greater for more."""
        return None

    def row_towards(self, vector: NDArray[np.generic]) -> NDArray[np.int8]:
        """The row that points where `vector`, of which only [dims] counts, does: int8 [columns].

        It is about as long as the table's and no longer than 1 / scale, so that no cosine exceeds 1. In a model of what
        people like it gets the median length and bias of some rows.

        Raises:
            InvalidArgumentError: the vector is zero.
        """
        wide = vector[: self._dims].astype(np.float64)
        length = np.sqrt(wide @ wide)
        if length == 0:
            raise InvalidArgumentError("the items that it is placed by cancel one another out; give others")
        return self._row_along(wide / length)

    def _row_along(self, direction: NDArray[np.float64]) -> NDArray[np.int8]:
        return _rounded_row(direction, 1 / self._scale)


class InteractionObjective(AttributeObjective):
    """Of a model of what people like; a score is divided as a cosine is, and so contains the bias in the same unit.

    Its rows have any length. So what is alike is ranked by the integer score without the bias times the inverse of the
    row's length: the same number on every processor.
    """

    best_is_alike = False
    _pairs_alike = 3

    def __init__(self, table: NDArray[np.int8], manifest: Manifest, rule: InteractionRule) -> None:
        super().__init__(table, manifest)
        self._rule = rule
        self._signs = rule.signs(manifest.columns)
        of_a_favorite = LARGEST_ENTRY**2 * manifest.dims + LARGEST_ENTRY * int(abs(rule.entry) + 1)
        self.exact_favorites = (EXACT_IN_FLOAT32 - 1) // of_a_favorite

    def query_of_rows(self, rows: Rows) -> Query:
        """See `AttributeObjective`."""
        query = super().query_of_rows(rows) * self._signs
        query[-1] = self._rule.bias_entry(len(rows))
        return query

    def query_of_vectors(self, vectors: NDArray[np.int8], weights: NDArray[np.float64] | None) -> Query:
        """See `AttributeObjective`; weights count by their size, dislikes too."""
        weights = np.ones(len(vectors)) if weights is None else weights
        return weighted_query(self.parts(vectors), weights, self._rule.exact_entry)

    def query_towards(self, vector: NDArray[np.int64]) -> Query:
        """See `AttributeObjective`."""
        return np.append(vector[: self._dims], 0)

    def cosines(self, scores: Scores, query: Query) -> NDArray[np.float32]:
        """See `AttributeObjective`."""
        return super().cosines(scores, query[:-1])

    def cosines_of_each(self, scores: NDArray[np.generic], queries: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `AttributeObjective`."""
        return super().cosines_of_each(scores, queries[:, :-1])

    def parts(self, vectors: NDArray[np.int8]) -> NDArray[np.int64]:
        """See `AttributeObjective`."""
        return vectors * self._signs

    def directions(self, vectors: NDArray[np.int8]) -> NDArray[np.float32]:
        """See `AttributeObjective`."""
        return vectors[:, :-1].astype(np.float32) * _inverse_lengths(vectors)[:, None].astype(np.float32)

    def lengths(self, vectors: NDArray[np.int8]) -> NDArray[np.float64]:
        """See `AttributeObjective`."""
        return _lengths(vectors)

    def likeness(self, one: NDArray[np.int8], other: NDArray[np.int8]) -> float:
        """See `AttributeObjective`."""
        first, second = self.directions(np.stack([one, other]))
        return float(first @ second)

    def alike(self, scores: Scores, added: NDArray[np.int8]) -> Scores:
        """See `AttributeObjective`."""
        of_table = scores[: len(self._table)] * self._inverse_lengths
        if not len(added):
            return of_table
        return np.concatenate([of_table, scores[len(self._table) :] * _inverse_lengths(added)])

    def alike_cosines(self, alike: Scores, query: Query) -> NDArray[np.float32]:
        """See `AttributeObjective`."""
        return (alike / math.sqrt(max(1.0, float(np.square(query.astype(np.float64)).sum())))).astype(np.float32)

    def middle(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """See `AttributeObjective`; the mean, halves rounded up, since lengths and biases say something here."""
        total = np.add.reduce(vectors, axis=0, dtype=np.int64)
        return ((2 * total + len(vectors)) // (2 * len(vectors))).astype(np.int8)

    def popularity(self) -> NDArray[np.uint8] | None:
        """See `AttributeObjective`: the bias."""
        return (self._table[:, -1].astype(np.int16) + 128).astype(np.uint8)

    @cached_property
    def _inverse_lengths(self) -> NDArray[np.float64]:
        return _inverse_lengths(self._table)

    def _row_along(self, direction: NDArray[np.float64]) -> NDArray[np.int8]:
        some = self._table[:: max(1, len(self._table) // _ROWS_FOR_MEDIAN)]
        lengths = np.sqrt(np.square(some[:, :-1].astype(np.float64)).sum(axis=1))
        return np.append(_rounded_row(direction, max(1.0, float(np.median(lengths)))), np.int8(np.median(some[:, -1])))


Objective = AttributeObjective | InteractionObjective


def _rounded_row(direction: NDArray[np.float64], radius: float) -> NDArray[np.int8]:
    for shortening in _SHORTENINGS:
        row = np.clip(np.rint(direction * (shortening * radius)), -LARGEST_ENTRY, LARGEST_ENTRY)
        if row @ row <= radius**2 * (1 + _ROUNDING):
            break
    return row.astype(np.int8)


def _lengths(rows: NDArray[np.int8]) -> NDArray[np.float64]:
    """The norm of each of `rows` [n, columns] without the bias, the last column: [n]."""
    lengths = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        wide = rows[start : start + _ROWS_AT_ONCE, :-1].astype(np.float64)
        lengths[start : start + len(wide)] = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    return lengths


def _inverse_lengths(rows: NDArray[np.int8]) -> NDArray[np.float64]:
    """1 by the norm of each of `rows`; 0 for a row of zeros: [n]."""
    lengths = _lengths(rows)
    return np.divide(1.0, lengths, out=np.zeros(len(rows)), where=lengths > 0)
