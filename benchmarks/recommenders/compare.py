"""Recommenders on the same splits: how well they find what users want, and with how many bytes an item.

results = run([Popularity(), Ease(), ReducedEase(16)], splits_of(matrix, timestamps, "strong", 5))
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.recommenders.baselines import (
    AlternatingLeastSquares,
    Ease,
    Item2Vec,
    ItemNeighbors,
    Model,
    Popularity,
    ReducedEase,
)
from benchmarks.recommenders.charged_time import Clock
from device_runtime.format.layout import LARGEST_ENTRY
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import EXACT_IN_FLOAT32
from training.console.files import replacing
from training.errors import SettingsError
from training.evaluation import bootstrap
from training.evaluation.bootstrap import Estimate, Resampled
from training.evaluation.ranking import MEASURES, THIRDS, Scorer, Scores, evaluate, thirds
from training.evaluation.splits import Split, Timestamps, hold_out_users, leave_one_out, split_by_time

SplitName = Literal["strong", "leave-one-out", "time"]
SPLITS = get_args(SplitName)
REFERENCE = Ease().name
DRAWN_BYTES = (3.5, 300)
AMONG_RARE = "among_rare"
TICKS = (5, 9, 17, 33, 65, 129, 256)
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
class Result:
    """One model, averaged over splits, with intervals over users.

    Attributes:
        bytes_per_item: of what its scores are computed from.
        train_seconds: wall time to train one split, the mean over splits; other work on the machine lengthens it. What
            models share is computed once and counts for each of them (`benchmarks.recommenders.charged_time`).
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


class FileScorer:
    """Scores by the integers of an exported file, as every device computes them.

    Args:
        path: of the `.tflite` file.
        items: the id of each column; columns that the file does not hold are never recommended and add nothing.
        unrounded: the model that the file was made from.

    Attributes:
        bytes_per_item: of a row of the table.
    """

    def __init__(self, path: Path, items: Sequence[str], unrounded: Scorer | None = None) -> None:
        self.unrounded = unrounded
        file = ModelFile.open(path)
        row_of = {name: row for row, name in enumerate(file.lines("ids.txt"))}
        rows = np.array([row_of.get(item, -1) for item in items], np.int64)
        self._missing = rows < 0
        self._table = file.table[rows].astype(np.int32)
        self._table[self._missing] = 0
        self._preference = file.manifest.preference
        self.bytes_per_item = file.manifest.columns * file.manifest.bits / 8

    def scores(self, given: csr_matrix) -> Scores:
        """Integers, as float32 where it holds them exactly and float64 otherwise; -inf where the file has no row."""
        present = csr_matrix((np.ones(given.nnz, np.int32), given.indices, given.indptr), given.shape)
        queries = self._queries(present)
        exact = LARGEST_ENTRY * int(np.abs(queries).sum(axis=1).max(initial=0)) < EXACT_IN_FLOAT32
        dtype = np.float32 if exact else np.float64
        scores: Scores = queries.astype(dtype) @ self._table.T.astype(dtype)
        scores[:, self._missing] = -np.inf
        return scores

    def _queries(self, present: csr_matrix) -> NDArray[np.int32]:
        queries: NDArray[np.int32] = present @ self._table
        if self._preference is not None:
            counts = present @ (~self._missing).astype(np.int32)
            queries *= self._preference.signs(queries.shape[1]).astype(np.int32)
            queries[:, -1] = [self._preference.bias_entry(count) for count in counts.tolist()]
        return queries


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


