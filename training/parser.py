"""The options of `python -m training`. Those that are settings describe themselves (see `training.loop.settings`)."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from training.by_attributes.settings import AttributeSettings
from training.by_interactions.settings import InteractionSettings
from training.datasets.registry import DATASETS
from training.inputs.bounds import MAX_USER, MIN_ITEM, MIN_USER
from training.loop.settings import list_options

CATALOG_SETTINGS = tuple(list_options(AttributeSettings))
INTERACTION_SETTINGS = tuple(list_options(InteractionSettings))
INTERACTION_OPTIONS = ("min_user", "min_item", "max_user", "tune", "tune_dims", "tensorboard")


def make_parser() -> argparse.ArgumentParser:
    """The parser of training; options that are not given are absent from what it returns, but for the common ones."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Trains an embedding of items by what they are like or who likes them.",
        epilog="python -m training check FILE reports every problem of a catalog; python -m training convert DATASET "
        "turns a public data set into a log and a catalog.",
    )
    parser.add_argument("--catalog", type=Path, help="CSV or Parquet (default: 5,000 meals; none with --interactions)")
    parser.add_argument("--triplets", type=Path, help="to measure with (default: those beside the catalog, if any)")
    parser.add_argument(
        "--popularity",
        metavar="COLUMN",
        help="a column of numbers that say how widely an item is known, to order like names by; it is no attribute "
        "(default: what the rules beside the catalog name)",
    )
    parser.add_argument("--out", type=Path, help="trained folder (default: build/ and the name of the catalog or log)")
    parser.add_argument("--force", action="store_true", help="replace whatever is in the folder")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="a run that was stopped has to be there (without it, one is continued where there is one)",
    )
    parser.add_argument("--restart", action="store_true", help="train anew, whatever was stopped")
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="hide a value of each item and measure how well its neighbors tell it, against TF-IDF and SVD, training "
        "five times more, six with triplets; with --interactions on a fifth of the users, training once more without "
        "them",
    )
    parser.add_argument(
        "--columns", nargs="+", default=(), metavar="COLUMN", help="whose values --evaluate asks for (default: all)"
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="print the metrics as JSON")
    group = parser.add_argument_group("how to train")
    for name in CATALOG_SETTINGS:
        _add_setting(group, AttributeSettings, name)
    _add_interactions(parser.add_argument_group("learning from what people like"))
    return parser


def make_check_parser() -> argparse.ArgumentParser:
    """The parser of `python -m training check`."""
    parser = argparse.ArgumentParser(
        prog="python -m training check", description="Checks a catalog; reports every problem, with its row."
    )
    parser.add_argument("file", type=Path, help="CSV or Parquet; rules beside it, in FILE's name with .toml, are used")
    return parser


def make_convert_parser() -> argparse.ArgumentParser:
    """The parser of `python -m training convert`."""
    parser = argparse.ArgumentParser(prog="python -m training convert", description="Converts public data sets.")
    commands = parser.add_subparsers(dest="dataset", metavar="DATASET", required=True)
    for name, dataset in DATASETS.items():
        command = commands.add_parser(name, help=dataset.help)
        command.add_argument("source", type=Path, nargs="+", help="downloaded files, or folders that hold them")
        command.add_argument("--out", type=Path, required=True, help="folder to write to")
        command.add_argument("--force", action="store_true", help="replace files of the same names")
        command.add_argument("--parquet", action="store_true", help="the log as Parquet (default: CSV)")
        command.add_argument(dataset.option.flag, **dataset.option.settings)
    return parser


def _add_interactions(likes: Any) -> None:
    likes.add_argument(
        "--interactions", type=Path, metavar="LOG", help=".csv, .parquet or .jsonl: user_id, item_id, ..."
    )
    for option, kind, text in (
        ("--min-user", {"type": int}, f"users with fewer items are left out (default: {MIN_USER})"),
        ("--min-item", {"type": int}, f"items with fewer users are left out (default: {MIN_ITEM})"),
        ("--max-user", {"type": int}, f"items of a user beyond are left out (default: {MAX_USER:,})"),
        ("--tune", {"type": int}, "search settings first, in N trials; a search that was stopped goes on"),
        ("--tune-dims", {"type": int, "nargs": "+"}, "widths to choose among (default: --dims)"),
        ("--tensorboard", {"type": Path}, "log for TensorBoard"),
    ):
        metavar = "DIR" if kind["type"] is Path else "N"
        likes.add_argument(option, **kind, metavar=metavar, default=argparse.SUPPRESS, help=text)
    for name in INTERACTION_SETTINGS:
        if name not in CATALOG_SETTINGS:
            _add_setting(likes, InteractionSettings, name)


def _add_setting(group: Any, settings: type, name: str) -> None:
    """An option that is absent where it is not given, as each way to train has its defaults."""
    each = next(each for each in fields(settings) if each.name == name)
    option, text, kind = f"--{name.replace('_', '-')}", each.metadata["help"], list_options(settings)[name]
    if kind is bool:
        group.add_argument(option, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text)
        return
    default = each.default
    if settings is AttributeSettings:
        default = f"{default}; with --interactions {getattr(InteractionSettings, name)}"
    group.add_argument(
        option,
        type=kind if kind in (int, float) else str,
        choices=get_args(kind) or None,
        metavar=None if get_args(kind) else "N",
        default=argparse.SUPPRESS,
        help=f"{text} (default: {default})",
    )
