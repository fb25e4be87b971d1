"""How well items that nobody had in training are placed by their attributes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from tqdm import tqdm

from benchmarks.output import format_table
from benchmarks.recommenders.baselines import Popularity
from benchmarks.recommenders.compare import Only, keep_columns
from benchmarks.recommenders.own_model import Mignon
from training.evaluation.ranking import Scorer, Scores, evaluate
from training.evaluation.splits import Split, hold_out_users

NEW_SHARE = 0.1


@dataclass(frozen=True)
class Placed:
    """How well a model finds the new items of held-out users, given their other items; means over splits.

    Attributes:
        among_all: recall@k in lists of all items that a user lacks.
        among_new: recall@k in lists of new items only.
        position: of a wanted new item among all items that the user lacks: 1 for the first, 0 for the last, 0.5 by
            chance.
    """

    model: str
    among_all: float
    among_new: float
    position: float


@dataclass(frozen=True)
class _Chance:
    """Scores drawn anew for every user."""

    rng: np.random.Generator

    def scores(self, given: csr_matrix) -> Scores:
        """See `Scorer.scores`."""
        return self.rng.random(given.shape)


def measure(matrix: csr_matrix, models: Sequence[Mignon], splits: int, k: int = 10) -> list[Placed]:
    """Holds a tenth of the items out of training, on each split into training and held-out users.

    A new item has no more than its attributes. Compared with chance and with popularity, to which all new items are
    alike.
    """
    found: dict[str, list[tuple[float, float, float]]] = {}
    names = ["chance", Popularity().name, *(model.name for model in models)]
    with tqdm(total=splits * len(names), desc="new items", unit="model") as progress:
        for seed in range(splits):
            split, new = hold_out(hold_out_users(matrix, seed), seed)
            for name, model in zip(names, [None, None, *models], strict=True):
                scorer = _scorer(name, model, split, new, seed)
                found.setdefault(name, []).append(_measures(scorer, split, new, k))
                progress.update()
    return [Placed(name, *map(fmean, zip(*parts, strict=True))) for name, parts in found.items()]


def hold_out(split: Split, seed: int) -> tuple[Split, NDArray[np.int64]]:
    """The split with a tenth of the items, drawn at random, wanted from all held-out users and known to none.

    Gives the columns of these items too, ascending. Users without any of them are left out.
    """
    items = split.train.shape[1]
    chosen = np.random.default_rng([seed, items]).permutation(items)[: max(1, round(items * NEW_SHARE))]
    is_new = np.isin(np.arange(items), chosen)
    had = (split.given + split.wanted).tocsr()
    train, given, wanted = keep_columns(split.train, ~is_new), keep_columns(had, ~is_new), keep_columns(had, is_new)
    asked = (np.diff(wanted.indptr) > 0) & (np.diff(given.indptr) > 0)
    trained = train[np.diff(train.indptr) > 0]
    users = split.users[asked]
    return replace(split, train=trained, given=given[asked], wanted=wanted[asked], users=users), np.flatnonzero(is_new)


def format_placed(placed: Sequence[Placed], k: int = 10) -> str:
    """One row a model."""
    rows = [[p.model, f"{p.among_all:.4f}", f"{p.among_new:.4f}", f"{p.position:.3f}"] for p in placed]
    headers = ["new items", f"recall@{k} among all", f"recall@{k} among new", "position"]
    return format_table(headers, rows)


def _scorer(name: str, model: Mignon | None, split: Split, new: NDArray[np.int64], seed: int) -> Scorer:
    if model is not None:
        return model.fit_known(split.train, seed, np.setdiff1d(np.arange(split.train.shape[1]), new))
    if name == "chance":
        return _Chance(np.random.default_rng(seed))
    return Popularity().fit(split.train, seed)


def _measures(scorer: Scorer, split: Split, new: NDArray[np.int64], k: int) -> tuple[float, float, float]:
    among_all = evaluate(scorer, split, k).users.recall.mean()
    among_new = evaluate(Only(scorer, new), split, k).users.recall.mean()
    return float(among_all), float(among_new), measure_position(scorer, split)


def measure_position(scorer: Scorer, split: Split) -> float:
    """The share of the items that a user neither has nor wants ranked below a wanted one, equal ones by half."""
    shares = []
    for start in range(0, split.given.shape[0], 512):
        given, wanted = split.given[start : start + 512], split.wanted[start : start + 512]
        scores = scorer.scores(given)
        for row, (had, sought) in enumerate(zip(given, wanted, strict=True)):
            others = np.delete(scores[row], np.concatenate([had.indices, sought.indices]))
            others.sort()
            found = scores[row, sought.indices]
            below = np.searchsorted(others, found) + np.searchsorted(others, found, side="right")
            shares.append(float(below.mean() / (2 * max(1, len(others)))))
    return fmean(shares)
