"""How good the embedding of a catalog is, against TF-IDF, its truncated SVD and chance.

Each measure is taken on a model that has not seen what is asked for: ingredients are hidden before training, and the
purity of a column is counted on a model trained without that column (`region` goes with `cuisine`, which decides it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.by_attributes import baselines, likeness
from training.by_attributes.likeness import Vectors
from training.by_attributes.settings import AttributeSettings
from training.by_attributes.trainer import AttributeTrainer
from training.errors import CatalogError
from training.inputs.attribute_features import Features, Vocabulary, build_vocabulary, featurize
from training.inputs.catalog import Catalog, Item
from training.inputs.triplets import Triplet

WITHHELD = {"form": ("form",), "course": ("course",), "cuisine": ("cuisine", "region")}
HIDDEN_COLUMN = "ingredients"
HIDDEN_SHARE = 0.2
NEW_ITEMS = 500
FEWEST_ITEMS = 100


@dataclass(frozen=True)
class VectorScores:
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


def compare_with_baselines(  # noqa: PLR0913 - what is measured, and how it is trained
    catalog: Catalog,
    triplets: Sequence[Triplet],
    weights: Mapping[str, float],
    dims: Sequence[int],
    *,
    variants: Mapping[str, Callable[[NDArray[np.float32]], Vectors]] | None = None,
    settings: AttributeSettings | None = None,
    progress: bool = True,
) -> list[VectorScores]:
    """All measures of the baselines and of the model; trains a model for each measure and width.

    The baselines are taken as they are and with the column weights that the model is trained with.

    Args:
        variants: other forms of a trained table to measure beside it, by name, such as its int8 form.
        settings: how to train, but for `dims`; the defaults where absent.
    """
    forms = {"mignon float32": lambda table: table, **(variants or {})}
    tasks = _tasks(catalog, triplets)
    plain, weighted = _tf_idf(tasks, {}), _tf_idf(tasks, weights)
    terms = len(tasks[0].vocabulary) - 1
    results = [_chance(catalog), _scores("TF-IDF", terms, tasks, plain)]
    results.append(_scores("TF-IDF, weighted", terms, tasks, weighted))
    for width in tqdm(dims, desc="evaluating", unit="width", disable=not progress):
        for name, matrices in (("SVD", plain), ("SVD, weighted", weighted)):
            reduced = [baselines.compute_svd(matrix, width) for matrix in matrices]
            results.append(_scores(name, width, tasks, reduced))
        tables = [_train(task, weights, replace(settings or AttributeSettings(), dims=width)) for task in tasks]
        results += [_scores(name, width, tasks, [form(table) for table in tables]) for name, form in forms.items()]
    return results


def check_measurable(path: Path, catalog: Catalog, triplets: Sequence[Triplet]) -> None:
    """Refuses a catalog that these measures cannot be taken on.

    Raises:
        CatalogError: it lacks a column or triplets, or is too small.
    """
    missing = [column for column in (HIDDEN_COLUMN, *WITHHELD) if column not in catalog.columns]
    if missing or not triplets:
        raise CatalogError(
            f"{path}: these measures need the columns of meals.csv and triplets beside the catalog, in "
            f"{path.with_suffix('.triplets.csv').name}; missing: {', '.join(missing) or 'triplets'}"
        )
    if len(catalog) <= FEWEST_ITEMS:
        raise CatalogError(f"{path}: has {len(catalog)} items; these measures need more than {FEWEST_ITEMS}")


def measure_new_items(
    catalog: Catalog, triplets: Sequence[Triplet], weights: Mapping[str, float], seed: int = 3
) -> list[NewItems]:
    """Holds 500 items out of training, places them by their attributes, and measures them among the others."""
    count = len(catalog)
    held = np.random.default_rng(seed).choice(count, min(NEW_ITEMS, count // 10), replace=False)
    kept = np.setdiff1d(np.arange(count), held)
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    fitted = AttributeTrainer(_rows(features, kept), vocabulary, AttributeSettings(), weights).run(progress=False)
    placed = np.empty((count, fitted.table.shape[1]), np.float32)
    placed[kept] = fitted.table
    placed[held] = _placed(fitted.values, _rows(features, held))
    trained = AttributeTrainer(features, vocabulary, AttributeSettings(), weights).run(progress=False).table
    asked = [t for t in triplets if not {t.item, t.near, t.far}.isdisjoint(held.tolist())]
    return [
        NewItems(
            name,
            likeness.measure_triplets(vectors, asked).all,
            *(likeness.measure_purity(vectors, likeness.number_labels(catalog, column), held) for column in WITHHELD),
        )
        for name, vectors in (("placed by attributes", placed), ("in training", trained))
    ]


def _tasks(catalog: Catalog, triplets: Sequence[Triplet]) -> list[_Task]:
    attributes = [item.attributes for item in catalog.items]
    whole = _task(catalog, attributes, lambda vectors: _triplet_measures(vectors, triplets))
    withheld = [
        _task(catalog, likeness.drop_columns(catalog, columns), _purity_measure(catalog, column))
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
            "hidden_recall": likeness.measure_hidden_recall(vectors, everything, hidden, (start, end)),
        },
    )


def _with_some_hidden(item: Item, rng: np.random.Generator) -> Mapping[str, tuple[str, ...]]:
    values = item.attributes.get(HIDDEN_COLUMN, ())
    keep = rng.random(len(values)) >= HIDDEN_SHARE
    if keep.all() or not keep.any():
        return item.attributes
    return {**item.attributes, HIDDEN_COLUMN: tuple(v for v, kept in zip(values, keep, strict=True) if kept)}


def _triplet_measures(vectors: Vectors, triplets: Sequence[Triplet]) -> dict[str, float]:
    accuracy = likeness.measure_triplets(vectors, triplets)
    return {"triplets": accuracy.all, "hard_triplets": accuracy.hard or 0.0}


def _purity_measure(catalog: Catalog, column: str) -> Callable[[Vectors], dict[str, float]]:
    labels = likeness.number_labels(catalog, column)
    return lambda vectors: {column: likeness.measure_purity(vectors, labels)}


def _scores(name: str, dims: int, tasks: Sequence[_Task], made: Sequence[Vectors]) -> VectorScores:
    measured: dict[str, float] = {}
    for task, vectors in zip(tasks, made, strict=True):
        measured |= task.measure(vectors)
    return VectorScores(name, dims, **measured)


def _chance(catalog: Catalog) -> VectorScores:
    """One-hot vectors: every other item is equally far, so neighbors are drawn by chance."""
    shares = []
    for column in WITHHELD:
        counts = np.bincount(likeness.number_labels(catalog, column)).astype(np.float64)
        shares.append(float((counts * (counts - 1)).sum() / (len(catalog) * (len(catalog) - 1))))
    values = {value for item in catalog.items for value in item.attributes.get(HIDDEN_COLUMN, ())}
    return VectorScores("one-hot (chance)", len(catalog), 0.5, 0.5, likeness.NEIGHBORS / len(values), *shares)


def _train(task: _Task, weights: Mapping[str, float], settings: AttributeSettings) -> NDArray[np.float32]:
    return AttributeTrainer(task.features, task.vocabulary, settings, weights).run(progress=False).table


def _tf_idf(tasks: Sequence[_Task], weights: Mapping[str, float]) -> list[Vectors]:
    return [baselines.compute_tf_idf(task.features, task.vocabulary, weights) for task in tasks]


def _rows(features: Features, rows: NDArray[np.int64]) -> Features:
    return Features(features.indices[rows], features.weights[rows])


def _placed(values: NDArray[np.float32], features: Features) -> NDArray[np.float32]:
    total = (values[features.indices] * features.weights[..., None]).sum(axis=1)
    unit: NDArray[np.float32] = total / np.linalg.norm(total, axis=1, keepdims=True)
    return unit
