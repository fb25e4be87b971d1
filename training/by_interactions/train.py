"""Trains items by who likes them: from a log of interactions to a trained folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from training.by_interactions.scorer import InteractionScorer
from training.by_interactions.settings import InteractionSettings, InteractionsRequest
from training.by_interactions.trainer import FittedInteractions, InteractionTrainer
from training.by_interactions.tuning import Search, Tuned, tune
from training.errors import SettingsError
from training.evaluation.ranking import MEASURES, NOTHING, PopularityScorer, Scorer, evaluate, top_k
from training.evaluation.splits import Split, hold_out_users
from training.inputs.attribute_features import ItemAttributes, index_attributes, make_catalog
from training.inputs.catalog import Catalog
from training.inputs.interactions import Interactions, read_interactions
from training.inputs.rules import enrich, read_rules
from training.loop.checkpoint import compute_fingerprint
from training.loop.run import run_timed
from training.loop.workers import is_chief, join_workers
from training.trained import Preference, Trained, save

Metrics = dict[str, Any]


@dataclass(frozen=True)
class _Data:
    """What is trained on."""

    interactions: Interactions
    attributes: ItemAttributes
    strategy: Any

    def trainer(self, settings: InteractionSettings) -> InteractionTrainer:
        return InteractionTrainer(
            self.interactions.matrix,
            settings,
            timestamps=self.interactions.timestamps,
            attributes=self.attributes.known,
            strategy=self.strategy,
        )


def train_from_interactions(request: InteractionsRequest, catalog: Catalog | None) -> Trained:
    """See `training.train_interactions`; where several workers train together, the chief alone writes and reports."""
    strategy = join_workers()
    if strategy is not None and (request.tune is not None or request.evaluate):
        raise SettingsError("--tune and --evaluate are for one worker; leave them out or unset TF_CONFIG")
    interactions = read_interactions(request.log, catalog=catalog, **request.bounds)
    items = interactions.items
    data = _Data(interactions, index_attributes(catalog or make_catalog(items), items), strategy)
    chief = strategy is None or is_chief(strategy)
    if chief and request.on_read is not None:
        request.on_read(data.interactions.report)
    tuned = None if request.tune is None else _tune(request, data)
    settings = request.settings if tuned is None else tuned.settings
    options = request if chief else replace(request, progress=False, on_resume=None)
    fitted, seconds = run_timed(data.trainer(settings), options, request.tensorboard)
    metrics = _measure(data, fitted, tuned)
    if request.evaluate:
        metrics["measures"] = _compare_with_popularity(data, settings)
    trained = replace(build_trained(fitted, data.attributes, metrics, asdict(settings)), seconds=seconds)
    if request.catalog is not None:
        trained = replace(trained, catalog=enrich(trained.catalog, read_rules(request.catalog)))
    if trained.preference is not None:
        metrics["neighbors"] = _name_neighbors(trained, trained.preference, data)
    if chief and request.out is not None:
        save(trained, request.out, force=request.force)
        request.remove_checkpoint()
    return trained


def build_trained(
    fitted: FittedInteractions, attributes: ItemAttributes, metrics: Metrics, settings: dict[str, Any]
) -> Trained:
    """The whole catalog: items without interactions are placed by their attributes, with the lowest bias of all."""
    items, learned = len(attributes.catalog), fitted.preference
    table = np.zeros((items, fitted.table.shape[1]), np.float32)
    if attributes.values:
        table = attributes.matrix @ fitted.values
    table[attributes.rows] = fitted.table
    bias = np.full(items, learned.bias.min(), np.float32)
    bias[attributes.rows] = learned.bias
    return Trained(
        attributes.catalog,
        table.astype(np.float32),
        attributes.values,
        fitted.values,
        metrics,
        settings,
        preference=Preference(bias, learned.negative_columns, learned.power),
    )


def _tune(request: InteractionsRequest, data: _Data) -> Tuned:
    study_file = request.study_file
    if study_file is not None:
        study_file.parent.mkdir(parents=True, exist_ok=True)

    def measure(tried: InteractionSettings) -> float:
        fitted = data.trainer(tried).run(progress=False)
        return fitted.history[fitted.best_epoch - 1].ndcg

    name = compute_fingerprint(request.settings, data.interactions.matrix, data.attributes.known)
    search = Search(request.tune or 0, study_file, request.tune_dims, name)
    return tune(measure, request.settings, search, progress=request.progress)


def _measure(data: _Data, fitted: FittedInteractions, tuned: Tuned | None) -> Metrics:
    interactions, catalog = data.interactions, data.attributes.catalog
    history = [{k: None if np.isnan(v) else round(v, 4) for k, v in e._asdict().items()} for e in fitted.history]
    best = history[fitted.best_epoch - 1]
    metrics = {
        "items": len(catalog),
        "new_items": len(catalog) - len(interactions.items),
        "epochs": fitted.best_epoch,
        "loss": best["loss"],
        "held_out_recall": best["recall"],
        "held_out_ndcg": best["ndcg"],
        "history": history,
        "log": interactions.report.as_dict(),
    }
    if tuned is not None:
        metrics["tuning"] = {"trials": tuned.trials, "ndcg": round(tuned.measure, 4)}
    return metrics


def _name_neighbors(
    trained: Trained, preference: Preference, data: _Data, items: int = 5, neighbors: int = 5
) -> list[Mapping[str, str]]:
    """Some of the hundred items that most users have, and what is recommended to who has one of them alone."""
    counts = np.zeros(len(trained.catalog))
    counts[data.attributes.rows] = np.bincount(data.interactions.matrix.indices, minlength=len(data.attributes.rows))
    order = np.argsort(-counts, kind="stable")[:100]
    rows = order[np.unique(np.linspace(0, len(order) - 1, items).astype(np.int64))]
    shape = (len(rows), len(counts))
    given = csr_matrix((np.ones(len(rows), np.float32), (np.arange(len(rows)), rows)), shape)
    best = top_k(InteractionScorer(trained.table, preference).scores(given), given, neighbors)
    names = [item.name for item in trained.catalog.items]
    return [
        {"item": names[row], "nearest": ", ".join(names[other] for other in found if other != NOTHING)}
        for row, found in zip(rows, best, strict=True)
    ]


def _compare_with_popularity(data: _Data, settings: InteractionSettings) -> dict[str, dict[str, float]]:
    """By model, means over a fifth of the users, of a model trained without them."""
    matrix, times = data.interactions.matrix, data.interactions.timestamps
    split = hold_out_users(matrix, settings.seed, timestamps=times)
    left = replace(data.interactions, matrix=split.train, timestamps=split.train_timestamps)
    model = replace(data, interactions=left).trainer(settings).run(progress=False).scorer.in_8_bits()
    return {"popularity": _average(PopularityScorer(split.train), split), "mignon int8": _average(model, split)}


def _average(scorer: Scorer, split: Split) -> dict[str, float]:
    outcome = evaluate(scorer, split)
    means = {name: float(np.nanmean(getattr(outcome.users, name))) for name in MEASURES}
    return {name: round(value, 4) for name, value in {**means, "coverage": outcome.coverage}.items()}
