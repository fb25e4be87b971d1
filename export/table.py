"""The table of integers that a file holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.layout import LARGEST_ENTRY
from device_runtime.format.manifest import InteractionRule
from export.errors import ExportError

LARGEST_ENTRIES = {8: LARGEST_ENTRY, 4: 7}  # of a symmetric range, by the bits of an entry


@dataclass(frozen=True)
class QuantizedTable:
    """A table of integers.

    Attributes:
        rows: int8 [items, columns]; at 4 bits from -7 to 7.
        scale: what one step is worth: 1 / the greatest norm of a row, so that no cosine exceeds 1.
        bits: of an entry as it will be stored, 8 or 4.
        rule: of a model of what people like, how favorites become a query; its last column is then the bias, and
            its rows have any length. Rows of other models have nearly the same length.
    """

    rows: NDArray[np.int8]
    scale: float
    bits: int
    rule: InteractionRule | None = None

    @classmethod
    def from_rows(cls, rows: NDArray[np.int8], bits: int) -> QuantizedTable:
        """The table of `rows` with the scale that brings the longest of them to length 1."""
        longest = np.sqrt(np.square(rows.astype(np.int64)).sum(axis=1).max())
        return cls(rows, float(1 / longest), bits)

    @property
    def dims(self) -> int:
        """Numbers in the vector of an item: the columns without the bias."""
        return int(self.rows.shape[1]) - (self.rule is not None)

    @property
    def objective(self) -> str:
        """What the model was trained on: `attributes` or `interactions`."""
        return "attributes" if self.rule is None else "interactions"

    @property
    def packed(self) -> NDArray[np.int8]:
        """As it is stored: at 4 bits two entries to a byte, the first in its low half; int8 [items, bytes a row]."""
        if self.bits == 8:
            return self.rows
        low, high = self.rows[:, ::2].view(np.uint8) & 15, self.rows[:, 1::2].view(np.uint8) & 15
        return (low | high << 4).view(np.int8)


def normalize_rows(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows brought to length 1.

    Raises:
        ExportError: a row is zero or not finite, and so has no direction.
    """
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    bad = np.flatnonzero(~(norms[:, 0] > 0) | ~np.isfinite(norms[:, 0]))
    if len(bad):
        raise ExportError(f"row {bad[0]} of the table has norm {norms[bad[0], 0]}; train again")
    return (table / norms).astype(np.float32)
