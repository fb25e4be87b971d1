"""The command `python -m training`: trains by what items are like, or, with `--interactions`, by who likes them.

`check` reports every problem of a catalog, `convert` turns a public data set into a log and a catalog.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_runtime.cli.exit import run
from training import train_catalog, train_interactions
from training.errors import SettingsError
from training.inputs.catalog import read_catalog
from training.inputs.catalog_check import describe_catalog, find_problems
from training.inputs.rules import read_rules
from training.loop.workers import read_worker
from training.parser import (
    CATALOG_SETTINGS,
    INTERACTION_OPTIONS,
    INTERACTION_SETTINGS,
    make_check_parser,
    make_convert_parser,
    make_parser,
)
from training.report import describe_trained
from training.trained import Trained

if TYPE_CHECKING:
    from training.datasets.sources import Dataset
    from training.inputs.interactions import Report

PROBLEMS = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 for a failure or problems of a catalog."""
    argv = sys.argv[1:] if argv is None else argv
    commands = {"check": _check, "convert": _convert}
    if argv and argv[0] in commands:
        return commands[argv[0]](argv[1:])
    arguments = make_parser().parse_args(argv)
    return run(
        lambda: _train(arguments),
        "training",
        when_interrupted="--resume continues from the last finished epoch",
        describe_os_error=lambda error: _cannot_write(arguments.out, error),
    )


def _train(arguments: argparse.Namespace) -> None:
    given = vars(arguments)
    settings = {name: given[name] for name in INTERACTION_SETTINGS if name in given}
    options = {name: given[name] for name in INTERACTION_OPTIONS if name in given}
    common = {name: given[name] for name in ("out", "resume", "evaluate")}
    common["progress"] = not arguments.no_progress
    if arguments.interactions is not None:
        _train_interactions(arguments, {**common, **options, **settings})
        return
    for name in (*settings, *options):
        if name not in CATALOG_SETTINGS:
            option = name.replace("_", "-")
            raise SettingsError(f"--{option} is for learning from what people like; give --interactions with it")
    own = {"triplets": arguments.triplets, "popularity": arguments.popularity}
    _report(arguments, train_catalog(arguments.catalog, **own, **common, **settings))


def _train_interactions(arguments: argparse.Namespace, options: dict[str, Any]) -> None:
    if arguments.popularity is not None:
        raise SettingsError(
            "--popularity is for a catalog alone: the log says how widely an item is liked; leave it out"
        )
    if arguments.triplets is not None:
        raise SettingsError("--triplets measures what items are like; leave it out with --interactions")

    def print_log(report: Report) -> None:
        if not arguments.json:
            print(report, flush=True)

    trained = train_interactions(arguments.interactions, catalog=arguments.catalog, on_read=print_log, **options)
    if read_worker().number == 0:  # the others write nothing
        _report(arguments, trained)


def _report(arguments: argparse.Namespace, trained: Trained) -> None:
    if arguments.json:
        print(json.dumps(trained.metrics, ensure_ascii=False))
    else:
        print(f"{describe_trained(trained)}\nwrote {arguments.out}")


def _check(argv: Sequence[str]) -> int:
    """`python -m training check`."""
    file = make_check_parser().parse_args(argv).file

    def check() -> int:
        rules = read_rules(file)
        catalog = read_catalog(file, popularity=rules.popularity)
        problems = find_problems(catalog, rules)
        print("\n".join([*map(str, problems), *describe_catalog(catalog, problems)]))
        return PROBLEMS if problems else 0

    return run(check, "training check")


def _convert(argv: Sequence[str]) -> int:
    """`python -m training convert`."""
    arguments = make_convert_parser().parse_args(argv)

    def convert() -> None:
        from training.datasets import convert, foodcom, movielens, nhanes

        source = arguments.source
        readers: dict[str, Callable[[], Dataset]] = {
            "nhanes": lambda: nhanes.read_nhanes(source, arguments.dishes),
            "foodcom": lambda: foodcom.read_foodcom(source, arguments.min_rating),
            "movielens": lambda: movielens.read_movielens(source, arguments.min_rating),
        }
        notes = convert.write_dataset(readers[arguments.dataset](), arguments.out, arguments.parquet)
        print("\n".join([*notes, f"wrote {arguments.out}"]))

    return run(convert, "training convert", describe_os_error=lambda error: _cannot_write(arguments.out, error))


def _cannot_write(out: Path, error: OSError) -> str:
    return f"{out}: cannot be written ({error.strerror or error})"
