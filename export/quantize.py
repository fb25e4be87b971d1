"""Float unit rows to int8 rows of nearly equal norm under one scale, so that a dot product is a cosine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.errors import ExportError

LARGEST_ENTRY = 127
RADIAL_WEIGHT = 16.0
_ROWS_AT_ONCE = 1 << 15
_MOST_STEPS = 64


@dataclass(frozen=True)
class QuantizedTable:
    """An int8 table.

    Attributes:
        rows: int8 [items, columns].
        scale: what one step is worth: 1 / the greatest norm of a row, so that no cosine exceeds 1.
    """

    rows: NDArray[np.int8]
    scale: float


def quantize(table: NDArray[np.float32]) -> QuantizedTable:
    """Rounds unit rows float32 [items, dims] to int8.

    Each row is the integer point q near its target t = radius * u that minimizes

        |q - t|^2 + (RADIAL_WEIGHT - 1) * ((q - t) . u)^2

    by descent over single steps from the rounded target. An error along the row moves the row among the neighbors of
    every query near it, an error across it hardly does; so the first is weighed more.

    Raises:
        ExportError: a row is zero or not finite, and so has no direction.
    """
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    bad = np.flatnonzero(~(norms[:, 0] > 0) | ~np.isfinite(norms[:, 0]))
    if len(bad):
        raise ExportError(f"row {bad[0]} of the table has norm {norms[bad[0], 0]}; train again")
    units = (table / norms).astype(np.float32)
    radius = np.float32(LARGEST_ENTRY / np.abs(units).max())
    rows = np.empty(table.shape, np.int8)
    for start in range(0, len(table), _ROWS_AT_ONCE):
        rows[start : start + _ROWS_AT_ONCE] = _round(units[start : start + _ROWS_AT_ONCE], radius)
    longest = np.sqrt(np.square(rows.astype(np.int64)).sum(axis=1).max())
    return QuantizedTable(rows, float(1 / longest))


def _round(units: NDArray[np.float32], radius: np.float32) -> NDArray[np.int8]:
    target = units * radius
    rows = np.rint(target)
    active = np.arange(len(rows))
    for _ in range(_MOST_STEPS):
        step, place, gain = _best_step(rows[active], target[active], units[active])
        improves = gain < -1e-4
        active = active[improves]
        if not len(active):
            break
        rows[active, place[improves]] += step[improves]
    return rows.astype(np.int8)


def _best_step(
    rows: NDArray[np.float32], target: NDArray[np.float32], units: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """For each row the step of +1 or -1, its place, and how much it changes the error (negative: for the better)."""
    error = rows - target
    radial = (error * units).sum(axis=1, keepdims=True)
    slope = 2 * (error + (RADIAL_WEIGHT - 1) * radial * units)
    curvature = 1 + (RADIAL_WEIGHT - 1) * units * units
    step = np.where(slope > 0, np.float32(-1), np.float32(1))
    change = np.where(np.abs(rows + step) <= LARGEST_ENTRY, curvature - np.abs(slope), np.float32(np.inf))
    place = change.argmin(axis=1)
    every = np.arange(len(rows))
    return step[every, place], place, change[every, place]
