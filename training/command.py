"""The command `python -m training`: trains by what items are like, or, with `--interactions`, by who likes them.

`check` reports every problem of a catalog, `convert` turns a public data set into a log and a catalog.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_runtime.cli.exit import run
from training import train_catalog, train_interactions
from training.console.files import check_replaceable, describe_os_error, is_never_own
from training.console.libraries import name_missing_libraries
from training.datasets import check_sources
from training.datasets.registry import DATASETS
from training.errors import SettingsError
from training.inputs.catalog import BUILT_IN_CATALOG, scan_catalog
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

if TYPE_CHECKING:
    from training.inputs.interactions import Report
    from training.trained import Trained

PROBLEMS = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 for a failure or problems of a catalog."""
    argv = sys.argv[1:] if argv is None else argv
    commands = {"check": _check, "convert": _convert}
    if argv and argv[0] in commands:
        return commands[argv[0]](argv[1:])
    arguments = make_parser().parse_args(argv)
    arguments.out = arguments.out or _name_folder(arguments)
    return run(
        partial(name_missing_libraries, partial(_train, arguments)),
        "training",
        when_interrupted="the same command continues after the last finished epoch",
        describe_os_error=partial(describe_os_error, arguments.out),
    )


def _name_folder(arguments: argparse.Namespace) -> Path:
    """`build/songs` for `songs.csv` or `songs.parquet`; `build/meals` for the catalog that is built in."""
    source: Path = arguments.interactions or arguments.catalog or BUILT_IN_CATALOG
    return Path("build", source.name.partition(".")[0] or "model")


def _train(arguments: argparse.Namespace) -> None:
    given = vars(arguments)
    settings = {name: given[name] for name in INTERACTION_SETTINGS if name in given}
    options = {name: given[name] for name in INTERACTION_OPTIONS if name in given}
    common = {name: given[name] for name in ("out", "resume", "restart", "force", "evaluate")}
    common |= {"progress": not arguments.no_progress, "on_resume": _say_resumed}
    if arguments.interactions is not None:
        _train_interactions(arguments, {**common, **options, **settings})
        return
    for name in (*settings, *options):
        if name not in CATALOG_SETTINGS:
            option = name.replace("_", "-")
            raise SettingsError(f"--{option} is for learning from what people like; give --interactions with it")
    own = {"triplets": arguments.triplets, "popularity": arguments.popularity, "columns": arguments.columns}
    _report(arguments, train_catalog(arguments.catalog, **own, **common, **settings))


def _train_interactions(arguments: argparse.Namespace, options: dict[str, Any]) -> None:
    if arguments.popularity is not None:
        raise SettingsError(
            "--popularity is for a catalog alone: the log says how widely an item is liked; leave it out"
        )
    for option in ("triplets", "columns"):
        if getattr(arguments, option):
            raise SettingsError(f"--{option} measures what items are like; leave it out with --interactions")

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
        from training.report import describe_trained

        print(f"{describe_trained(trained)}\n\nwrote {arguments.out}")


def _say_resumed(epochs: int) -> None:
    print(f"training: goes on after epoch {epochs} of a run that was stopped; --restart trains anew", file=sys.stderr)


def _check(argv: Sequence[str]) -> int:
    """`python -m training check`."""
    file = make_check_parser().parse_args(argv).file

    def check() -> int:
        rules = read_rules(file)
        catalog, unusable = scan_catalog(file, popularity=rules.popularity)
        from training.inputs.catalog_check import Problem, describe_catalog, find_problems

        problems = sorted([*(Problem(*each) for each in unusable), *find_problems(catalog, rules)])
        print("\n".join([*map(str, problems), *describe_catalog(catalog, problems)]))
        return PROBLEMS if problems else 0

    return run(partial(name_missing_libraries, check), "training check")


def _convert(argv: Sequence[str]) -> int:
    """`python -m training convert`."""
    arguments = make_convert_parser().parse_args(argv)

    def convert() -> None:
        check_sources(arguments.source)
        for name in ("catalog.csv", f"interactions.{'parquet' if arguments.parquet else 'csv'}"):
            check_replaceable(arguments.out / name, is_never_own, "python -m training convert", force=arguments.force)
        from training.datasets.write_dataset import write_dataset

        dataset = DATASETS[arguments.dataset]
        found = dataset.read(arguments.source, getattr(arguments, dataset.option.name))
        notes = write_dataset(found, arguments.out, arguments.parquet)
        print("\n".join([*notes, f"wrote {arguments.out}"]))

    return run(
        partial(name_missing_libraries, convert),
        "training convert",
        describe_os_error=partial(describe_os_error, arguments.out),
    )
