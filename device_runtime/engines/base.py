"""What an engine does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from device_runtime.results import Neighbor
from device_runtime.scoring.integers import Query, Ranking, Rows, Scores


class Engine(Protocol):
    """Ranks all rows. `k` is between 1 and the number of rows; rows come best first, ties by the lower row."""

    name: str

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """The k other rows nearest to the sum of `rows`, and their cosines; fewer where there are fewer others."""

    def search(self, query: Query, k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""

    def search_each(
        self, queries: NDArray[np.int64], banned: Sequence[Rows], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[tuple[Rows, Scores]]:
        """For each of `queries` [n, columns] the k rows nearest to it, and their integer scores. Exact in all engines.

        Args:
            banned: for each the rows that must not come back.
            allowed: bool [rows], which rows may come back at all; None for all.
        """

    def open_short_cut(
        self, ids: Sequence[str], names: Sequence[str], row_of_id: Callable[[], Mapping[str, int]]
    ) -> ShortCut | None:
        """What does the whole job in one step over these texts of all rows, if this engine has that."""


class ShortCut(Protocol):
    """The whole job for plain favorites. None stands for an answer to what is not plain: unknown ids, a zero query."""

    def recommend(
        self, favorites: list[str], k: int, alike: float, allowed: NDArray[np.uint8] | None
    ) -> list[Neighbor] | None:
        """The k items nearest to favorites, of which those with a cosine of `alike` or more are one taste.

        Args:
            allowed: a bit for each row, the lowest of a byte first; None for all.
        """

    def recommend_many(
        self, baskets: list[Any], k: int, alike: float, allowed: NDArray[np.uint8] | None
    ) -> list[list[Neighbor] | None]:
        """The same for each of `baskets`."""
