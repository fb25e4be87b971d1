"""What was trained, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from training.inputs.catalog import Catalog
from training.inputs.catalog_check import find_oddities
from training.trained import Trained


def describe_trained(trained: Trained) -> str:
    """The measures of a model that was just trained, a few lines."""
    metrics, dims = trained.metrics, trained.settings["dims"]
    first = f"trained {metrics['items']} items x {dims} dims in {trained.seconds:.1f} s"
    rest = _describe_attributes(trained) if trained.preference is None else _describe_interactions(trained)
    neighbors = [f"{row['item']} -> {row['nearest']}" for row in metrics["neighbors"]]
    return "\n".join([f"{first}, best after epoch {metrics['epochs']}", *rest, "", *neighbors])


def _describe_attributes(trained: Trained) -> Iterator[str]:
    metrics = trained.metrics
    if metrics["held_out_reciprocal_rank"] is None:
        yield "no attribute value could be held out: too few of them; trained for all epochs"
    else:
        yield f"held-out attribute values: mean reciprocal rank {metrics['held_out_reciprocal_rank']:.3f}"
    if metrics["triplet_accuracy"] is not None:
        yield f"triplets: {metrics['triplet_accuracy']:.1%} right"
    yield from ("", *_describe_columns(trained.catalog, metrics["columns"]))
    if metrics["held_out_values"]:
        yield "\nheld-out values (they chose the best epoch too) told by the nearest items, mean reciprocal rank:"
        yield format_scores(metrics["held_out_values"])
    if metrics.get("measures"):
        yield "\nhidden values told by the nearest items, of models that never saw them, mean reciprocal rank:"
        yield format_scores(metrics["measures"])


def format_scores(records: Sequence[Mapping[str, Any]]) -> str:
    """Records of `list_scores` as a table, a line for each thing asked."""
    headers = list(records[0])
    cells = [list(record.values()) for record in records]
    rows = [[name, f"{count:,}", *(f"{score:.3f}" for score in scores)] for name, count, *scores in cells]
    return tabulate(rows, headers, disable_numparse=True, colalign=["left"] + ["right"] * (len(headers) - 1))


def _describe_columns(catalog: Catalog, columns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    headers = ["column", "items with it", "values", "of one item", ""]
    rows = [[c["column"], f"{c['items']:,}", f"{c['values']:,}", f"{c['single']:,}", c["note"]] for c in columns]
    yield tabulate(rows, headers, disable_numparse=True, colalign=["left", "right", "right", "right", "left"])
    if catalog.popularity:
        yield "one column more says how widely an item is known; it orders like names and is no attribute"
    yield from find_oddities(catalog)


def _describe_interactions(trained: Trained) -> Iterator[str]:
    metrics = trained.metrics
    if metrics["new_items"]:
        yield f"{metrics['new_items']} of them nobody has yet: placed by their attributes"
    if metrics["held_out_recall"] is None:
        yield "no user was held out; trained for all epochs"
    else:
        yield f"held-out users: recall@10 {metrics['held_out_recall']:.3f}, NDCG@10 {metrics['held_out_ndcg']:.3f}"
    if "tuning" in metrics:
        yield f"settings are the best of {metrics['tuning']['trials']} trials, by NDCG@10 of held-out users"
    for name, measures in metrics.get("measures", {}).items():
        yield f"{name:12}  {'  '.join(f'{measure} {value:.3f}' for measure, value in measures.items())}"
