"""Confidence intervals over users by the percentile bootstrap (Efron, 1979), for one split or the mean of several.

Means drawn with the same seed for the same number of users are of the same users: dividing those of one recommender by
those of another compares them in pairs. Splits are drawn from apart, as if they shared no users, and models are taken
as trained: the intervals say nothing of another seed or another training set.
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
    """Means over users, of all of them and of users drawn with replacement.

    Attributes:
        means: float64 [measures].
        drawn: float64 [samples, measures].
    """

    means: NDArray[np.float64]
    drawn: NDArray[np.float64]


def resample(values: NDArray[np.float64], seed: int | Sequence[int], samples: int = SAMPLES) -> Resampled:
    """The means of `values` [users, measures] over all users, and over as many drawn again and again.

    NaN counts neither in the sum nor in the number; a mean of NaN alone is NaN.
    """
    rng = np.random.default_rng(seed)
    users = len(values)
    present = ~np.isnan(values)
    parts = np.hstack([np.where(present, values, 0.0), present])
    sums = [_draw(users, count, rng) @ parts for count in _portions(samples, users)]
    return Resampled(_ratio(parts.sum(axis=0)), _ratio(np.concatenate(sums)))


def mean(splits: Sequence[Resampled]) -> list[Estimate | None]:
    """The mean over splits of each measure; None where a measure says nothing of any split."""
    return _estimates([split.means for split in splits], [split.drawn for split in splits])


def ratio(splits: Sequence[Resampled], references: Sequence[Resampled]) -> list[Estimate | None]:
    """The mean over splits of each measure's ratio to a reference, resampled in pairs."""
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


def _draw(users: int, samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each user is drawn: float64 [samples, users]."""
    drawn = rng.integers(users, size=(samples, users)) + users * np.arange(samples)[:, None]
    return np.bincount(drawn.ravel(), minlength=samples * users).reshape(samples, users).astype(np.float64)


def _portions(samples: int, users: int) -> list[int]:
    most = max(1, _CELLS_AT_ONCE // users)
    return [min(most, samples - start) for start in range(0, samples, most)]


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    total, count = np.split(sums, 2, axis=-1)
    return _divide(total, count)


def _divide(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.full_like(a, np.nan), where=b != 0)
