"""Recommenders on the same splits: how well they find what users want, and with how many bytes an item.

results = run([Popularity(), Ease(), ReducedEase(16)], make_splits(matrix, timestamps, "strong", 5))
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from tqdm import tqdm

from benchmarks.recommenders import SplitName
from benchmarks.recommenders.baselines import (
    AlternatingLeastSquares,
    Ease,
    Item2Vec,
    ItemNeighbors,
    Model,
    Popularity,
    ReducedEase,
)
from benchmarks.recommenders.file_scorer import FileScorer
from training.errors import SettingsError
from training.evaluation import bootstrap
from training.evaluation.bootstrap import Estimate, Resampled
from training.evaluation.ranking import MEASURES, THIRDS, Scorer, Scores, evaluate, thirds
from training.evaluation.splits import Split, Timestamps, hold_out_users, leave_one_out, split_by_time

SPLITS = get_args(SplitName)
REFERENCE = Ease().name
AMONG_RARE = "among_rare"
BASELINES: tuple[Model, ...] = (
    Popularity(),
    ItemNeighbors(),
    *(AlternatingLeastSquares(dims) for dims in (8, 16, 32, 64)),
    Item2Vec(),
    *(ReducedEase(rank) for rank in (4, 8, 16, 32, 64)),
    ReducedEase(32, bits=32),
    Ease(),
)


@dataclass(frozen=True)
class ModelResult:
    """One model, averaged over splits, with intervals over users.

    Attributes:
        bytes_per_item: of what its scores are computed from.
        train_seconds: wall time to train one split, the mean over splits; other work on the machine lengthens it.
        train_cpu_seconds: the same in processor time, of all threads.
        recall, ndcg, mrr, rare, middle, frequent: see `ranking.UserMeasures`; None where no user has any.
        among_rare: recall of the wanted items of the rare third in lists of these alone; lists of all hold few of them.
        coverage: the share of items in the list of any user.
        popularity_lift: popularity of what is recommended by that of what users had, less 1; 0 leans neither way.
        recall_ratio, ndcg_ratio: to the reference on the same users; None without one.
        recall_kept, ndcg_kept: ratio to the same model before it was rounded to 8 bits; None where there is none.
    """

    model: str
    bytes_per_item: float
    train_seconds: float
    train_cpu_seconds: float
    recall: Estimate | None
    ndcg: Estimate | None
    mrr: Estimate | None
    rare: Estimate | None
    middle: Estimate | None
    frequent: Estimate | None
    among_rare: Estimate | None
    coverage: float
    popularity_lift: Estimate | None
    recall_ratio: Estimate | None
    ndcg_ratio: Estimate | None
    recall_kept: Estimate | None = None
    ndcg_kept: Estimate | None = None


@dataclass(frozen=True)
class Only:
    """Offers no more than some columns, int64, of another scorer."""

    scorer: Scorer
    columns: NDArray[np.int64]

    def scores(self, given: csr_matrix) -> Scores:
        """See `Scorer.scores`."""
        found = self.scorer.scores(given)
        kept = np.full_like(found, -np.inf)
        kept[:, self.columns] = found[:, self.columns]
        return kept


def keep_columns(matrix: csr_matrix, columns: NDArray[np.bool_]) -> csr_matrix:
    """The same shape, with the entries of some columns only."""
    kept = (matrix @ diags(columns.astype(np.float32))).tocsr()
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept


class _Run(NamedTuple):
    """One model on one split."""

    bytes_per_item: float
    seconds: float
    cpu_seconds: float
    coverage: float
    measures: Resampled
    unrounded: Resampled | None


def choose_models(models: Sequence[Model], names: Sequence[str] | None) -> list[Model]:
    """The models called so, by name or by what stands before the comma of it, or all.

    Raises:
        SettingsError: no model is called so.
    """
    called = {model.name: {model.name, model.name.partition(",")[0]} for model in models}
    for name in names or ():
        if not any(name in names_of_one for names_of_one in called.values()):
            raise SettingsError(f"no model is called {name!r}; there are: {'; '.join(called)}")
    return [model for model in models if not names or called[model.name] & set(names)]


def make_splits(matrix: csr_matrix, timestamps: Timestamps | None, name: SplitName, count: int) -> list[Split]:
    """The splits called `name`: with seeds from 0 to `count` - 1, or the only one by time.

    Raises:
        SplitError: see the functions of `training.evaluation.splits`.
        SettingsError: no split is called `name`, or `count` is below 1.
    """
    if name not in SPLITS or count < 1:
        raise SettingsError(f"{count} splits {name!r}: give at least 1 of {', '.join(SPLITS)}")
    if name == "time":
        return [split_by_time(matrix, timestamps)]
    split = hold_out_users if name == "strong" else leave_one_out
    return [split(matrix, seed, timestamps=timestamps) for seed in range(count)]


def run(
    models: Sequence[Model], splits: Sequence[Split], k: int = 10, *, reference: str = REFERENCE
) -> list[ModelResult]:
    """Trains and measures every model on every split, seeded by the number of the split.

    Ratios are to the model called `reference`, where it is among `models`.

    Raises:
        SettingsError: two models are called alike.
        TrainingError: a model cannot be trained on a split, or gives scores that cannot be ranked.
    """
    if len({model.name for model in models}) < len(models):
        raise SettingsError(f"two models are called alike: {'; '.join(model.name for model in models)}")
    drawn = bootstrap.draws(1 + max(int(split.users.max()) for split in splits))
    runs: dict[str, list[_Run]] = {model.name: [] for model in models}
    with tqdm(total=len(models) * len(splits), desc="comparing", unit="model") as progress:
        for number, split in enumerate(splits):
            for model in models:
                progress.set_postfix_str(model.name)
                runs[model.name].append(_run(model, split, number, k, drawn))
                progress.update()
    compared = [part.measures for part in runs.get(reference, [])]
    return [_result(name, parts, compared) for name, parts in runs.items()]


def _run(model: Model, split: Split, seed: int, k: int, drawn: NDArray[np.uint8]) -> _Run:
    start, cpu_start = time.perf_counter(), time.process_time()
    scorer = model.fit(split.train, seed)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    outcome = evaluate(scorer, split, k)
    columns = np.column_stack([outcome.users.columns(), _among_rare(scorer, split, k)])
    measures = bootstrap.resample(columns, drawn[:, split.users])
    unrounded = None
    if isinstance(scorer, FileScorer) and scorer.unrounded is not None:
        users = evaluate(scorer.unrounded, split, k).users
        columns = np.column_stack([users.columns(), _among_rare(scorer.unrounded, split, k)])
        unrounded = bootstrap.resample(columns, drawn[:, split.users])
    return _Run(scorer.bytes_per_item, seconds, cpu_seconds, outcome.coverage, measures, unrounded)


def _among_rare(scorer: Scorer, split: Split, k: int) -> NDArray[np.float64]:
    """See `ModelResult.among_rare`: float64 [cases], NaN for users who want none of these items."""
    rare = thirds(np.bincount(split.train.indices, minlength=split.train.shape[1])) == 0
    wanted = keep_columns(split.wanted, rare)
    asked = np.flatnonzero(np.diff(wanted.indptr))
    found = np.full(len(split.users), np.nan)
    if len(asked):
        part = Split(split.train, split.given[asked], wanted[asked], split.users[asked])
        found[asked] = evaluate(Only(scorer, np.flatnonzero(rare)), part, k).users.recall
    return found


def _result(name: str, runs: Sequence[_Run], reference: Sequence[Resampled]) -> ModelResult:
    splits = [part.measures for part in runs]
    means = dict(zip((*MEASURES, AMONG_RARE), bootstrap.mean(splits), strict=True))
    ratios = _ratios(splits, reference)
    kept = _ratios(splits, [part.unrounded for part in runs if part.unrounded is not None])
    return ModelResult(
        model=name,
        bytes_per_item=fmean(part.bytes_per_item for part in runs),
        train_seconds=fmean(part.seconds for part in runs),
        train_cpu_seconds=fmean(part.cpu_seconds for part in runs),
        **{measure: means[measure] for measure in ("recall", "ndcg", "mrr", *THIRDS, AMONG_RARE)},
        coverage=fmean(part.coverage for part in runs),
        popularity_lift=_lift(splits),
        recall_ratio=ratios.get("recall"),
        ndcg_ratio=ratios.get("ndcg"),
        recall_kept=kept.get("recall"),
        ndcg_kept=kept.get("ndcg"),
    )


def _ratios(splits: Sequence[Resampled], others: Sequence[Resampled]) -> dict[str, Estimate | None]:
    return dict(zip((*MEASURES, AMONG_RARE), bootstrap.ratio(splits, others), strict=True)) if others else {}


def _lift(splits: Sequence[Resampled]) -> Estimate | None:
    [found] = bootstrap.ratio(
        [_only(split, "recommended_popularity") for split in splits],
        [_only(split, "consumed_popularity") for split in splits],
    )
    return found and Estimate(found.value - 1, found.low - 1, found.high - 1)


def _only(split: Resampled, measure: str) -> Resampled:
    column = [MEASURES.index(measure)]
    return Resampled(split.means[column], split.drawn[:, column])
