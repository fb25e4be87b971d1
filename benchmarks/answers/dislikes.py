"""What is answered after one result was disliked: the runtime's rule beside others.

For every item the first result is disliked, as by the button beside it, and the ten answers then are looked at: how
many are still among the 50 nearest of the favorite, and how alike they are to what is disliked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.answers.neighbors import Neighborhood
from benchmarks.output import format_table
from device_runtime import Recommender

ANSWERS = 10
MOST_FAVORITES = 5
_OF_SEVERAL = 1000  # baskets
RUNTIME, LEFT_OUT = "mignon", "leaving it out"
_ROCCHIO = (0.2, 0.33, 0.5)


class Case(NamedTuple):
    """Rows of favorites and the row that is disliked."""

    favorites: tuple[int, ...]
    disliked: int


@dataclass(frozen=True)
class Outcome:
    """Of all answers of one rule.

    Attributes:
        kept: the share of answers among the 50 nearest of any favorite.
        to_disliked, to_favorites: the mean cosine to what is disliked, and to the favorite that is nearest.
    """

    rule: str
    favorites: int
    cases: int
    kept: float
    to_disliked: float
    to_favorites: float


Rule = Callable[[Case], NDArray[np.int64]]


def measure(recommender: Recommender, near: Neighborhood, *, progress: bool = True) -> list[Outcome]:
    """All rules for single favorites, every item once; then the runtime's for two to five, of one taste and several."""
    rules = _rules(recommender, near)
    single = [Case((row,), int(near.near[row, 0])) for row in range(len(near.ids))]
    results = [_measure(name, rule, near, single, progress=progress) for name, rule in rules.items()]
    for count in range(2, MOST_FAVORITES + 1):
        for taste in ("one taste", "several tastes"):
            cases = list(_cases(recommender, near, count, one_taste=taste == "one taste"))
            results += [
                _measure(f"{name}, {taste}", rules[name], near, cases, progress=progress)
                for name in (LEFT_OUT, RUNTIME)
            ]
    return results


def format_outcomes(outcomes: Sequence[Outcome]) -> str:
    """A line a rule."""
    headers = ["", "favorites", "cases", "kept, %", "cosine to the disliked", "to the favorite"]
    rows = [
        [o.rule, o.favorites, f"{o.cases:,}", f"{100 * o.kept:.1f}", f"{o.to_disliked:.3f}", f"{o.to_favorites:.3f}"]
        for o in outcomes
    ]
    return format_table(headers, rows)


def _rules(recommender: Recommender, near: Neighborhood) -> dict[str, Rule]:
    ids, place = near.ids, {id_: row for row, id_ in enumerate(near.ids)}

    def by_runtime(case: Case) -> NDArray[np.int64]:
        found = recommender.recommend([ids[row] for row in case.favorites], ANSWERS, dislikes=[ids[case.disliked]])
        return np.array([place[neighbor.id] for neighbor in found])

    def leaving_out(case: Case) -> NDArray[np.int64]:
        found = recommender.recommend([ids[row] for row in case.favorites], ANSWERS, exclude=[ids[case.disliked]])
        return np.array([place[neighbor.id] for neighbor in found])

    def least_alike(case: Case) -> NDArray[np.int64]:
        rows = np.setdiff1d(near.near[case.favorites[0]], [case.disliked])
        return rows[np.argsort(near.unit[rows] @ near.unit[case.disliked], kind="stable")[:ANSWERS]]

    def rocchio(gain: float) -> Rule:
        return lambda case: _best(case, _to_favorite(near, case) - gain * (near.unit @ near.unit[case.disliked]))

    def bounded(case: Case) -> NDArray[np.int64]:
        to_disliked = near.unit @ near.unit[case.disliked]
        return _best(case, np.where(to_disliked < 0.8, _to_favorite(near, case), -2.0 + _to_favorite(near, case)))

    def nearer(case: Case) -> NDArray[np.int64]:
        to_favorite, to_disliked = _to_favorite(near, case), near.unit @ near.unit[case.disliked]
        return _best(case, to_favorite - 3 * np.maximum(0, to_disliked - 0.95 * to_favorite))

    return {
        LEFT_OUT: leaving_out,
        "favorite minus disliked": rocchio(1.0),
        **{f"Rocchio, {gain:g} of the disliked": rocchio(gain) for gain in _ROCCHIO},
        "nothing of a cosine of 0.8 to it": bounded,
        "less what exceeds a share of the favorite": nearer,
        RUNTIME: by_runtime,
        "the ten least alike of the 50": least_alike,
    }


def _to_favorite(near: Neighborhood, case: Case) -> NDArray[np.float32]:
    likeness: NDArray[np.float32] = near.unit @ near.unit[case.favorites[0]]
    return likeness


def _best(case: Case, scores: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    scores = scores.copy()
    scores[[*case.favorites, case.disliked]] = -np.inf
    best = np.argpartition(-scores, ANSWERS)[:ANSWERS]
    return best.astype(np.int64)


def _measure(name: str, rule: Rule, near: Neighborhood, cases: Sequence[Case], *, progress: bool) -> Outcome:
    measured = [_look_at(near, case, rule(case)) for case in tqdm(cases, desc=name, leave=False, disable=not progress)]
    kept, to_disliked, to_favorites = np.mean(measured, axis=0).tolist()
    return Outcome(name, len(cases[0].favorites), len(cases), kept, to_disliked, to_favorites)


def _look_at(near: Neighborhood, case: Case, answers: NDArray[np.int64]) -> tuple[float, float, float]:
    favorites = np.array(case.favorites)
    kept = np.isin(answers, near.near[favorites]).mean()
    to_disliked = near.cosines(np.array([case.disliked]), answers).mean()
    return float(kept), float(to_disliked), float(near.cosines(favorites, answers).max(axis=0).mean())


def _cases(recommender: Recommender, near: Neighborhood, count: int, *, one_taste: bool) -> Iterator[Case]:
    place = {id_: row for row, id_ in enumerate(near.ids)}
    for favorites in draw_baskets(near, count, _OF_SEVERAL, nearest=20 if one_taste else None):
        first = recommender.recommend([near.ids[row] for row in favorites], 1)[0]
        yield Case(favorites, place[first.id])


def draw_baskets(
    near: Neighborhood, count: int, baskets: int, *, nearest: int | None, seed: int = 0
) -> Iterable[tuple[int, ...]]:
    """Rows of favorites: of one taste, an item and some of its `nearest`, or for None any."""
    rng = np.random.default_rng([seed, count])
    for _ in range(baskets):
        if nearest is None:
            rows = rng.choice(len(near.ids), count, replace=False)
        else:
            row = int(rng.integers(len(near.ids)))
            rows = np.array([row, *rng.choice(near.near[row, :nearest], count - 1, replace=False)])
        yield tuple(rows.tolist())
