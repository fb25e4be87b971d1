"""The tuples that travel out of the runtime."""

from __future__ import annotations

from typing import NamedTuple


class Match(NamedTuple):
    """An item whose name resembles what was typed; `score` runs from 0 to 1, where 1 is the same name."""

    id: str
    name: str
    score: float


class Neighbor(NamedTuple):
    """An item near a query; `score` is the cosine, from -1 to 1."""

    id: str
    name: str
    score: float