def of_columns(matrix: csr_matrix, columns: NDArray[np.bool_]) -> csr_matrix:
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


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `compare` reads."""
    parser.add_argument("--split", choices=SPLITS, default=SPLITS[0], help="default: %(default)s")
    parser.add_argument("--splits", type=int, default=5, help="how many, but for `time` (default: %(default)s)")
    parser.add_argument("--models", nargs="+", help="such as EASE, ALS or 'ALS, 16 dims' (default: all)")
    parser.add_argument("-k", type=int, default=10, help="length of a list (default: %(default)s)")
    parser.add_argument("--weights", action="store_true", help="train on weights; without it, on who had what at all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), help="folder (default: %(default)s)")


def compare(
    matrix: csr_matrix,
    timestamps: Timestamps | None,
    arguments: argparse.Namespace,
    models: Sequence[Model] = BASELINES,
) -> None:
    """Runs what the options ask for on users x items, prints the tables or JSON, and writes JSON and a drawing."""
    chosen = chosen_models(models, arguments.models)
    if not arguments.weights:
        matrix = csr_matrix((np.ones_like(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
    results = run(chosen, splits_of(matrix, timestamps, arguments.split, arguments.splits), arguments.k)
    write(results, arguments.out, arguments.k)
    print(as_json(results) if arguments.json else table_of(results, arguments.k))


def chosen_models(models: Sequence[Model], names: Sequence[str] | None) -> list[Model]:
    """The models called so, by name or by what stands before the comma of it, or all.

    Raises:
        SettingsError: no model is called so.
    """
    called = {model.name: {model.name, model.name.partition(",")[0]} for model in models}
    for name in names or ():
        if not any(name in names_of_one for names_of_one in called.values()):
            raise SettingsError(f"no model is called {name!r}; there are: {'; '.join(called)}")
    return [model for model in models if not names or called[model.name] & set(names)]


def splits_of(matrix: csr_matrix, timestamps: Timestamps | None, name: SplitName, count: int) -> list[Split]:
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


def run(models: Sequence[Model], splits: Sequence[Split], k: int = 10, *, reference: str = REFERENCE) -> list[Result]:
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
    clock = Clock()
    scorer = model.fit(split.train, seed)
    spent = clock.spent()
    outcome = evaluate(scorer, split, k)
    columns = np.column_stack([outcome.users.columns(), _among_rare(scorer, split, k)])
    measures = bootstrap.resample(columns, drawn[:, split.users])
    unrounded = None
    if isinstance(scorer, FileScorer) and scorer.unrounded is not None:
        users = evaluate(scorer.unrounded, split, k).users
        columns = np.column_stack([users.columns(), _among_rare(scorer.unrounded, split, k)])
        unrounded = bootstrap.resample(columns, drawn[:, split.users])
    return _Run(scorer.bytes_per_item, spent.wall, spent.cpu, outcome.coverage, measures, unrounded)


def _among_rare(scorer: Scorer, split: Split, k: int) -> NDArray[np.float64]:
    """See `Result.among_rare`: float64 [cases], NaN for users who want none of these items."""
    rare = thirds(np.bincount(split.train.indices, minlength=split.train.shape[1])) == 0
    wanted = of_columns(split.wanted, rare)
    asked = np.flatnonzero(np.diff(wanted.indptr))
    found = np.full(len(split.users), np.nan)
    if len(asked):
        part = Split(split.train, split.given[asked], wanted[asked], split.users[asked])
        found[asked] = evaluate(Only(scorer, np.flatnonzero(rare)), part, k).users.recall
    return found


def _result(name: str, runs: Sequence[_Run], reference: Sequence[Resampled]) -> Result:
    splits = [part.measures for part in runs]
    means = dict(zip((*MEASURES, AMONG_RARE), bootstrap.mean(splits), strict=True))
    ratios = _ratios(splits, reference)
    kept = _ratios(splits, [part.unrounded for part in runs if part.unrounded is not None])
    return Result(
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


def table_of(results: Sequence[Result], k: int = 10, reference: str = REFERENCE) -> str:
    """Two tables: quality with its intervals, then who is served, and at what cost."""
    quality = [
        [r.model, f"{r.bytes_per_item:,.0f}", *map(_interval, (r.recall, r.ndcg, r.mrr, r.recall_ratio, r.ndcg_ratio))]
        for r in results
    ]
    rest = [
        [
            r.model,
            *map(_interval, (r.rare, r.middle, r.frequent, r.among_rare)),
            f"{100 * r.coverage:.1f} %",
            "-" if r.popularity_lift is None else f"{r.popularity_lift.value:+.2f}",
            f"{r.train_seconds:.1f}",
            f"{r.train_cpu_seconds:.1f}",
        ]
        for r in results
    ]
    measures = [f"recall@{k}", f"NDCG@{k}", f"MRR@{k}", f"recall by {reference}'s", f"NDCG by {reference}'s"]
    by_third = [f"recall@{k}, {third} third" for third in THIRDS] + [f"recall@{k} among the rare"]
    costs = ["coverage", "popularity lift", "s to train", "CPU s"]
    tables = [_table(["", "bytes an item", *measures], quality), _table(["", *by_third, *costs], rest)]
    if rounded := [r for r in results if r.recall_kept]:
        kept = [[r.model, _interval(r.recall_kept), _interval(r.ndcg_kept)] for r in rounded]
        tables.append(_table(["int8 by float", f"recall@{k}", f"NDCG@{k}"], kept))
    return "\n\n".join(tables)


def write(results: Sequence[Result], folder: Path, k: int = 10, reference: str = REFERENCE) -> None:
    """Writes `interactions.json` and, where there are ratios to draw, `interactions.png`."""
    with replacing(folder / "interactions.json") as temporary:
        temporary.write_text(as_json(results), "utf-8")
    if any(r.recall_ratio for r in results):
        _draw(results, folder / "interactions.png", k, reference)


def as_json(results: Sequence[Result]) -> str:
    """The results as a JSON list."""
    return json.dumps([asdict(r) for r in results], ensure_ascii=False, indent=2) + "\n"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return tabulate(rows, headers, disable_numparse=True, colalign=["left", *["right"] * (len(headers) - 1)])


def _interval(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def _draw(results: Sequence[Result], path: Path, k: int, reference: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(13, 4.8), layout="constrained")
    for axis, measure, title in zip(axes, ("recall_ratio", "ndcg_ratio"), (f"recall@{k}", f"NDCG@{k}"), strict=True):
        _curves(axis, results, measure)
        axis.set_title(f"{title} by that of {reference}", fontsize=11)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})
    pyplot.close(figure)


def _curves(axis: Any, results: Sequence[Result], measure: str) -> None:
    """A curve through the models of each family of no more bytes than fit, with the intervals as bars."""
    families: dict[str, list[tuple[float, Estimate]]] = {}
    for r in results:
        estimate = getattr(r, measure)
        if estimate and DRAWN_BYTES[0] <= r.bytes_per_item <= DRAWN_BYTES[1]:
            families.setdefault(r.model.partition(",")[0], []).append((r.bytes_per_item, estimate))
    for name, points in families.items():
        places, estimates = zip(*sorted(points, key=lambda point: point[0]), strict=True)
        bars = [[max(0.0, e.value - e.low) for e in estimates], [max(0.0, e.high - e.value) for e in estimates]]
        axis.errorbar(places, [e.value for e in estimates], bars, marker="o", capsize=2, label=name)
    axis.axhline(1, color="#888", linestyle=":")
    axis.set_xscale("log")
    axis.set_xlim(*DRAWN_BYTES)
    axis.set_xticks(TICKS, [str(tick) for tick in TICKS])
    axis.minorticks_off()
    axis.set_xlabel("bytes an item")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
