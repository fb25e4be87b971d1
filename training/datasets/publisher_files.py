"""Files of public data sets, as their publishers ship them, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars
from polars.exceptions import PolarsError

from training.datasets import check_sources
from training.errors import DatasetError

Row = tuple[str, str, dict[str, Sequence[str]]]
"""id, name and attributes of an item, as found"""


@dataclass(frozen=True)
class Dataset:
    """A log, not yet read, of the columns `user_id`, `item_id` and maybe `weight` and `timestamp`, and its items.

    Attributes:
        notes: what was left out and why, a line each.
    """

    log: polars.LazyFrame
    items: list[Row]
    notes: list[str]


def list_files(sources: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named.

    Raises:
        DatasetError: one does not exist.
    """
    check_sources(sources)
    found = (sorted(source.iterdir()) if source.is_dir() else [source] for source in sources)
    return [path for paths in found for path in paths]


def find_file(files: Sequence[Path], name: str) -> Path:
    """The file of that name.

    Raises:
        DatasetError: it is missing.
    """
    for path in files:
        if path.name == name:
            return path
    raise DatasetError(f"{name} is missing among {', '.join(path.name for path in files) or 'no files'}; add it")


def scan_csv(path: Path, columns: Sequence[str]) -> polars.LazyFrame:
    """Some columns of a CSV file, as text, not yet read.

    Raises:
        DatasetError: it cannot be read, or lacks a column.
    """
    try:
        frame = polars.scan_csv(path, infer_schema=False, glob=False)
        found = frame.collect_schema().names()
    except (OSError, PolarsError) as error:
        raise DatasetError(f"{path}: cannot be read as CSV ({_first_line(error)}); download it again") from None
    check_columns(path, found, columns)
    return frame.select(columns)


def collect(frame: polars.LazyFrame) -> polars.DataFrame:
    """Reads a frame.

    Raises:
        DatasetError: its file cannot be read to the end.
    """
    try:
        return frame.collect(engine="streaming")
    except (OSError, PolarsError) as error:
        raise unreadable(error) from None


def check_columns(path: Path, found: Iterable[str], wanted: Sequence[str]) -> None:
    """Refuses a file that lacks a column.

    Raises:
        DatasetError: naming the first column that is missing.
    """
    missing = [column for column in wanted if column not in found]
    if missing:
        raise DatasetError(f"{path}: has no column {missing[0]!r}; its columns are {', '.join(found)}")


def unreadable(error: Exception) -> DatasetError:
    """What to raise where reading a frame fails, which does not say in which file."""
    return DatasetError(f"a file cannot be read to its end ({_first_line(error)}); download it again")


def keep_liked(log: polars.LazyFrame, least: float, notes: list[str]) -> polars.LazyFrame:
    """The rows rated high enough, without the rating."""
    rating = polars.col("rating").cast(polars.Float64, strict=False)
    enough = (rating >= least).fill_null(value=False)
    counts = log.select(
        rows=polars.len(), low=(rating < least).sum(), unrated=(rating.is_null() | rating.is_nan()).sum()
    )
    rows, low, unrated = collect(counts).row(0)
    notes.append(f"{rows:,} ratings, {rows - low - unrated:,} of {least:g} or more kept")
    if unrated:
        notes.append(f"{unrated:,} rows left out: the rating is not a number")
    return log.filter(enough & rating.is_not_nan()).select("user_id", "item_id", "timestamp")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
