"""Confidence intervals over users by the percentile bootstrap (Efron, 1979), for one split or the mean of several.

Users are drawn once for all models and all splits: ratios compare models on the same users, and a user who is asked in
several splits is drawn in all of them. Models are taken as trained: the intervals say nothing of another training set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
SAMPLES = 1000
_CELLS_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class Estimate:
    """A measured value and the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resampled:
    """Means over users, of all of them and of those drawn.

    Attributes:
        means: float64 [measures].
        drawn: float64 [samples, measures].
    """

    means: NDArray[np.float64]
    drawn: NDArray[np.float64]


def draws(users: int, seed: int = 0, samples: int = SAMPLES) -> NDArray[np.uint8]:
    """How often each of `users` is drawn, of as many draws with replacement: uint8 [samples, users]."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((samples, users), np.uint8)
    for row in drawn:
        row[:] = np.bincount(rng.integers(users, size=users), minlength=users)
    return drawn


def resample(values: NDArray[np.float64], drawn: NDArray[np.uint8]) -> Resampled:
    """The means of `values` [cases, measures] over all cases, and over them as often as drawn [samples, cases].

    NaN counts neither in the sum nor in the number; a mean of NaN alone is NaN.
    """
    present = ~np.isnan(values)
    parts = np.hstack([np.where(present, values, 0.0), present])
    step = max(1, _CELLS_AT_ONCE // len(values))
    blocks = [drawn[start : start + step].astype(np.float64) @ parts for start in range(0, len(drawn), step)]
    return Resampled(_ratio(parts.sum(axis=0)), _ratio(np.concatenate(blocks)))


def mean(splits: Sequence[Resampled]) -> list[Estimate | None]:
    """The mean over splits of each measure; None where a measure says nothing of any split."""
    return _estimates([split.means for split in splits], [split.drawn for split in splits])


def ratio(splits: Sequence[Resampled], references: Sequence[Resampled]) -> list[Estimate | None]:
    """The mean over splits of each measure's ratio to a reference, of the same draws."""
    pairs = list(zip(splits, references, strict=True))
    return _estimates([_divide(a.means, b.means) for a, b in pairs], [_divide(a.drawn, b.drawn) for a, b in pairs])


def _estimates(means: Sequence[NDArray[np.float64]], drawn: Sequence[NDArray[np.float64]]) -> list[Estimate | None]:
    values, samples = np.mean(means, axis=0), np.mean(drawn, axis=0)
    tails = [100 * (1 - CONFIDENCE) / 2, 100 * (1 + CONFIDENCE) / 2]
    found: list[Estimate | None] = []
    for value, column in zip(values, samples.T, strict=True):
        counted = column[np.isfinite(column)]
        known = np.isfinite(value) and len(counted)
        found.append(Estimate(float(value), *map(float, np.percentile(counted, tails))) if known else None)
    return found


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    total, count = np.split(sums, 2, axis=-1)
    return _divide(total, count)


def _divide(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.full_like(a, np.nan), where=b != 0)
