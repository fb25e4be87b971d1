"""What was trained, in words."""

from __future__ import annotations

from collections.abc import Iterator

from training.trained import Trained


def describe_trained(trained: Trained) -> str:
    """The measures of a model that was just trained, a few lines."""
    metrics, dims = trained.metrics, trained.settings["dims"]
    first = f"trained {metrics['items']} items x {dims} dims in {trained.seconds:.1f} s"
    rest = _describe_attributes(trained) if trained.preference is None else _describe_interactions(trained)
    return "\n".join([f"{first}, best after epoch {metrics['epochs']}", *rest])


def _describe_attributes(trained: Trained) -> Iterator[str]:
    metrics = trained.metrics
    if metrics["held_out_reciprocal_rank"] is None:
        yield "no attribute value could be held out: too few of them; trained for all epochs"
    else:
        yield f"held-out attribute values: mean reciprocal rank {metrics['held_out_reciprocal_rank']:.3f}"
    if metrics["triplet_accuracy"] is not None:
        yield f"triplets: {metrics['triplet_accuracy']:.1%} right"
    for scores in metrics.get("measures", ()):
        shown = "  ".join(f"{name} {100 * value:.1f}" for name, value in scores.items() if name not in ("name", "dims"))
        yield f"{scores['name']:16} {scores['dims']:5} dims  {shown}"


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
