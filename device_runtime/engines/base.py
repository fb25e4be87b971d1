"""What an engine does."""

from __future__ import annotations

from typing import Protocol

from device_runtime.scoring.integers import Query, Ranking, Rows


class Engine(Protocol):
    """Ranks all rows. `k` is between 1 and the number of rows; rows come best first, ties by the lower row."""

    name: str

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """The k other rows nearest to the sum of `rows`, and their cosines; fewer where there are fewer others."""

    def search(self, query: Query, k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""

    def search_each(self, queries: list[Query], banned: Rows, k: int) -> list[Ranking]:
        """For each of some queries what `search` gives but for the rows that are banned; exact in all engines."""
