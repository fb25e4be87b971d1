"""Where an item belongs that the model was not trained with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import several
from device_runtime.errors import InvalidArgumentError, UnknownAttributeError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import LARGEST_ENTRY

if TYPE_CHECKING:
    from device_runtime.changes.kinds import Added

_ROWS_FOR_MEDIAN = 10_000
_SHORTENINGS = np.arange(1.0, 0.5, -0.002)


def place(model: ModelFile, attributes: Mapping[str, str | Iterable[str]]) -> NDArray[np.float32]:
    """See `Recommender.place`."""
    vectors = model.attribute_vectors
    total = np.zeros(model.manifest.dims)
    for attribute, values in attributes.items():
        rows = vectors.rows(attribute, several(values))
        shares = 1 / np.sqrt(np.arange(1, len(rows) + 1))
        total += shares @ vectors.entries[rows] / max(1.0, shares.sum())
    length = np.sqrt(total @ total)
    if length == 0:
        raise InvalidArgumentError("these attributes say nothing of where the item belongs; give more of them")
    return (total / length).astype(np.float32)


def row_towards(vector: NDArray[np.generic], model: ModelFile) -> NDArray[np.int8]:
    """The row that points where `vector`, of which only [dims] counts, does: int8 [columns].

    It is about as long as the table's and no longer than 1 / scale, so that no cosine exceeds 1. In a model of what
    people like it gets the median length and bias of some rows.

    Raises:
        InvalidArgumentError: the vector is zero.
    """
    wide = vector[: model.manifest.dims].astype(np.float64)
    length = np.sqrt(wide @ wide)
    if length == 0:
        raise InvalidArgumentError("the items that it is placed by cancel one another out; give others")
    if model.manifest.preference is None:
        return _rounded(wide / length, 1 / model.manifest.scale)
    some = model.table[:: max(1, len(model.table) // _ROWS_FOR_MEDIAN)]
    lengths = np.sqrt(np.square(some[:, :-1].astype(np.float64)).sum(axis=1))
    return np.append(_rounded(wide / length, max(1.0, float(np.median(lengths)))), np.int8(np.median(some[:, -1])))


def _rounded(direction: NDArray[np.float64], radius: float) -> NDArray[np.int8]:
    for shortening in _SHORTENINGS:
        row = np.clip(np.rint(direction * (shortening * radius)), -LARGEST_ENTRY, LARGEST_ENTRY)
        if row @ row <= radius**2 * (1 + 1e-9):
            break
    return row.astype(np.int8)


def known_attributes(model: ModelFile, attributes: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Those of `attributes` and of their values that the model places items by."""
    known: dict[str, list[str]] = {}
    for attribute, value in ((a, value) for a, values in attributes.items() for value in values):
        try:
            model.attribute_vectors.rows(attribute, [value])
        except UnknownAttributeError:
            continue
        known.setdefault(attribute, []).append(value)
    return known


def row_of_added(model: ModelFile, item: Added, row_of: Callable[[str], NDArray[np.int8] | None]) -> NDArray[np.int8]:
    """The row of an item that was added, maybe to another model: int8 [columns].

    Args:
        row_of: the row of an item by its id, for those that this one may have been placed by.

    Raises:
        MignonError: nothing that it was placed by is known to this model.
    """
    if item.model == model.digest and len(item.vector) == model.manifest.columns:
        return np.array(item.vector, np.int8)
    if item.neighbors:
        rows = [row for neighbor in item.neighbors if (row := row_of(neighbor)) is not None]
        if not rows:
            raise InvalidArgumentError(f"the model has none of the items it was placed by, {', '.join(item.neighbors)}")
        return row_towards(np.sum(rows, axis=0, dtype=np.int64), model)
    known = known_attributes(model, item.attributes)
    if not known:
        raise InvalidArgumentError("the model knows none of the attributes it was placed by")
    return row_towards(place(model, known), model)
