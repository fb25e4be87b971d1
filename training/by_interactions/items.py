"""From what is known of items to what training needs, and from what it learned to a whole catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.by_interactions.trainer import PreferenceFitted
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import Catalog, Item
from training.trained import Preference, Trained


@dataclass(frozen=True)
class ItemAttributes:
    """What the items of a catalog are like.

    Attributes:
        rows: int64 [items with interactions], their rows in the catalog.
        values: (column, value) of each column of `matrix`.
        matrix: csr float32 [items of the catalog, values], what each value counts, as `attribute_features` has it.
    """

    catalog: Catalog
    rows: NDArray[np.int64]
    values: tuple[tuple[str, str], ...]
    matrix: csr_matrix

    @property
    def known(self) -> csr_matrix | None:
        """Of the items with interactions, in their order; None where no item has attributes."""
        return self.matrix[self.rows] if self.values else None


def catalog_of(ids: Sequence[str]) -> Catalog:
    """A catalog of items of which only their ids are known, which are their names too."""
    return Catalog(tuple(Item(row, item, item, (), {}) for row, item in enumerate(ids, start=2)), ())


def attributes_of(catalog: Catalog, ids: Sequence[str]) -> ItemAttributes:
    """What a catalog says of its items; those called `ids` have interactions."""
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    present = features.indices > 0
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    shape = (len(catalog), len(vocabulary.values))
    matrix = csr_matrix((features.weights[present], features.indices[present] - 1, indptr), shape)
    row_of = {item.id: row for row, item in enumerate(catalog.items)}
    return ItemAttributes(catalog, np.array([row_of[item] for item in ids], np.int64), vocabulary.values, matrix)


def trained_of(
    fitted: PreferenceFitted, attributes: ItemAttributes, metrics: dict[str, Any], settings: dict[str, Any]
) -> Trained:
    """The whole catalog: items without interactions are placed by their attributes, with the lowest bias of all."""
    items, learned = len(attributes.catalog), fitted.preference
    table = (
        attributes.matrix @ fitted.values if attributes.values else np.zeros((items, fitted.table.shape[1]), np.float32)
    )
    table[attributes.rows] = fitted.table
    bias = np.full(items, learned.bias.min(), np.float32)
    bias[attributes.rows] = learned.bias
    preference = Preference(bias, learned.negative_columns, learned.power)
    return Trained(
        attributes.catalog,
        table.astype(np.float32),
        attributes.values,
        fitted.values,
        metrics,
        settings,
        preference=preference,
    )
