"""How good the embedding of a catalog is: against TF-IDF, its truncated SVD and chance, in float and int8.

Each measure is taken on a model that has not seen what is asked for: ingredients are hidden before training, and the
purity of a column is counted on a model trained without that column (`region` goes with `cuisine`, which decides it).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate
from tqdm import tqdm

from export.quantize import quantize
from training import evaluation
from training.catalog import Catalog, Item
from training.evaluation import Triplet, Vectors
from training.features import Features, Vocabulary, build_vocabulary, featurize
from training.files import replacing
from training.fit import Settings, Trainer

WITHHELD = {"form": ("form",), "course": ("course",), "cuisine": ("cuisine", "region")}
HIDDEN_COLUMN = "ingredients"
HIDDEN_SHARE = 0.2
NEW_ITEMS = 500
DIMS = (4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Scores:
    """The measures of one way to make vectors; each from 0 to 1, more is better."""

    name: str
    dims: int
    triplets: float
    hard_triplets: float
    hidden_recall: float
    form: float
    course: float
    cuisine: float


@dataclass(frozen=True)
class NewItems:
    """Items that were not in training, placed by their attributes alone, beside the same ones trained."""

    name: str
    triplets: float
    form: float
    course: float
    cuisine: float


@dataclass(frozen=True)
class _Task:
    """One catalog to make vectors from, and what is measured on them."""

    features: Features
    vocabulary: Vocabulary
    measure: Callable[[Vectors], dict[str, float]]


Method = Callable[[_Task], Vectors]


def evaluate(
    catalog: Catalog, triplets: Sequence[Triplet], weights: Mapping[str, float], dims: Sequence[int] = DIMS
) -> list[Scores]:
    """All measures of all methods; trains a model for each task and width."""
    tasks = _tasks(catalog, triplets)
    results = [_chance(catalog), _scores("TF-IDF, full", len(tasks[0].vocabulary) - 1, tasks, _tf_idf)]
    for width in tqdm(dims, desc="evaluating", unit="width"):
        results.append(_scores("SVD of TF-IDF", width, tasks, lambda task, d=width: _svd(task, d)))  # type: ignore[misc]
        tables = {id(task): _train(task, weights, width) for task in tasks}
        results.append(_scores("mignon float32", width, tasks, lambda task, t=tables: t[id(task)]))  # type: ignore[misc]
        results.append(_scores("mignon int8", width, tasks, lambda task, t=tables: _as_int8(t[id(task)])))  # type: ignore[misc]
    return results


def new_items(
    catalog: Catalog, triplets: Sequence[Triplet], weights: Mapping[str, float], seed: int = 3
) -> list[NewItems]:
    """Holds 500 items out of training, places them by their attributes, and measures them among the others."""
    count = len(catalog)
    held = np.random.default_rng(seed).choice(count, min(NEW_ITEMS, count // 10), replace=False)
    kept = np.setdiff1d(np.arange(count), held)
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    fitted = Trainer(_rows(features, kept), vocabulary, Settings(), weights).run(progress=False)
    placed = np.empty((count, fitted.table.shape[1]), np.float32)
    placed[kept] = fitted.table
    placed[held] = _placed(fitted.values, _rows(features, held))
    trained = Trainer(features, vocabulary, Settings(), weights).run(progress=False).table
    asked = [t for t in triplets if not {t.item, t.near, t.far}.isdisjoint(held.tolist())]
    return [
        NewItems(
            name,
            evaluation.triplet_accuracy(vectors, asked).all,
            *(evaluation.purity(vectors, evaluation.labels_of(catalog, column), held) for column in WITHHELD),
        )
        for name, vectors in (("placed by attributes", placed), ("in training", trained))
    ]


def table_of(results: Sequence[Scores]) -> str:
    """The measures, one method a line, in percent."""
    headers = ["", "dims", "triplets", "hard ones", "hidden ingredients", "same form", "same course", "same cuisine"]
    rows = [[r.name, f"{r.dims:,}", *(f"{100 * v:.1f}" for v in list(asdict(r).values())[2:])] for r in results]
    return tabulate(rows, headers, disable_numparse=True, colalign=["left", *["right"] * 7])


def new_items_table(results: Sequence[NewItems]) -> str:
    """The measures of new items, in percent."""
    rows = [[r.name, *(f"{100 * v:.1f}" for v in list(asdict(r).values())[1:])] for r in results]
    headers = ["held-out items", "triplets", "same form", "same course", "same cuisine"]
    return tabulate(rows, headers, disable_numparse=True, colalign=["left", *["right"] * 4])


def write(results: Sequence[Scores], new: Sequence[NewItems], folder: Path) -> None:
    """Writes `embedding.json` and the curve over dims, `embedding.png`."""
    record = {"scores": [asdict(r) for r in results], "new_items": [asdict(r) for r in new]}
    with replacing(folder / "embedding.json") as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    _draw(results, folder / "embedding.png")


def _draw(results: Sequence[Scores], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    measures = {
        "triplets": "Triplets by people's judgment",
        "hidden_recall": "Hidden ingredients, recall@10",
        "form": "Neighbors of the same form",
        "course": "Neighbors of the same course",
        "cuisine": "Neighbors of the same cuisine",
    }
    figure, axes = pyplot.subplots(1, len(measures), figsize=(19, 3.8), layout="constrained")
    full = next(r for r in results if r.name.startswith("TF-IDF"))
    for axis, (measure, title) in zip(axes, measures.items(), strict=True):
        for name, color, style in (("mignon int8", "#4c78a8", "-"), ("SVD of TF-IDF", "#e45756", "--")):
            points = [(r.dims, 100 * getattr(r, measure)) for r in results if r.name == name]
            axis.plot(*zip(*points, strict=True), style, color=color, marker="o", label=name)
        axis.axhline(100 * getattr(full, measure), color="#888", linestyle=":", label=f"TF-IDF, {full.dims:,} dims")
        axis.set_xscale("log", base=2)
        axis.set_xticks(DIMS, [str(d) for d in DIMS])
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("dims")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("percent")
    axes[0].legend(frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png", metadata={"Software": None})
    pyplot.close(figure)


def _tasks(catalog: Catalog, triplets: Sequence[Triplet]) -> list[_Task]:
    attributes = [item.attributes for item in catalog.items]
    whole = _task(catalog, attributes, lambda vectors: _triplet_measures(vectors, triplets))
    withheld = [
        _task(catalog, evaluation.without_columns(catalog, columns), _purity_measure(catalog, column))
        for column, columns in WITHHELD.items()
    ]
    return [whole, _hidden_task(catalog), *withheld]


def _task(
    catalog: Catalog,
    attributes: Sequence[Mapping[str, tuple[str, ...]]],
    measure: Callable[[Vectors], dict[str, float]],
) -> _Task:
    used = {column for values in attributes for column in values}
    items = tuple(replace(item, attributes=values) for item, values in zip(catalog.items, attributes, strict=True))
    vocabulary = build_vocabulary(Catalog(items, tuple(column for column in catalog.columns if column in used)))
    return _Task(featurize(attributes, vocabulary), vocabulary, measure)


def _hidden_task(catalog: Catalog, seed: int = 5) -> _Task:
    rng = np.random.default_rng(seed)
    shown = [_with_some_hidden(item, rng) for item in catalog.items]
    task = _task(catalog, shown, lambda _: {})
    everything = featurize([item.attributes for item in catalog.items], task.vocabulary)
    column = task.vocabulary.columns.index(HIDDEN_COLUMN)
    start, end = task.vocabulary.starts[column], task.vocabulary.starts[column + 1]
    seen = np.zeros((len(catalog), len(task.vocabulary)), bool)
    np.put_along_axis(seen, task.features.indices.astype(np.int64), True, axis=1)
    hidden = ~np.take_along_axis(seen, everything.indices.astype(np.int64), axis=1)
    return replace(
        task,
        measure=lambda vectors: {
            "hidden_recall": evaluation.hidden_recall(vectors, everything, hidden, (start, end)),
        },
    )


def _with_some_hidden(item: Item, rng: np.random.Generator) -> Mapping[str, tuple[str, ...]]:
    values = item.attributes.get(HIDDEN_COLUMN, ())
    keep = rng.random(len(values)) >= HIDDEN_SHARE
    if keep.all() or not keep.any():
        return item.attributes
    return {**item.attributes, HIDDEN_COLUMN: tuple(v for v, kept in zip(values, keep, strict=True) if kept)}


def _triplet_measures(vectors: Vectors, triplets: Sequence[Triplet]) -> dict[str, float]:
    accuracy = evaluation.triplet_accuracy(vectors, triplets)
    return {"triplets": accuracy.all, "hard_triplets": accuracy.hard or 0.0}


def _purity_measure(catalog: Catalog, column: str) -> Callable[[Vectors], dict[str, float]]:
    labels = evaluation.labels_of(catalog, column)
    return lambda vectors: {column: evaluation.purity(vectors, labels)}


def _scores(name: str, dims: int, tasks: Sequence[_Task], method: Method) -> Scores:
    measured: dict[str, float] = {}
    for task in tasks:
        measured |= task.measure(method(task))
    return Scores(name, dims, **measured)


def _chance(catalog: Catalog) -> Scores:
    """One-hot vectors: every other item is equally far, so neighbors are drawn by chance."""
    shares = []
    for column in WITHHELD:
        counts = np.bincount(evaluation.labels_of(catalog, column)).astype(np.float64)
        shares.append(float((counts * (counts - 1)).sum() / (len(catalog) * (len(catalog) - 1))))
    values = {value for item in catalog.items for value in item.attributes.get(HIDDEN_COLUMN, ())}
    return Scores("one-hot (chance)", len(catalog), 0.5, 0.5, evaluation.NEIGHBORS / len(values), *shares)


def _train(task: _Task, weights: Mapping[str, float], dims: int) -> NDArray[np.float32]:
    return Trainer(task.features, task.vocabulary, Settings(dims=dims), weights).run(progress=False).table


def _as_int8(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The int8 table as scores see it: integer rows times one scale, their small differences of norm included."""
    made = quantize(table)
    return made.rows.astype(np.float32) * np.float32(made.scale)


def _tf_idf(task: _Task) -> Vectors:
    return evaluation.tf_idf(task.features, task.vocabulary)


def _svd(task: _Task, dims: int) -> Vectors:
    return evaluation.truncated_svd(_tf_idf(task), dims)


def _rows(features: Features, rows: NDArray[np.int64]) -> Features:
    return Features(features.indices[rows], features.weights[rows])


def _placed(values: NDArray[np.float32], features: Features) -> NDArray[np.float32]:
    total = (values[features.indices] * features.weights[..., None]).sum(axis=1)
    unit: NDArray[np.float32] = total / np.linalg.norm(total, axis=1, keepdims=True)
    return unit
