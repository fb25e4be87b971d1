"""Trains items by what they are like: from a catalog to a trained folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.by_attributes.likeness import measure_triplets
from training.by_attributes.measures import check_measurable, compare_with_baselines
from training.by_attributes.settings import AttributeSettings
from training.by_attributes.trainer import AttributeTrainer, FittedAttributes
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import Catalog, read_catalog
from training.inputs.rules import Rules, enrich, read_rules
from training.inputs.triplets import Triplet, find_triplets
from training.loop.run import RunOptions, run_timed
from training.trained import Trained, check_replaceable, save


@dataclass(frozen=True, kw_only=True)
class CatalogRequest(RunOptions):
    """The arguments of `training.train_catalog`."""

    catalog: Path
    triplets: Path | None
    popularity: str | None
    evaluate: bool
    settings: AttributeSettings


def train_from_catalog(request: CatalogRequest) -> Trained:
    """See `training.train_catalog`."""
    if request.out is not None:
        check_replaceable(request.out)
    rules = read_rules(request.catalog)
    catalog = read_catalog(request.catalog, popularity=request.popularity or rules.popularity)
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    trainer = AttributeTrainer(features, vocabulary, request.settings, rules.weights)
    triplets = find_triplets(request.catalog, catalog, request.triplets)
    if request.evaluate:
        check_measurable(request.catalog, catalog, triplets)
    fitted, seconds = run_timed(trainer, request)
    trained = Trained(
        enrich(catalog, rules),
        fitted.table,
        vocabulary.values,
        fitted.values[1:],
        _measure(request, catalog, rules, triplets, fitted),
        asdict(request.settings),
        tuple(triplets),
        seconds=seconds,
    )
    if request.out is not None:
        save(trained, request.out)
    request.remove_checkpoint()
    return trained


def _measure(
    request: CatalogRequest, catalog: Catalog, rules: Rules, triplets: list[Triplet], fitted: FittedAttributes
) -> dict[str, Any]:
    accuracy = measure_triplets(fitted.table, triplets) if triplets else None
    metrics: dict[str, Any] = {
        "items": len(catalog),
        "epochs": fitted.best_epoch,
        "held_out_reciprocal_rank": round(max(fitted.history), 4) if fitted.history else None,
        "triplet_accuracy": round(accuracy.all, 4) if accuracy else None,
        "hard_triplet_accuracy": round(accuracy.hard, 4) if accuracy and accuracy.hard is not None else None,
    }
    if request.evaluate:
        dims = [request.settings.dims]
        results = compare_with_baselines(
            catalog, triplets, rules.weights, dims, settings=request.settings, progress=request.progress
        )
        metrics["measures"] = [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(result).items()}
            for result in results
        ]
    return metrics
