"""The command `python -m training`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from training.catalog import BUILT_IN_CATALOG, Catalog, read_catalog
from training.errors import TrainingError
from training.evaluation import Triplet, triplet_accuracy, triplets_of
from training.features import build_vocabulary, featurize
from training.fit import Fitted, Settings, Trainer
from training.measures import check_measurable, evaluate
from training.quiet import drop_output
from training.rules import enrich, rules_beside
from training.trained import Trained, check_replaceable, save

Metrics = dict[str, Any]

BAD_INPUT = 2
FAILURE = 1
_HELP = {
    "dims": "numbers in a vector",
    "epochs": "epochs at most",
    "batch": "items in a step",
    "patience": "epochs without a better held-out measure before training stops",
    "seed": "of every random choice",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 for a failure."""
    arguments = _parser().parse_args(argv)
    try:
        _train(arguments)
        sys.stdout.flush()
    except TrainingError as error:
        print(f"training: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        drop_output()
        return FAILURE
    except OSError as error:
        print(f"training: {arguments.out}: cannot be written ({error.strerror or error})", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print("training: interrupted; --resume continues from the last finished epoch", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Trains an embedding of a catalog.")
    parser.add_argument("--catalog", type=Path, default=BUILT_IN_CATALOG, help="CSV or Parquet (default: 5,000 meals)")
    parser.add_argument("--triplets", type=Path, help="to measure with (default: those beside the catalog, if any)")
    parser.add_argument("--out", type=Path, default=Path("build/model"), help="trained folder (default: %(default)s)")
    for field in fields(Settings):
        if field.name in _HELP:
            help_text = f"{_HELP[field.name]} (default: %(default)s)"
            parser.add_argument(f"--{field.name}", type=int, default=field.default, help=help_text)
    parser.add_argument("--resume", action="store_true", help="continue a run that was stopped")
    parser.add_argument(
        "--evaluate", action="store_true", help="measure against TF-IDF and SVD as well; trains five times more"
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="print the metrics as JSON")
    return parser


def _train(arguments: argparse.Namespace) -> None:
    settings = Settings(**{name: getattr(arguments, name) for name in _HELP})
    check_replaceable(arguments.out)
    catalog = read_catalog(arguments.catalog)
    rules = rules_beside(arguments.catalog)
    vocabulary = build_vocabulary(catalog)
    features = featurize([item.attributes for item in catalog.items], vocabulary)
    trainer = Trainer(features, vocabulary, settings, rules.weights)
    checkpoint = arguments.out.with_name(arguments.out.name + ".checkpoint.npz")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=checkpoint.parent).close()  # fails now rather than after the first epoch
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
    _report(arguments, metrics, seconds)


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


def _report(arguments: argparse.Namespace, metrics: Metrics, seconds: float) -> None:
    if arguments.json:
        print(json.dumps(metrics))
        return
    print(
        f"trained {metrics['items']} items x {arguments.dims} dims in {seconds:.1f} s, "
        f"best after epoch {metrics['epochs']}"
    )
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
