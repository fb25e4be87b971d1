"""`python -m training --interactions LOG`: items by who likes them."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from training.catalog import Catalog, read_catalog
from training.checkpoint import checkpoint_beside
from training.errors import SettingsError
from training.interactions import MAX_USER, MIN_ITEM, MIN_USER, Interactions, read_interactions
from training.preference_catalog import ItemAttributes, attributes_of, catalog_of, trained_of
from training.preference_fit import PreferenceFitted, PreferenceTrainer, fingerprint
from training.preference_scorer import PopularityScorer
from training.preference_settings import PreferenceSettings
from training.preference_tuning import Search, Tuned, tune
from training.ranking import MEASURES, Scorer, evaluate
from training.rules import enrich, rules_beside
from training.splits import Split, strong_generalization
from training.trained import save

OPTIONS = ("min_user", "min_item", "max_user", "tune", "tune_dims", "tensorboard")
Metrics = dict[str, Any]


def train(arguments: argparse.Namespace, settings: PreferenceSettings) -> None:
    """Trains by the command's arguments, writes the folder and prints what was measured.

    Raises:
        TrainingError: the log or the catalog cannot be used, or the checkpoint is of another run.
    """
    if arguments.tune_dims and arguments.tune is None:
        raise SettingsError("--tune-dims says what --tune may choose; give --tune N as well")
    catalog = None if arguments.catalog is None else read_catalog(arguments.catalog, needs_attributes=False)
    interactions = _read_log(arguments, catalog)
    if not arguments.json:
        print(interactions.report, flush=True)
    attributes = attributes_of(catalog or catalog_of(interactions.items), interactions.items)
    tuned = _tune(arguments, interactions, attributes, settings) if arguments.tune is not None else None
    settings = settings if tuned is None else tuned.settings
    trainer = _trainer(interactions, attributes, settings)
    checkpoint = checkpoint_beside(arguments.out)
    if arguments.resume and checkpoint.exists():
        trainer.restore(checkpoint)
    start = time.monotonic()
    fitted = trainer.run(checkpoint, progress=not arguments.no_progress, tensorboard=arguments.tensorboard)
    seconds = time.monotonic() - start
    metrics = _metrics(interactions, attributes, fitted)
    if tuned is not None:
        metrics["tuning"] = {"trials": tuned.trials, "ndcg": round(tuned.measure, 4)}
    if arguments.evaluate:
        metrics["measures"] = _measures(interactions, attributes, settings)
    trained = trained_of(fitted, attributes, metrics, asdict(settings))
    if arguments.catalog is not None:
        trained = replace(trained, catalog=enrich(trained.catalog, rules_beside(arguments.catalog)))
    save(trained, arguments.out)
    checkpoint.unlink(missing_ok=True)
    _report(arguments, metrics, settings.dims, seconds)


def _read_log(arguments: argparse.Namespace, catalog: Catalog | None) -> Interactions:
    return read_interactions(
        arguments.interactions,
        catalog=catalog,
        min_user=MIN_USER if arguments.min_user is None else arguments.min_user,
        min_item=MIN_ITEM if arguments.min_item is None else arguments.min_item,
        max_user=MAX_USER if arguments.max_user is None else arguments.max_user,
    )


def _trainer(interactions: Interactions, attributes: ItemAttributes, settings: PreferenceSettings) -> PreferenceTrainer:
    known, times = attributes.known, interactions.timestamps
    return PreferenceTrainer(interactions.matrix, settings, timestamps=times, attributes=known)


def _tune(
    arguments: argparse.Namespace, interactions: Interactions, attributes: ItemAttributes, settings: PreferenceSettings
) -> Tuned:
    study_file = arguments.out.with_name(arguments.out.name + ".tuning.log")
    study_file.parent.mkdir(parents=True, exist_ok=True)
    if not arguments.resume:
        study_file.unlink(missing_ok=True)

    def measure(tried: PreferenceSettings) -> float:
        fitted = _trainer(interactions, attributes, tried).run(progress=False)
        return fitted.history[fitted.best_epoch - 1].ndcg

    name = fingerprint(settings, interactions.matrix, attributes.known)
    search = Search(arguments.tune, study_file, tuple(arguments.tune_dims or ()), name)
    return tune(measure, settings, search, progress=not arguments.no_progress)


def _metrics(interactions: Interactions, attributes: ItemAttributes, fitted: PreferenceFitted) -> Metrics:
    history = [{k: None if np.isnan(v) else round(v, 4) for k, v in e._asdict().items()} for e in fitted.history]
    best = history[fitted.best_epoch - 1]
    return {
        "items": len(attributes.catalog),
        "new_items": len(attributes.catalog) - len(interactions.items),
        "epochs": fitted.best_epoch,
        "loss": best["loss"],
        "held_out_recall": best["recall"],
        "held_out_ndcg": best["ndcg"],
        "history": history,
        "log": interactions.report.as_dict(),
    }


def _measures(
    interactions: Interactions, attributes: ItemAttributes, settings: PreferenceSettings
) -> dict[str, dict[str, float]]:
    """By model, means over a fifth of the users, of a model trained without them."""
    split = strong_generalization(interactions.matrix, settings.seed, timestamps=interactions.timestamps)
    trainer = PreferenceTrainer(split.train, settings, timestamps=split.train_timestamps, attributes=attributes.known)
    model = trainer.run(progress=False).scorer.in_8_bits()
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
