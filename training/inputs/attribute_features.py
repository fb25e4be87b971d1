"""A catalog as arrays: which attribute values each item has, as indices and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.inputs.catalog import Catalog


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


def _weighted(
    attributes: Mapping[str, tuple[str, ...]], columns: Sequence[str], index_of: Mapping[tuple[str, str], int]
) -> list[tuple[int, float]]:
    row: list[tuple[int, float]] = []
    for column in columns:
        known = [index_of[column, value] for value in attributes.get(column, ()) if (column, value) in index_of]
        shares = 1 / np.sqrt(np.arange(1, len(known) + 1))
        row += zip(known, shares / shares.sum(), strict=True) if known else []
    return row
