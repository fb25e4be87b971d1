"""Whether each favorite gets its own: baskets of one taste and of several, blended in both ways, and their times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.answers.dislikes import ANSWERS, draw_baskets
from benchmarks.answers.neighbors import Neighborhood
from benchmarks.output import format_table
from device_runtime import Recommender
from device_runtime.arguments import Blend

_BASKETS = 1000
_TURNS = 60
_TIMED = 25  # baskets a turn
_KINDS: dict[str, tuple[int, int | None]] = {
    "2 of any kind": (2, None),
    "5 of any kind": (5, None),
    "8 of any kind": (8, None),
    "4 of one taste, the 20 nearest": (4, 20),
    "5 of one taste, the 50 nearest": (5, 50),
    "8 of one taste, the 50 nearest": (8, 50),
}


@dataclass(frozen=True)
class Outcome:
    """Of baskets of one kind, by one blend.

    Attributes:
        served: how many of the favorites have an answer among their 50 nearest.
        near: the share of answers among the 50 nearest of any favorite.
        likeness: the mean cosine of an answer to the favorite that is nearest.
        time_ratio: the median time by that of `together`, in the same turns.
    """

    baskets: str
    favorites: int
    blend: Blend
    served: float
    near: float
    likeness: float
    time_ratio: float


def measure(recommender: Recommender, near: Neighborhood) -> list[Outcome]:
    """All kinds of baskets by both blends."""
    results = []
    for kind, (count, nearest) in _KINDS.items():
        baskets = list(draw_baskets(near, count, _BASKETS, nearest=nearest))
        named = [[near.ids[row] for row in basket] for basket in baskets]
        ratio = _time_ratio(recommender, named)
        for blend in ("together", "each"):
            measured = [
                _look_at(recommender, near, basket, names, blend) for basket, names in zip(baskets, named, strict=True)
            ]
            served, share, likeness = np.mean(measured, axis=0).tolist()
            results.append(Outcome(kind, count, blend, served, share, likeness, ratio if blend == "each" else 1.0))
    return results


def format_outcomes(outcomes: Sequence[Outcome]) -> str:
    """A line a kind of baskets and blend."""
    headers = ["favorites", "blend", "served", "near, %", "cosine", "time"]
    rows = [
        [o.baskets, o.blend, f"{o.served:.2f}", f"{100 * o.near:.1f}", f"{o.likeness:.3f}", f"{o.time_ratio:.2f}"]
        for o in outcomes
    ]
    return format_table(headers, rows, left=2)


def _look_at(
    recommender: Recommender, near: Neighborhood, basket: tuple[int, ...], names: list[str], blend: Blend
) -> tuple[float, float, float]:
    found = {neighbor.id for neighbor in recommender.recommend(names, ANSWERS, blend=blend)}
    answers = np.array([recommender.row(id_) for id_ in found])
    favorites = np.array(basket)
    served = sum(np.isin(near.near[row], answers).any() for row in favorites)
    share = np.isin(answers, near.near[favorites]).mean()
    return float(served), float(share), float(near.cosines(favorites, answers).max(axis=0).mean())


def _time_ratio(recommender: Recommender, baskets: list[list[str]]) -> float:
    """The median over turns of the time of `each` by that of `together`, both in every turn."""
    ratios = []
    for turn in range(_TURNS):
        some = baskets[turn * _TIMED % len(baskets) :][:_TIMED]
        order: list[Blend] = ["together", "each"] if turn % 2 else ["each", "together"]
        taken = {}
        for blend in order:
            start = time.process_time_ns()
            for names in some:
                recommender.recommend(names, ANSWERS, blend=blend)
            taken[blend] = time.process_time_ns() - start
        ratios.append(taken["each"] / max(1, taken["together"]))
    return median(ratios)
