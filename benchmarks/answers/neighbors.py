"""The table of a model of attributes as unit vectors, and which items are near which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_runtime import InvalidArgumentError, Recommender
from device_runtime.format.layout import IDS

NEAR = 50
_AT_ONCE = 1024


@dataclass(frozen=True)
class Neighborhood:
    """What is near what, worked out in float beside the runtime.

    Attributes:
        ids: of each row.
        unit: float32 [items, dims], unit rows.
        near: int64 [items, 50], the nearest others of each row, nearest first.
    """

    ids: list[str]
    unit: NDArray[np.float32]
    near: NDArray[np.int64]

    def cosines(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of each of `rows` to each of `others`: float32 [rows, others]."""
        cosines: NDArray[np.float32] = self.unit[rows] @ self.unit[others].T
        return cosines


def find_neighborhood(recommender: Recommender) -> Neighborhood:
    """Of a model of attributes.

    Raises:
        InvalidArgumentError: it has 50 items or fewer, or tells what people like.
    """
    if len(recommender) <= NEAR or recommender.manifest.preference:
        raise InvalidArgumentError(
            f"{recommender.file.filename}: answers are measured on a model of attributes of more than {NEAR} items"
        )
    table = recommender.file.table.astype(np.float32)
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    near = np.concatenate([_nearest(unit, start) for start in range(0, len(unit), _AT_ONCE)])
    return Neighborhood(list(recommender.file.lines(IDS)), unit, near)


def _nearest(unit: NDArray[np.float32], start: int) -> NDArray[np.int64]:
    cosines = unit[start : start + _AT_ONCE] @ unit.T
    cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -np.inf
    return np.argsort(-cosines, axis=1, kind="stable")[:, :NEAR].astype(np.int64)
