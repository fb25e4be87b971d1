"""Where a family stands among the items: the vector that is asked with where a kind of items is a favorite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import InvalidArgumentError, UnknownAttributeError
from device_runtime.items.families import Family
from device_runtime.items.items import Items
from device_runtime.ranking.placement import attribute_vectors_of


def family_row(items: Items, family: Family) -> NDArray[np.int8]:
    """The row of a family: int8 [columns].

    In a model of attributes it points where the vector of the value in the file does, or, for a value that the model
    was not trained with, where the sum of its items' rows does; in a model of what people like it is the mean of their
    rows.
    All is worked out from whole numbers, so that every engine and processor gives the same answers.

    Raises:
        InvalidArgumentError: the family has no items, or they cancel one another out.
    """
    if items.objective.best_is_alike:
        try:
            vectors = attribute_vectors_of(items.model)
            (place,) = vectors.rows(family.attribute, [family.value])
            return items.objective.row_towards(vectors.entries[place].astype(np.int64))
        except UnknownAttributeError:
            pass
    rows = items.families.rows(family)
    if not len(rows):
        raise InvalidArgumentError(f"no item is left with {family.id}; name another favorite")
    return items.objective.middle(items.vectors(rows))
