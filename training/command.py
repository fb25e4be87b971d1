"""The command `python -m training`: by what items are like, or, with `--interactions`, by who likes them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args

from training.by_attributes import train as catalog_command
from training.by_attributes.trainer import Settings
from training.by_interactions import train as preference_command
from training.by_interactions.settings import PreferenceSettings, Weights
from training.console.quiet_tensorflow import drop_output
from training.errors import SettingsError, TrainingError
from training.inputs.catalog import BUILT_IN_CATALOG
from training.inputs.interactions import MAX_USER, MIN_ITEM, MIN_USER
from training.trained import check_replaceable

BAD_INPUT = 2
FAILURE = 1
_CATALOG_SETTINGS = ("dims", "epochs", "batch", "patience", "seed")


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


def _train(arguments: argparse.Namespace) -> None:
    given = {each.name: getattr(arguments, each.name) for each in _all_settings() if hasattr(arguments, each.name)}
    check_replaceable(arguments.out)
    if arguments.interactions is not None:
        if arguments.triplets is not None:
            raise SettingsError("--triplets measures what items are like; leave it out with --interactions")
        preference_command.train(arguments, PreferenceSettings(**given))
        return
    options = [name for name in preference_command.OPTIONS if getattr(arguments, name) is not None]
    for name in (*given, *options):
        if name not in _CATALOG_SETTINGS:
            option = name.replace("_", "-")
            raise SettingsError(f"--{option} is for learning from what people like; give --interactions with it")
    arguments.catalog = arguments.catalog or BUILT_IN_CATALOG
    catalog_command.train(arguments, Settings(**given))


def _all_settings() -> list[Field[Any]]:
    return list(fields(PreferenceSettings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Trains an embedding of items by what they are like or who likes them."
    )
    parser.add_argument("--catalog", type=Path, help="CSV or Parquet (default: 5,000 meals; none with --interactions)")
    parser.add_argument("--triplets", type=Path, help="to measure with (default: those beside the catalog, if any)")
    parser.add_argument("--out", type=Path, default=Path("build/model"), help="trained folder (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="continue a run that was stopped")
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="measure against TF-IDF and SVD as well, which trains five times more; with --interactions on a fifth of "
        "the users, training once more without them",
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="print the metrics as JSON")
    _add_settings(parser.add_argument_group("how to train"), _CATALOG_SETTINGS)
    likes = parser.add_argument_group("learning from what people like")
    likes.add_argument(
        "--interactions", type=Path, metavar="LOG", help=".csv, .parquet or .jsonl: user_id, item_id, ..."
    )
    likes.add_argument("--min-user", type=int, help=f"users with fewer items are left out (default: {MIN_USER})")
    likes.add_argument("--min-item", type=int, help=f"items with fewer users are left out (default: {MIN_ITEM})")
    likes.add_argument("--max-user", type=int, help=f"items of a user beyond are left out (default: {MAX_USER:,})")
    likes.add_argument(
        "--tune", type=int, metavar="N", help="search settings first, in N trials; --resume continues it"
    )
    likes.add_argument("--tune-dims", type=int, nargs="+", metavar="N", help="widths to choose among (default: --dims)")
    likes.add_argument("--tensorboard", type=Path, metavar="DIR", help="log for TensorBoard")
    _add_settings(likes, [each.name for each in _all_settings() if each.name not in _CATALOG_SETTINGS])
    return parser


def _add_settings(group: Any, names: Sequence[str]) -> None:
    """Options that are absent from the arguments where they are not given, as each way to train has its defaults."""
    other = {each.name: each.default for each in fields(Settings)}
    kinds = {"int": int, "float": float, "Weights": str}
    for each in _all_settings():
        if each.name not in names:
            continue
        option, text = f"--{each.name.replace('_', '-')}", each.metadata["help"]
        if each.type == "bool":
            group.add_argument(option, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text)
            continue
        default = (
            f"{other[each.name]}; with --interactions {each.default}"
            if each.name in _CATALOG_SETTINGS
            else each.default
        )
        group.add_argument(
            option,
            type=kinds[str(each.type)],
            choices=get_args(Weights) if each.type == "Weights" else None,
            metavar=None if each.type == "Weights" else "N",
            default=argparse.SUPPRESS,
            help=f"{text} (default: {default})",
        )
