"""python -m benchmarks interactions: recommenders on a log of what people like, mignon through its exported file."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.recommenders import compare as interactions
from training.console.quiet_tensorflow import import_tensorflow
from training.datasets.convert import write_dataset
from training.datasets.nhanes import read_nhanes
from training.errors import DatasetError, SettingsError
from training.inputs.catalog import Catalog, read_catalog
from training.inputs.interactions import MAX_USER, MIN_ITEM, MIN_USER, Interactions, read_interactions

NHANES = {"nhanes": False, "nhanes-dishes": True}
"""What stands for a log, and whether it is of dishes only."""
NHANES_FOLDER = Path("../shared/data/nhanes")
NHANES_VARIABLE = "MIGNON_NHANES"


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    found = argparse.ArgumentParser(prog="python -m benchmarks interactions", description=__doc__)
    found.set_defaults(which="interactions")
    found.add_argument(
        "log",
        help=f"a log of user_id, item_id, see docs/interactions.md; or one of {', '.join(NHANES)}: dietary recalls in "
        f"the folder {NHANES_FOLDER} or ${NHANES_VARIABLE}",
    )
    found.add_argument("--catalog", type=Path, help="of the items; rows of others are left out")
    found.add_argument(
        "--attributes",
        action="store_true",
        help="also train with attributes, and place new items by them, which writes new_items.json too",
    )
    found.add_argument("--dims", type=int, nargs="+", help="widths of mignon (default: 4 8 16 32 64 128)")
    found.add_argument("--min-user", type=int, default=MIN_USER, help="least items of a user (default: %(default)s)")
    found.add_argument("--min-item", type=int, default=MIN_ITEM, help="least users of an item (default: %(default)s)")
    found.add_argument("--max-user", type=int, default=MAX_USER, help="most items of a user (default: %(default)s)")
    interactions.add_options(found)
    return found


def run(arguments: argparse.Namespace) -> None:
    """Reads the log, compares, prints and writes.

    Raises:
        TrainingError: the log or the catalog cannot be used, or a setting is out of its range.
    """
    import_tensorflow()
    from benchmarks.recommenders import new_items as newcomers
    from benchmarks.recommenders.own_model import DIMS, mignons
    from training.inputs.attribute_features import index_attributes

    log, catalog = _read(arguments)
    if not arguments.json:
        print(f"{log.report}\n", flush=True)
    dims = arguments.dims or DIMS
    attributes = None
    if arguments.attributes:
        if catalog is None or not catalog.columns:
            raise SettingsError("--attributes needs a --catalog with attributes")
        attributes = index_attributes(catalog, log.items).known
    joined = [] if attributes is None else mignons(dims, attributes)
    interactions.compare(log.matrix, log.timestamps, arguments, [*interactions.BASELINES, *mignons(dims), *joined])
    if attributes is not None:
        placed = newcomers.measure(log.matrix, joined, arguments.splits, arguments.k)
        newcomers.write(placed, arguments.out)
        if not arguments.json:
            print(f"\n{newcomers.table_of(placed, arguments.k)}")


def _read(arguments: argparse.Namespace) -> tuple[Interactions, Catalog | None]:
    if arguments.log in NHANES:
        if arguments.catalog is not None:
            raise SettingsError(f"{arguments.log} has a catalog of its own; leave out --catalog")
        with tempfile.TemporaryDirectory() as folder:
            write_dataset(read_nhanes([_nhanes_folder()], NHANES[arguments.log]), Path(folder))
            return _read_log(arguments, Path(folder, "interactions.csv"), Path(folder, "catalog.csv"))
    return _read_log(arguments, Path(arguments.log), arguments.catalog)


def _read_log(arguments: argparse.Namespace, path: Path, catalog: Path | None) -> tuple[Interactions, Catalog | None]:
    known = None if catalog is None else read_catalog(catalog, needs_attributes=False)
    bounds = {"min_user": arguments.min_user, "min_item": arguments.min_item, "max_user": arguments.max_user}
    return read_interactions(path, catalog=known, **bounds), known


def _nhanes_folder() -> Path:
    given = os.environ.get(NHANES_VARIABLE)
    folder = Path(given) if given else NHANES_FOLDER
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: there is no such folder; set {NHANES_VARIABLE} to one that holds dietary recalls of NHANES "
            "(docs/interactions.md says which files)"
        )
    return folder
