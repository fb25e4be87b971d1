"""How favorites become an integer query, and integer scores become cosines, as the file at hand means them.

A model of attributes asks for what is like the sum of the favorites. A model of what people like asks for what goes
with them: score = (sum of their rows * signs) . row + bias. There, likeness in some columns speaks against an item, so
that what replaces a favorite can stand near it and still not be recommended with it; and the bias is a last column,
whose entry in the query is set by the number of favorites, never summed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.model_file import InteractionRule, Manifest
from device_runtime.scoring import integers as scoring
from device_runtime.scoring.integers import Rows, Scores

Query = NDArray[np.int64]
_WHOLE = 2.0**53
_ROWS_AT_ONCE = 1 << 14


def queries_of(table: NDArray[np.int8], manifest: Manifest) -> Queries:
    """Those that the file means."""
    if manifest.preference is None:
        return Queries(table, manifest)
    return PreferenceQueries(table, manifest, manifest.preference)


class Queries:
    """Of a model of attributes: its rows have nearly the same norm, so that a dot product is a cosine.

    Attributes:
        exact_favorites: how many favorites make a query that is surely exact in float32.
    """

    def __init__(self, table: NDArray[np.int8], manifest: Manifest) -> None:
        self._table = table
        self._scale = manifest.scale
        self.exact_favorites = scoring.exact_favorites(manifest.columns)

    def of_rows(self, rows: Rows) -> Query:
        """The query of some favorites: int64 [columns]."""
        return scoring.sum_of_rows(self._table, rows)

    def of_vectors(self, vectors: NDArray[np.int8], weights: NDArray[np.float64] | None) -> Query:
        """The query of favorites [n, columns] with these weights, 1 each for None; zero where they cancel out."""
        if weights is None:
            return np.add.reduce(vectors, axis=0, dtype=np.int64)
        return scoring.weighted_query(vectors, weights)

    def cosines(self, scores: Scores, query: Query) -> NDArray[np.float32]:
        """Integer scores, by the norms of the query and of the longest row; see `scoring.cosines`."""
        return scoring.cosines(scores, query, self._scale)

    def parts(self, vectors: NDArray[np.int8]) -> NDArray[np.int64]:
        """What each favorite [n, columns] adds to the query: int64 [n, columns]."""
        return vectors.astype(np.int64)


def inverse_lengths(rows: NDArray[np.int8]) -> NDArray[np.float64]:
    """1 by the norm of each of `rows` [n, columns] without the bias, the last column; 0 for a row of zeros: [n]."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        wide = rows[start : start + _ROWS_AT_ONCE, :-1].astype(np.float64)
        found[start : start + len(wide)] = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    return np.divide(1.0, found, out=np.zeros(len(rows)), where=found > 0)


class PreferenceQueries(Queries):
    """Of a model of what people like; a score is divided as a cosine is, and so contains the bias in the same unit."""

    def __init__(self, table: NDArray[np.int8], manifest: Manifest, preference: InteractionRule) -> None:
        super().__init__(table, manifest)
        self._preference = preference
        self._signs = preference.signs(manifest.columns)
        each = scoring.LARGEST_ENTRY**2 * manifest.dims + scoring.LARGEST_ENTRY * int(abs(preference.entry) + 1)
        self.exact_favorites = (scoring.EXACT_IN_FLOAT32 - 1) // each

    def of_rows(self, rows: Rows) -> Query:
        """See `Queries.of_rows`."""
        query = super().of_rows(rows) * self._signs
        query[-1] = self._preference.bias_entry(len(rows))
        return query

    def of_vectors(self, vectors: NDArray[np.int8], weights: NDArray[np.float64] | None) -> Query:
        """See `Queries.of_vectors`; weights count by their size, dislikes too."""
        if weights is None:
            weights = np.ones(len(vectors))
        largest, count = np.abs(weights).max(), np.abs(weights).sum()
        signed = vectors * self._signs
        if (weights == np.rint(weights)).all() and count * scoring.LARGEST_ENTRY**2 * vectors.shape[1] < _WHOLE:
            query = np.add.reduce(weights.astype(np.int64)[:, None] * signed, axis=0, dtype=np.int64)
            query[-1] = self._preference.bias_entry(count)
            return query if query[:-1].any() else np.zeros_like(query)
        total = np.add.reduce((weights / largest)[:, None] * signed, axis=0)
        if np.abs(total).max() <= 1e-9 * count / largest:
            return np.zeros(vectors.shape[1], np.int64)
        total[-1] = self._preference.exact_entry(count) / largest
        return scoring.integer_query(total)

    def cosines(self, scores: Scores, query: Query) -> NDArray[np.float32]:
        """See `Queries.cosines`."""
        return scoring.cosines(scores, query[:-1], self._scale)

    def parts(self, vectors: NDArray[np.int8]) -> NDArray[np.int64]:
        """See `Queries.parts`."""
        return vectors * self._signs
