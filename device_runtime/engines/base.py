"""What an engine does."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from device_runtime.scoring.integers import Query, Ranking, Rows, Scores


class Engine(Protocol):
    """Ranks all rows. `k` is between 1 and the number of rows; rows come best first, ties by the lower row."""

    name: str

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """The k other rows nearest to the sum of `rows`, and their cosines; fewer where there are fewer others."""

    def search(self, query: Query, k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""

    def search_each(self, queries: NDArray[np.int64], banned: Rows, k: int) -> list[tuple[Rows, Scores]]:
        """For each of `queries` [n, columns] the k rows nearest to it that are not banned, and their integer scores.

        Exact in all engines.
        """
