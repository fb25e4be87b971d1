"""`python -m training --interactions LOG`: items by who likes them."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from training.by_interactions.items import ItemAttributes, attributes_of, catalog_of, trained_of
from training.by_interactions.scorer import PopularityScorer
from training.by_interactions.settings import PreferenceSettings
from training.by_interactions.trainer import PreferenceFitted, PreferenceTrainer, fingerprint
from training.by_interactions.tuning import Search, Tuned, tune
from training.errors import SettingsError
from training.evaluation.ranking import MEASURES, Scorer, evaluate
from training.evaluation.splits import Split, strong_generalization
from training.inputs.catalog import read_catalog
from training.inputs.interactions import MAX_USER, MIN_ITEM, MIN_USER, Interactions, read_interactions
from training.inputs.rules import enrich, rules_beside
from training.loop.checkpoint import checkpoint_beside
from training.loop.workers import is_chief, strategy_of_environment
from training.trained import save

OPTIONS = ("min_user", "min_item", "max_user", "tune", "tune_dims", "tensorboard")
Metrics = dict[str, Any]


@dataclass(frozen=True)
class _Data:
    """What is trained on."""

    interactions: Interactions
    attributes: ItemAttributes
    strategy: Any

    def trainer(self, settings: PreferenceSettings) -> PreferenceTrainer:
        return PreferenceTrainer(
            self.interactions.matrix,
            settings,
            timestamps=self.interactions.timestamps,
            attributes=self.attributes.known,
            strategy=self.strategy,
        )


def train(arguments: argparse.Namespace, settings: PreferenceSettings) -> None:
    """Trains by the command's arguments, writes the folder and prints what was measured.

    Raises:
        TrainingError: the log or the catalog cannot be used, or the checkpoint is of another run.
    """
    strategy = strategy_of_environment()
    _check_options(arguments, strategy)
    data = _read(arguments, strategy)
    chief = strategy is None or is_chief(strategy)
    if chief and not arguments.json:
        print(data.interactions.report, flush=True)
    tuned = _tune(arguments, data, settings) if arguments.tune is not None else None
    settings = settings if tuned is None else tuned.settings
    trainer = data.trainer(settings)
    checkpoint = checkpoint_beside(arguments.out)
    if arguments.resume and checkpoint.exists():
        trainer.restore(checkpoint)
    start = time.monotonic()
    progress = chief and not arguments.no_progress
    fitted = trainer.run(checkpoint, progress=progress, tensorboard=arguments.tensorboard)
    seconds = time.monotonic() - start
    if not chief:
        return
    metrics = _metrics(data, fitted)
    if tuned is not None:
        metrics["tuning"] = {"trials": tuned.trials, "ndcg": round(tuned.measure, 4)}
    if arguments.evaluate:
        metrics["measures"] = _measures(data, settings)
    trained = trained_of(fitted, data.attributes, metrics, asdict(settings))
    if arguments.catalog is not None:
        trained = replace(trained, catalog=enrich(trained.catalog, rules_beside(arguments.catalog)))
    save(trained, arguments.out)
    checkpoint.unlink(missing_ok=True)
    _report(arguments, metrics, settings.dims, seconds)


def _check_options(arguments: argparse.Namespace, strategy: Any) -> None:
    if arguments.tune_dims and arguments.tune is None:
        raise SettingsError("--tune-dims says what --tune may choose; give --tune N as well")
    if strategy is not None and (arguments.tune is not None or arguments.evaluate):
        raise SettingsError("--tune and --evaluate are for one worker; leave them out or unset TF_CONFIG")


def _read(arguments: argparse.Namespace, strategy: Any) -> _Data:
    catalog = None if arguments.catalog is None else read_catalog(arguments.catalog, needs_attributes=False)
    bounds = {"min_user": MIN_USER, "min_item": MIN_ITEM, "max_user": MAX_USER}
    given = {name: getattr(arguments, name) for name in bounds if getattr(arguments, name) is not None}
    interactions = read_interactions(arguments.interactions, catalog=catalog, **{**bounds, **given})
    items = interactions.items
    return _Data(interactions, attributes_of(catalog or catalog_of(items), items), strategy)


def _tune(arguments: argparse.Namespace, data: _Data, settings: PreferenceSettings) -> Tuned:
    study_file = arguments.out.with_name(arguments.out.name + ".tuning.log")
    study_file.parent.mkdir(parents=True, exist_ok=True)
    if not arguments.resume:
        study_file.unlink(missing_ok=True)

    def measure(tried: PreferenceSettings) -> float:
        fitted = data.trainer(tried).run(progress=False)
        return fitted.history[fitted.best_epoch - 1].ndcg

    name = fingerprint(settings, data.interactions.matrix, data.attributes.known)
    search = Search(arguments.tune, study_file, tuple(arguments.tune_dims or ()), name)
    return tune(measure, settings, search, progress=not arguments.no_progress)


def _metrics(data: _Data, fitted: PreferenceFitted) -> Metrics:
    interactions, catalog = data.interactions, data.attributes.catalog
    history = [{k: None if np.isnan(v) else round(v, 4) for k, v in e._asdict().items()} for e in fitted.history]
    best = history[fitted.best_epoch - 1]
    return {
        "items": len(catalog),
        "new_items": len(catalog) - len(interactions.items),
        "epochs": fitted.best_epoch,
        "loss": best["loss"],
        "held_out_recall": best["recall"],
        "held_out_ndcg": best["ndcg"],
        "history": history,
        "log": interactions.report.as_dict(),
    }


def _measures(data: _Data, settings: PreferenceSettings) -> dict[str, dict[str, float]]:
    """By model, means over a fifth of the users, of a model trained without them."""
    matrix, times = data.interactions.matrix, data.interactions.timestamps
    split = strong_generalization(matrix, settings.seed, timestamps=times)
    left = replace(data.interactions, matrix=split.train, timestamps=split.train_timestamps)
    model = replace(data, interactions=left).trainer(settings).run(progress=False).scorer.in_8_bits()
    return {"popularity": _means(PopularityScorer(split.train), split), "mignon int8": _means(model, split)}


def _means(scorer: Scorer, split: Split) -> dict[str, float]:
    outcome = evaluate(scorer, split)
    means = {name: float(np.nanmean(getattr(outcome.users, name))) for name in MEASURES}
    return {name: round(value, 4) for name, value in {**means, "coverage": outcome.coverage}.items()}


def _report(arguments: argparse.Namespace, metrics: Metrics, dims: int, seconds: float) -> None:
    if arguments.json:
        print(json.dumps(metrics, ensure_ascii=False))
        return
    print(f"trained {metrics['items']} items x {dims} dims in {seconds:.1f} s, best after epoch {metrics['epochs']}")
    if metrics["new_items"]:
        print(f"{metrics['new_items']} of them nobody has yet: placed by their attributes")
    if metrics["held_out_recall"] is None:
        print("no user was held out; trained for all epochs")
    else:
        print(f"held-out users: recall@10 {metrics['held_out_recall']:.3f}, NDCG@10 {metrics['held_out_ndcg']:.3f}")
    if "tuning" in metrics:
        print(f"settings are the best of {metrics['tuning']['trials']} trials, by NDCG@10 of held-out users")
    for name, measures in metrics.get("measures", {}).items():
        print(f"{name:12}  {'  '.join(f'{measure} {value:.3f}' for measure, value in measures.items())}")
    print(f"wrote {arguments.out}")
