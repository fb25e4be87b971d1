"""`python -m training --catalog FILE`: items by what they are like."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from training.by_attributes.measures import check_measurable, evaluate
from training.by_attributes.trainer import Fitted, Settings, Trainer
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import Catalog, read_catalog
from training.inputs.rules import enrich, rules_beside
from training.inputs.triplets import Triplet, triplet_accuracy, triplets_of
from training.loop.checkpoint import checkpoint_beside
from training.trained import Trained, save

Metrics = dict[str, Any]


def train(arguments: argparse.Namespace, settings: Settings) -> None:
    """Trains by the command's arguments, writes the folder and prints what was measured.

    Raises:
        TrainingError: the catalog or the triplets cannot be used, or the checkpoint is of another run.
    """
    catalog = read_catalog(arguments.catalog)
    rules = rules_beside(arguments.catalog)
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    trainer = Trainer(features, vocabulary, settings, rules.weights)
    checkpoint = checkpoint_beside(arguments.out)
    if arguments.resume and checkpoint.exists():
        trainer.restore(checkpoint)
    triplets = triplets_of(arguments.catalog, catalog, arguments.triplets)
    if arguments.evaluate:
        check_measurable(arguments.catalog, catalog, triplets)
    start = time.monotonic()
    fitted = trainer.run(checkpoint, progress=not arguments.no_progress)
    seconds = time.monotonic() - start
    metrics = _metrics(catalog, fitted, triplets)
    if arguments.evaluate:
        metrics["measures"] = _measures(catalog, triplets, rules.weights, settings)
    trained = Trained(
        enrich(catalog, rules),
        fitted.table,
        vocabulary.values,
        fitted.values[1:],
        metrics,
        asdict(settings),
        tuple(triplets),
    )
    save(trained, arguments.out)
    checkpoint.unlink(missing_ok=True)
    _report(arguments, settings.dims, metrics, seconds)


def _measures(
    catalog: Catalog, triplets: Sequence[Triplet], weights: Mapping[str, float], settings: Settings
) -> list[dict[str, Any]]:
    results = evaluate(catalog, triplets, weights, [settings.dims], settings=settings)
    return [{k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(r).items()} for r in results]


def _metrics(catalog: Catalog, fitted: Fitted, triplets: Sequence[Triplet]) -> Metrics:
    accuracy = triplet_accuracy(fitted.table, triplets) if triplets else None
    return {
        "items": len(catalog),
        "epochs": fitted.best_epoch,
        "held_out_reciprocal_rank": round(max(fitted.history), 4) if fitted.history else None,
        "triplet_accuracy": round(accuracy.all, 4) if accuracy else None,
        "hard_triplet_accuracy": round(accuracy.hard, 4) if accuracy and accuracy.hard is not None else None,
    }


def _report(arguments: argparse.Namespace, dims: int, metrics: Metrics, seconds: float) -> None:
    if arguments.json:
        print(json.dumps(metrics))
        return
    print(f"trained {metrics['items']} items x {dims} dims in {seconds:.1f} s, best after epoch {metrics['epochs']}")
    if metrics["held_out_reciprocal_rank"] is None:
        print("no attribute value could be held out: too few of them; trained for all epochs")
    else:
        print(f"held-out attribute values: mean reciprocal rank {metrics['held_out_reciprocal_rank']:.3f}")
    if metrics["triplet_accuracy"] is not None:
        print(f"triplets: {metrics['triplet_accuracy']:.1%} right")
    for scores in metrics.get("measures", ()):
        shown = "  ".join(f"{name} {100 * value:.1f}" for name, value in scores.items() if name not in ("name", "dims"))
        print(f"{scores['name']:16} {scores['dims']:5} dims  {shown}")
    print(f"wrote {arguments.out}")
