"""What several models compute alike from the same training matrix: computed once, charged to each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from scipy.sparse import csr_matrix

Value = TypeVar("Value")


class Seconds(NamedTuple):
    """Wall time, and processor time of all threads."""

    wall: float
    cpu: float


class Clock:
    """Measures what work takes, that which was already done for another model as if it were done again."""

    _saved_wall = _saved_cpu = 0.0

    def __init__(self) -> None:
        self._start = self._now()

    def spent(self) -> Seconds:
        """Since this clock was made."""
        now = self._now()
        return Seconds(now.wall - self._start.wall, now.cpu - self._start.cpu)

    @classmethod
    def charge(cls, seconds: Seconds) -> None:
        """Adds to all clocks that run."""
        cls._saved_wall += seconds.wall
        cls._saved_cpu += seconds.cpu

    @classmethod
    def _now(cls) -> Seconds:
        return Seconds(time.perf_counter() + cls._saved_wall, time.process_time() + cls._saved_cpu)


class Shared(Generic[Value]):
    """A function of a training matrix and numbers, whose last value is kept; who asks again is charged its time.

    The matrix is known by identity and must not change. One value is kept, as it may be large.
    """

    def __init__(self, compute: Callable[..., Value]) -> None:
        self._compute = compute
        self._kept: tuple[csr_matrix, tuple[float, ...], Value, Seconds] | None = None

    def __call__(self, train: csr_matrix, *numbers: float) -> Value:
        """The value, computed or kept."""
        if self._kept is not None and self._kept[0] is train and self._kept[1] == numbers:
            Clock.charge(self._kept[3])
            return self._kept[2]
        self._kept = None
        clock = Clock()
        value = self._compute(train, *numbers)
        self._kept = (train, numbers, value, clock.spent())
        return value
