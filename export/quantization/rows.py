"""Float unit rows to integer rows of nearly equal norm under one scale, so that a dot product is a cosine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.errors import ExportError
from export.table import LARGEST_ENTRIES, QuantizedTable, normalize_rows

RADIAL_WEIGHT = 16.0
_CLIPS = (1.0, 0.8, 0.7, 0.6, 0.5)  # shares of the greatest entry at which entries are cut off
_ROWS_TO_CHOOSE_BY = 20_000
_ROWS_AT_ONCE = 1 << 15
_MOST_STEPS = 64  # of the descent; rows of real tables are at rest after a few
_LEAST_GAIN = 1e-4  # below it a step is float32's rounding


def quantize(table: NDArray[np.float32], bits: int = 8) -> QuantizedTable:
    """Rounds unit rows float32 [items, dims] to integers.

    Each row is the integer point q near its target t = radius * u that minimizes

        |q - t|^2 + (RADIAL_WEIGHT - 1) * ((q - t) . u)^2

    by descent over single steps from the rounded target. An error along the row moves the row among the neighbors of
    every query near it, an error across it hardly does; so the first is weighed more. A larger radius makes steps finer
    and cuts off more of the greatest entries; of a few, the one with the least error for its square is taken.

    Raises:
        ExportError: a row is zero or not finite, and so has no direction; or rows of odd length at 4 bits.
    """
    check_packing(table.shape[1], bits)
    units = normalize_rows(table)
    limit = LARGEST_ENTRIES[bits]
    greatest = float(np.abs(units).max())
    some = units[:: max(1, len(units) // _ROWS_TO_CHOOSE_BY)]
    radius = min((np.float32(limit / (clip * greatest)) for clip in _CLIPS), key=lambda r: _error(some, r, limit))
    rows = np.empty(table.shape, np.int8)
    for start in range(0, len(table), _ROWS_AT_ONCE):
        rows[start : start + _ROWS_AT_ONCE] = _round(units[start : start + _ROWS_AT_ONCE], radius, limit)
    return QuantizedTable.from_rows(rows, bits)


def check_packing(dims: int, bits: int) -> None:
    """Refuses rows that would not end with a byte.

    Raises:
        ExportError: `dims` is odd at 4 bits.
    """
    if dims * bits % 8:
        raise ExportError(f"rows of {dims} numbers do not pack two to a byte; 4 bits need even dims")


def _error(units: NDArray[np.float32], radius: np.float32, limit: int) -> float:
    error = _round(units, radius, limit) - units * radius
    radial = (error * units).sum(axis=1)
    return float((np.square(error).sum(axis=1) + (RADIAL_WEIGHT - 1) * radial**2).mean() / radius**2)


def _round(units: NDArray[np.float32], radius: np.float32, limit: int) -> NDArray[np.int8]:
    target = units * radius
    rows = np.clip(np.rint(target), -limit, limit)
    active = np.arange(len(rows))
    for _ in range(_MOST_STEPS):
        step, place, gain = _best_step(rows[active], target[active], units[active], limit)
        improves = gain < -_LEAST_GAIN
        active = active[improves]
        if not len(active):
            break
        rows[active, place[improves]] += step[improves]
    return rows.astype(np.int8)


def _best_step(
    rows: NDArray[np.float32], target: NDArray[np.float32], units: NDArray[np.float32], limit: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """For each row the step of +1 or -1, its place, and how much it changes the error (negative: for the better)."""
    error = rows - target
    radial = (error * units).sum(axis=1, keepdims=True)
    slope = 2 * (error + (RADIAL_WEIGHT - 1) * radial * units)
    curvature = 1 + (RADIAL_WEIGHT - 1) * units * units
    step = np.where(slope > 0, np.float32(-1), np.float32(1))
    change = np.where(np.abs(rows + step) <= limit, curvature - np.abs(slope), np.float32(np.inf))
    place = change.argmin(axis=1)
    every = np.arange(len(rows))
    return step[every, place], place, change[every, place]
