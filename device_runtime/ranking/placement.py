"""Where an item belongs that the model was not trained with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import several
from device_runtime.errors import FileFormatError, InvalidArgumentError, UnknownAttributeError
from device_runtime.format.layout import VOCABULARY, VOCABULARY_VECTORS
from device_runtime.format.model_file import ModelFile
from device_runtime.items.names import same_but_for_case, some_of


class AttributeVectors:
    """The vectors of attribute values, whose weighted sum points to an item; only their direction together counts.

    Args:
        names: (attribute, value) of each row.
        entries: int8 [values, dims].
    """

    def __init__(self, names: Iterable[tuple[str, ...]], entries: NDArray[np.int8]) -> None:
        self.names = tuple(names)
        self.entries = entries
        self._row_of: dict[str, dict[str, int]] = {}
        for row, (attribute, value) in enumerate(self.names):
            self._row_of.setdefault(attribute, {})[value] = row

    def rows(self, attribute: str, values: Iterable[str]) -> list[int]:
        """The row of each of `values`, whatever the case of their names.

        Raises:
            UnknownAttributeError: the model was trained without the attribute or the value.
        """
        name = same_but_for_case(attribute, self._row_of)
        if name is None:
            known = ", ".join(self._row_of) or "none"
            raise UnknownAttributeError(f"the model knows no attribute {attribute!r} to place items by; it has {known}")
        known_values, rows = self._row_of[name], []
        for value in values:
            same = same_but_for_case(value, known_values)
            if same is None:
                near = some_of(known_values, value)
                raise UnknownAttributeError(f"the model knows no {value!r} as {name}; {near}")
            rows.append(known_values[same])
        return rows


_VECTORS_OF: WeakKeyDictionary[ModelFile, AttributeVectors] = WeakKeyDictionary()


def attribute_vectors_of(model: ModelFile) -> AttributeVectors:
    """What places a new item, read once from the file.

    Raises:
        FileFormatError: the file was made without them, or they do not fit together.
    """
    vectors = _VECTORS_OF.get(model)
    return _read_attribute_vectors(model) if vectors is None else vectors


def _read_attribute_vectors(model: ModelFile) -> AttributeVectors:
    names = tuple(tuple(line.split("\t")) for line in model.text(VOCABULARY).split("\n")[:-1])
    data = model.data(VOCABULARY_VECTORS)
    if len(data) != len(names) * model.manifest.dims or any(len(pair) != 2 for pair in names):
        raise FileFormatError(
            f"{model.filename}: {VOCABULARY_VECTORS!r} has {len(data)} bytes for the {len(names)} lines of "
            f"{VOCABULARY!r} and {model.manifest.dims} dims"
        )
    vectors = AttributeVectors(names, np.frombuffer(data, np.int8).reshape(len(names), -1))
    _VECTORS_OF[model] = vectors
    return vectors


def place(model: ModelFile, attributes: Mapping[str, str | Iterable[str]]) -> NDArray[np.float32]:
    """See `Recommender.place`."""
    vectors = attribute_vectors_of(model)
    total = np.zeros(model.manifest.dims)
    for attribute, values in attributes.items():
        rows = vectors.rows(attribute, several(values))
        shares = 1 / np.sqrt(np.arange(1, len(rows) + 1))
        total += shares @ vectors.entries[rows] / max(1.0, shares.sum())
    length = np.sqrt(total @ total)
    if length == 0:
        raise InvalidArgumentError("these attributes say nothing of where the item belongs; give more of them")
    return (total / length).astype(np.float32)


def known_attributes(model: ModelFile, attributes: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Those of `attributes` and of their values that the model places items by."""
    known: dict[str, list[str]] = {}
    for attribute, value in ((a, value) for a, values in attributes.items() for value in values):
        try:
            attribute_vectors_of(model).rows(attribute, [value])
        except UnknownAttributeError:
            continue
        known.setdefault(attribute, []).append(value)
    return known
