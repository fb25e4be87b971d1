"""The public data sets that can be converted: a new one is a module beside this one and an entry here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.datasets import MIN_RATINGS

if TYPE_CHECKING:  # polars takes long to import, and --help need not wait for it
    from training.datasets.publisher_files import Dataset


@dataclass(frozen=True)
class Option:
    """An option of `python -m training convert NAME` that only some data sets have.

    Attributes:
        settings: further arguments of `ArgumentParser.add_argument`.
    """

    flag: str
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As a keyword of the reader."""
        return self.flag.lstrip("-").replace("-", "_")


@dataclass(frozen=True)
class PublicDataset:
    """How one is read.

    Attributes:
        help: which files its publisher ships.
        reader: `module.function` below `training.datasets`, called with the sources and the option by its keyword.
    """

    help: str
    reader: str
    option: Option

    def read(self, sources: Sequence[Path], chosen: Any) -> Dataset:
        """What the reader finds.

        Raises:
            DatasetError: the files are not those of this data set.
        """
        module, _, function = self.reader.partition(".")
        found: Dataset = getattr(import_module(f"training.datasets.{module}"), function)(
            sources, **{self.option.name: chosen}
        )
        return found


def _min_rating(name: str) -> Option:
    settings = {"type": float, "default": MIN_RATINGS[name], "help": "what counts as liked (default: %(default)s)"}
    return Option("--min-rating", settings)


DATASETS = {
    "nhanes": PublicDataset(
        "dietary recalls: DR1IFF_x.XPT, DR2IFF_x.XPT, DRXFCD_x.XPT",
        "nhanes.read_nhanes",
        Option("--dishes", {"action": "store_true", "help": "only foods that foods.csv marks as dishes"}),
    ),
    "foodcom": PublicDataset(
        "Food.com: RAW_interactions.csv, RAW_recipes.csv", "foodcom.read_foodcom", _min_rating("foodcom")
    ),
    "movielens": PublicDataset(
        "MovieLens: ratings and movies, .csv or .dat", "movielens.read_movielens", _min_rating("movielens")
    ),
}
