"""Trains items by what they are like: from a catalog to a trained folder.

All that is given is read and checked before TensorFlow is imported, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.by_attributes.settings import AttributeSettings
from training.errors import CatalogError, SettingsError
from training.evaluation.triplets import Triplet, find_triplets
from training.inputs.catalog import Catalog, read_catalog
from training.inputs.rules import Rules, enrich, read_rules
from training.loop.options import RunOptions

if TYPE_CHECKING:
    from training.by_attributes.measures import Comparison
    from training.by_attributes.trainer import AttributeTrainer, FittedAttributes
    from training.trained import Trained


@dataclass(frozen=True, kw_only=True)
class CatalogRequest(RunOptions):
    """The arguments of `training.train_catalog`."""

    catalog: Path
    triplets: Path | None
    popularity: str | None
    evaluate: bool
    columns: tuple[str, ...]
    settings: AttributeSettings


@dataclass(frozen=True)
class Inputs:
    """What is trained on and measured with."""

    catalog: Catalog
    rules: Rules
    triplets: Sequence[Triplet]


def train_from_catalog(request: CatalogRequest) -> Trained:
    """See `training.train_catalog`."""
    request.check()
    inputs = read_inputs(request.catalog, request.triplets, request.popularity, request.columns)
    if request.columns and not request.evaluate:
        raise SettingsError("--columns says what --evaluate hides and asks for; give --evaluate with it")
    request.forget_if_restarted()
    from training.console.quiet_tensorflow import import_tensorflow

    import_tensorflow()
    from training.by_attributes.trainer import AttributeTrainer
    from training.inputs.attribute_features import build_vocabulary, featurize
    from training.loop.run import run_timed
    from training.trained import Trained, save

    catalog, rules = inputs.catalog, inputs.rules
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    trainer = AttributeTrainer(features, vocabulary, request.settings, rules.weights)
    fitted, seconds = run_timed(trainer, request)
    trained = Trained(
        enrich(catalog, rules),
        fitted.table,
        vocabulary.values,
        fitted.values[1:],
        _measure(request, inputs, trainer, fitted),
        asdict(request.settings),
        tuple(inputs.triplets),
        seconds=seconds,
    )
    if request.out is not None:
        save(trained, request.out, force=request.force)
    request.remove_checkpoint()
    return trained


def read_inputs(
    path: Path, triplets: Path | None = None, popularity: str | None = None, columns: Sequence[str] = ()
) -> Inputs:
    """Reads a catalog and what stands beside it; nothing heavy is imported but for Parquet.

    Args:
        columns: that will be asked for.

    Raises:
        TrainingError: one of the files cannot be used, or the catalog has no such column.
    """
    rules = read_rules(path)
    catalog = read_catalog(path, popularity=popularity or rules.popularity)
    for column in columns:
        if column not in catalog.columns:
            raise CatalogError(f"{path}: has no attribute {column!r}; there are {', '.join(catalog.columns)}")
    return Inputs(catalog, rules, find_triplets(path, catalog, triplets))


def list_scores(comparison: Comparison) -> list[dict[str, Any]]:
    """What each way to make vectors found, one thing asked for a record."""
    return [
        {
            "asked for": name,
            "count": count,
            **{
                f"{method.name}, {method.dims:,} dims" if method.dims else method.name: round(method.scores[name], 4)
                for method in comparison.methods
            },
        }
        for name, count in comparison.counts.items()
    ]


def _measure(
    request: CatalogRequest, inputs: Inputs, trainer: AttributeTrainer, fitted: FittedAttributes
) -> dict[str, Any]:
    from training.by_attributes.likeness import measure_triplets
    from training.by_attributes.measures import compare_with_baselines, measure_held_out
    from training.inputs.catalog_check import summarize_columns

    catalog, weights, triplets = inputs.catalog, inputs.rules.weights, inputs.triplets
    accuracy = measure_triplets(fitted.table, triplets) if triplets else None
    metrics: dict[str, Any] = {
        "items": len(catalog),
        "epochs": fitted.best_epoch,
        "held_out_reciprocal_rank": round(max(fitted.history), 4) if fitted.history else None,
        "triplet_accuracy": round(accuracy.all, 4) if accuracy else None,
        "hard_triplet_accuracy": round(accuracy.hard, 4) if accuracy and accuracy.hard is not None else None,
        "columns": [asdict(column) for column in summarize_columns(catalog)],
        "neighbors": name_neighbors(catalog, fitted.table),
    }
    vectors, features = trainer.encode_visible(), trainer.features
    held_out = measure_held_out(vectors, trainer.held_out, features, trainer.vocabulary, weights)
    metrics["held_out_values"] = list_scores(held_out)
    if request.evaluate:
        compared = compare_with_baselines(
            catalog,
            triplets,
            weights,
            [request.settings.dims],
            columns=request.columns,
            settings=request.settings,
            progress=request.progress,
        )
        metrics["measures"] = list_scores(compared)
    return metrics


def name_neighbors(catalog: Catalog, table: Any, items: int = 5, neighbors: int = 5) -> list[Mapping[str, str]]:
    """Some items, those known best where that is known, and the names of their nearest, to look at."""
    import numpy as np

    from training.by_attributes.likeness import find_neighbors

    count = len(catalog)
    order = np.argsort(-np.array(catalog.popularity or [0.0] * count), kind="stable")
    order = order[:100] if catalog.popularity else order
    rows = order[np.unique(np.linspace(0, len(order) - 1, items).astype(np.int64))]
    if count < 2:
        return []
    names = [item.name for item in catalog.items]
    return [
        {"item": names[row], "nearest": ", ".join(names[other] for other in nearest)}
        for row, nearest in zip(rows, find_neighbors(table, rows, neighbors), strict=True)
    ]
