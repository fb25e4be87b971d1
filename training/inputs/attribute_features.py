"""A catalog as arrays: which attribute values each item has, as indices and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.inputs.catalog import Catalog, Item


@dataclass(frozen=True)
class Vocabulary:
    """Every (column, value) pair that occurs, grouped by column; index 0 stands for no value.

    Attributes:
        columns: names, in the order of the catalog.
        values: (column, value) of index 1, 2, ...
        starts: for each column, the first index of its values; one more entry closes the last column.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.values) + 1

    @property
    def column_of(self) -> NDArray[np.int32]:
        """int32 [len(self)]: the column of each index; that of index 0 means nothing."""
        position = {column: i for i, column in enumerate(self.columns)}
        return np.array([0, *(position[column] for column, _ in self.values)], np.int32)


@dataclass(frozen=True)
class Features:
    """Items by their attribute values, padded to the longest.

    Attributes:
        indices: int32 [items, longest]; 0 where an item has fewer values.
        weights: float32 [items, longest]; what a value counts within its column, 0 for padding. The values of one
            column sum to 1, earlier ones counting more, because a catalog lists the most important first.
    """

    indices: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indices)


def build_vocabulary(catalog: Catalog) -> Vocabulary:
    """The attribute values of a catalog, each column's in alphabetical order; columns without any are left out."""
    values: list[tuple[str, str]] = []
    starts = [1]
    columns = tuple(column for column in catalog.columns if any(column in item.attributes for item in catalog.items))
    for column in columns:
        found = {value for item in catalog.items for value in item.attributes.get(column, ())}
        values += [(column, value) for value in sorted(found)]
        starts.append(len(values) + 1)
    return Vocabulary(columns, tuple(values), tuple(starts))


def featurize(items: Sequence[Mapping[str, tuple[str, ...]]], vocabulary: Vocabulary) -> Features:
    """Turns attributes into arrays; values that the vocabulary does not have are left out."""
    index_of = {pair: i for i, pair in enumerate(vocabulary.values, start=1)}
    rows = [_weighted(attributes, vocabulary.columns, index_of) for attributes in items]
    longest = max(1, max(map(len, rows), default=1))
    indices = np.zeros((len(rows), longest), np.int32)
    weights = np.zeros((len(rows), longest), np.float32)
    for i, row in enumerate(rows):
        for j, (index, weight) in enumerate(row):
            indices[i, j], weights[i, j] = index, weight
    return Features(indices, weights)


@dataclass(frozen=True)
class ItemAttributes:
    """What the items of a catalog are like.

    Attributes:
        rows: int64 [items with interactions], their rows in the catalog.
        values: (column, value) of each column of `matrix`.
        matrix: csr float32 [items of the catalog, values], what each value counts, as `featurize` has it.
    """

    catalog: Catalog
    rows: NDArray[np.int64]
    values: tuple[tuple[str, str], ...]
    matrix: csr_matrix

    @property
    def known(self) -> csr_matrix | None:
        """Of the items with interactions, in their order; None where no item has attributes."""
        return self.matrix[self.rows] if self.values else None


def make_catalog(ids: Sequence[str]) -> Catalog:
    """A catalog of items of which only their ids are known, which are their names too."""
    return Catalog(tuple(Item(row, item, item, (), {}) for row, item in enumerate(ids, start=2)), ())


def index_attributes(catalog: Catalog, ids: Sequence[str]) -> ItemAttributes:
    """What a catalog says of its items; those called `ids` have interactions."""
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    present = features.indices > 0
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    shape = (len(catalog), len(vocabulary.values))
    matrix = csr_matrix((features.weights[present], features.indices[present] - 1, indptr), shape)
    row_of = {item.id: row for row, item in enumerate(catalog.items)}
    return ItemAttributes(catalog, np.array([row_of[item] for item in ids], np.int64), vocabulary.values, matrix)


def _weighted(
    attributes: Mapping[str, tuple[str, ...]], columns: Sequence[str], index_of: Mapping[tuple[str, str], int]
) -> list[tuple[int, float]]:
    row: list[tuple[int, float]] = []
    for column in columns:
        known = [index_of[column, value] for value in attributes.get(column, ()) if (column, value) in index_of]
        shares = 1 / np.sqrt(np.arange(1, len(known) + 1))
        row += zip(known, shares / shares.sum(), strict=True) if known else []
    return row
