"""How good the embedding of a catalog is, whatever its columns, against TF-IDF, its truncated SVD and frequency.

A value is hidden from an item, the vectors are made anew without it, and it is to be found again among the values of
its column by what the nearest items have (`likeness.rank_hidden`). Every item is asked once: in each of five rounds one
value is hidden from another fifth of the items, of a column drawn at random. Nothing that is asked for was seen in
training, nor chose when to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.by_attributes import baselines, likeness
from training.by_attributes.likeness import Questions, Vectors
from training.by_attributes.settings import AttributeSettings
from training.by_attributes.targets import HeldOut
from training.by_attributes.trainer import AttributeTrainer
from training.evaluation.triplets import Triplet
from training.inputs.attribute_features import Features, Vocabulary, build_vocabulary, featurize
from training.inputs.catalog import Catalog

ROUNDS = 5
ALL, TRIPLETS, HARD_TRIPLETS = "all", "triplets", "hard triplets"
FREQUENT, MODEL = "most frequent", "mignon"
NEW_ITEMS = 500


@dataclass(frozen=True)
class VectorScores:
    """The measures of one way to make vectors.

    Attributes:
        scores: by what is asked for: the mean reciprocal rank of the hidden values of a column, and of `all`; the share
            of triplets, and of hard ones, that are answered right.
    """

    name: str
    dims: int
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """All ways to make vectors, and how often each thing was asked for."""

    methods: tuple[VectorScores, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class _Task:
    """What vectors are made from, and what is asked of them."""

    features: Features
    vocabulary: Vocabulary
    weights: Mapping[str, float]
    questions: Questions
    triplets: Sequence[Triplet] = ()

    def train(self, settings: AttributeSettings) -> NDArray[np.float32]:
        """The table of a model that sees what is not hidden."""
        return AttributeTrainer(self.features, self.vocabulary, settings, self.weights).run(progress=False).table

    def tf_idf(self, *, weighted: bool) -> Vectors:
        """The baseline of full width."""
        return baselines.compute_tf_idf(self.features, self.vocabulary, self.weights if weighted else {})


def compare_with_baselines(  # noqa: PLR0913 - what is measured, and how it is trained
    catalog: Catalog,
    triplets: Sequence[Triplet],
    weights: Mapping[str, float],
    dims: Sequence[int],
    *,
    columns: Sequence[str] = (),
    variants: Mapping[str, Callable[[NDArray[np.float32]], Vectors]] | None = None,
    settings: AttributeSettings | None = None,
    progress: bool = True,
) -> Comparison:
    """All measures of the baselines and of the model; trains five times a width, six times with triplets.

    The baselines are taken as they are and, where columns have weights, with those that the model is trained with.

    Args:
        columns: whose values are hidden and asked for; all where none is named.
        variants: other forms of a trained table to measure beside it, by name, such as its int8 form.
        settings: how to train, but for `dims`; the defaults where absent.
    """
    forms = {MODEL: lambda table: table, **(variants or {})}
    tasks = list(_make_tasks(catalog, weights, columns or catalog.columns, triplets))
    made = {name: [task.tf_idf(weighted=weighted) for task in tasks] for name, weighted in _name_baselines(weights)}
    methods = [_score(FREQUENT, 0, tasks, [None] * len(tasks))]
    methods += [_score(name, len(tasks[0].vocabulary) - 1, tasks, vectors) for name, vectors in made.items()]
    for width in tqdm(dims, desc="evaluating", unit="width", disable=not progress):
        for name, vectors in made.items():
            reduced = [baselines.compute_svd(matrix, width) for matrix in vectors]
            methods.append(_score(name.replace("TF-IDF", "SVD"), width, tasks, reduced))
        of_width = replace(settings or AttributeSettings(), dims=width)
        tables = [task.train(of_width) for task in tqdm(tasks, desc="training", leave=False, disable=not progress)]
        methods += [_score(name, width, tasks, [form(table) for table in tables]) for name, form in forms.items()]
    return Comparison(tuple(methods), _count(tasks))


def measure_held_out(
    vectors: Vectors, held_out: HeldOut, features: Features, vocabulary: Vocabulary, weights: Mapping[str, float]
) -> Comparison:
    """The values that training held out, found again by `vectors` of what it saw: no model is trained for it.

    They are few, and they chose the best epoch too: `compare_with_baselines` hides others.
    """
    items, places = np.nonzero(held_out.mask)
    asked = Questions(items, features.indices[items, places].astype(np.int64))
    shown = np.isin(asked.values, held_out.visible.indices)
    task = _Task(held_out.visible, vocabulary, weights, Questions(asked.items[shown], asked.values[shown]))
    methods = [_score(FREQUENT, 0, [task], [None])]
    for name, weighted in _name_baselines(weights):
        matrix, dims = task.tf_idf(weighted=weighted), vectors.shape[1]
        methods.append(_score(name, len(vocabulary) - 1, [task], [matrix]))
        methods.append(_score(name.replace("TF-IDF", "SVD"), dims, [task], [baselines.compute_svd(matrix, dims)]))
    methods.append(_score(MODEL, vectors.shape[1], [task], [vectors]))
    return Comparison(tuple(methods), _count([task]))


def measure_new_items(
    catalog: Catalog, weights: Mapping[str, float], columns: Sequence[str] = (), seed: int = 3
) -> Comparison:
    """Hides a value from a tenth of the items, at most 500, holds them out of training, and places them by the rest."""
    vocabulary = build_vocabulary(catalog)
    held = np.random.default_rng(seed).permutation(len(catalog))[: max(1, min(NEW_ITEMS, len(catalog) // 10))]
    task = _hide(catalog, vocabulary, weights, columns or catalog.columns, held, seed)
    kept = np.setdiff1d(np.arange(len(catalog)), held)
    others = Features(task.features.indices[kept], task.features.weights[kept])
    fitted = AttributeTrainer(others, vocabulary, AttributeSettings(), weights).run(progress=False)
    placed = _place(fitted.values, task.features)
    placed[kept] = fitted.table
    tables = {"placed by attributes": placed, "in training": task.train(AttributeSettings())}
    methods = tuple(_score(name, table.shape[1], [task], [table]) for name, table in tables.items())
    return Comparison(methods, _count([task]))


def _name_baselines(weights: Mapping[str, float]) -> list[tuple[str, bool]]:
    return [("TF-IDF", False), *([("TF-IDF, weighted", True)] if weights else [])]


def _make_tasks(
    catalog: Catalog, weights: Mapping[str, float], columns: Sequence[str], triplets: Sequence[Triplet], seed: int = 5
) -> list[_Task]:
    vocabulary = build_vocabulary(catalog)
    order = np.random.default_rng(seed).permutation(len(catalog))
    tasks = [_hide(catalog, vocabulary, weights, columns, order[i::ROUNDS], seed + i) for i in range(ROUNDS)]
    if triplets:
        whole = featurize([item.attributes for item in catalog.items], vocabulary)
        nothing = np.empty(0, np.int64)
        tasks.append(_Task(whole, vocabulary, weights, Questions(nothing, nothing), triplets))
    return tasks


def _hide(  # noqa: PLR0913, PLR0917 - a catalog, what is asked for, of whom
    catalog: Catalog,
    vocabulary: Vocabulary,
    weights: Mapping[str, float],
    columns: Sequence[str],
    rows: NDArray[np.int64],
    seed: int,
) -> _Task:
    """Hides one value of each of `rows` that has another left: of a random column, one that not it alone has."""
    rng = np.random.default_rng([seed, len(rows)])
    index_of = {pair: i for i, pair in enumerate(vocabulary.values, start=1)}
    attributes: list[Mapping[str, tuple[str, ...]]] = [item.attributes for item in catalog.items]
    counts = np.bincount([index_of[c, v] for values in attributes for c in values for v in values[c]])
    items, hidden = [], []
    for row in rows.tolist():
        own = attributes[row]
        shared = {c: [v for v in own.get(c, ()) if counts[index_of[c, v]] > 1] for c in columns}
        asked = [column for column, values in shared.items() if values]
        if not asked or sum(map(len, own.values())) < 2:
            continue
        column = asked[rng.integers(len(asked))]
        value = shared[column][rng.integers(len(shared[column]))]
        left = tuple(other for other in own[column] if other != value)
        attributes[row] = {c: left if c == column else values for c, values in own.items() if c != column or left}
        items.append(row)
        hidden.append(index_of[column, value])
    asked_for = Questions(np.array(items, np.int64), np.array(hidden, np.int64))
    return _Task(featurize(attributes, vocabulary), vocabulary, weights, asked_for)


def _score(name: str, dims: int, tasks: Sequence[_Task], made: Sequence[Vectors | None]) -> VectorScores:
    """The measures of the vectors made for each task; every question counts alike, whatever its round."""
    ranks: dict[str, list[float]] = {}
    triplets: dict[str, float] = {}
    for task, vectors in zip(tasks, made, strict=True):
        found = likeness.rank_hidden(vectors, task.features, task.vocabulary, task.questions)
        for column, rank in zip(_columns_of(task), found.tolist(), strict=True):
            ranks.setdefault(column, []).append(rank)
        if task.triplets:
            triplets = _answer_triplets(vectors, task.triplets)
    means = {column: float(np.mean(ranks[column])) for column in tasks[0].vocabulary.columns if column in ranks}
    everything = [rank for of_column in ranks.values() for rank in of_column]
    return VectorScores(name, dims, ({ALL: float(np.mean(everything))} if everything else {}) | means | triplets)


def _answer_triplets(vectors: Vectors | None, triplets: Sequence[Triplet]) -> dict[str, float]:
    if vectors is None:  # by frequency no item is nearer than another
        hard = any(triplet.kind == "hard" for triplet in triplets)
        return {TRIPLETS: 0.5, **({HARD_TRIPLETS: 0.5} if hard else {})}
    answered = likeness.measure_triplets(vectors, triplets)
    return {TRIPLETS: answered.all, **({} if answered.hard is None else {HARD_TRIPLETS: answered.hard})}


def _count(tasks: Sequence[_Task]) -> dict[str, int]:
    asked = [column for task in tasks for column in _columns_of(task)]
    triplets = [triplet for task in tasks for triplet in task.triplets]
    hard = sum(triplet.kind == "hard" for triplet in triplets)
    counts = {ALL: len(asked)} | {column: asked.count(column) for column in tasks[0].vocabulary.columns}
    return {name: count for name, count in {**counts, TRIPLETS: len(triplets), HARD_TRIPLETS: hard}.items() if count}


def _columns_of(task: _Task) -> list[str]:
    """The column of each hidden value."""
    return [task.vocabulary.values[value - 1][0] for value in task.questions.values.tolist()]


def _place(values: NDArray[np.float32], features: Features) -> NDArray[np.float32]:
    total = (values[features.indices] * features.weights[..., None]).sum(axis=1)
    norms = np.linalg.norm(total, axis=1, keepdims=True)
    unit: NDArray[np.float32] = total / np.where(norms > 0, norms, 1)
    return unit
