"""NHANES, the dietary recalls of the CDC: what people ate on one or two days."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars

from training.datasets.publisher_files import Dataset, check_columns, collect, find_file, list_files, scan_csv
from training.errors import DatasetError

_RECALL = re.compile(r"(?:P_)?DR([12])IFF(?:_[A-Z])?\.XPT", re.IGNORECASE)
_FOOD_CODES = re.compile(r"(?:P_)?DRXFCD(?:_[A-Z])?\.XPT", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")
_WORDS_OF_NO_KIND = frozenset(("and", "for", "from", "nfs", "the", "with"))


def read_nhanes(sources: Sequence[Path], dishes: bool = False) -> Dataset:
    """What people ate: a user is a person, an item a food, the weight how often the person ate it.

    Attributes are words of the food's description: `kind`, what stands before its first comma, and `words`.

    Args:
        sources: files or folders of the recalls of any number of cycles, DR1IFF_x.XPT and DR2IFF_x.XPT, with
            DRXFCD_x.XPT; or one folder with intake.csv.gz and foods.csv.
        dishes: only foods that foods.csv marks with is_dish 1.

    Raises:
        DatasetError: files or columns are missing, or files cannot be read.
    """
    files = list_files(sources)
    if any(path.name == "intake.csv.gz" for path in files):
        eaten, foods = _nhanes_folder(files, dishes)
    elif dishes:
        raise DatasetError("--dishes needs the column is_dish of foods.csv, which XPT files lack; leave it out")
    else:
        eaten, foods = _nhanes_xpt(files)
    items = [(code, name, _description_words(name)) for code, name in sorted(foods.items())]
    eaten = eaten.filter(polars.col("item_id").is_in(list(foods))) if dishes else eaten
    times = eaten.group_by("user_id", "item_id").agg(weight=polars.len()).sort("user_id", "item_id")
    return Dataset(collect(times).lazy(), items, [])


def _nhanes_folder(files: Sequence[Path], dishes: bool) -> tuple[polars.LazyFrame, dict[str, str]]:
    eaten = scan_csv(find_file(files, "intake.csv.gz"), ("person", "food_code"))
    foods = scan_csv(find_file(files, "foods.csv"), ("food_code", "description", "is_dish"))
    if dishes:
        foods = foods.filter(polars.col("is_dish") == "1")
    names = dict(collect(foods.select("food_code", "description")).iter_rows())
    return eaten.select(user_id="person", item_id="food_code"), names


def _nhanes_xpt(files: Sequence[Path]) -> tuple[polars.LazyFrame, dict[str, str]]:
    recalls = [(path, found[1]) for path in files if (found := _RECALL.fullmatch(path.name))]
    codes = [path for path in files if _FOOD_CODES.fullmatch(path.name)]
    for kind, paths in (("DR1IFF_x.XPT or DR2IFF_x.XPT", recalls), ("DRXFCD_x.XPT", codes)):
        if not paths:
            listed = ", ".join(path.name for path in files) or "no files"
            raise DatasetError(f"{kind} is missing among {listed}; download it too")
    eaten = [_xpt(path, ("SEQN", f"DR{day}IFDCD")) for path, day in recalls]
    foods = [_xpt(path, ("DRXFDCD", "DRXFCLD")) for path in codes]
    whole = [_whole_numbers(frame, dict(zip(frame.columns, ("user_id", "item_id"), strict=True))) for frame in eaten]
    named = [_whole_numbers(frame, {"DRXFDCD": "code"}).select("code", frame["DRXFCLD"]) for frame in foods]
    return polars.concat(whole).lazy(), dict(polars.concat(named).drop_nulls().iter_rows())


def _xpt(path: Path, columns: Sequence[str]) -> polars.DataFrame:
    try:
        import pyreadstat
    except ImportError:
        raise DatasetError("XPT files need pyreadstat; install it with pip install 'mignon[datasets]'") from None
    try:
        frame, _ = pyreadstat.read_xport(path, usecols=list(columns), output_format="polars")
    except (OSError, UnicodeDecodeError, pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        raise DatasetError(f"{path}: cannot be read as SAS transport ({error}); download it again") from None
    check_columns(path, frame.columns, columns)
    return frame.select(columns)


def _whole_numbers(frame: polars.DataFrame, names: Mapping[str, str]) -> polars.DataFrame:
    return frame.select(polars.col(old).cast(polars.Int64).cast(polars.String).alias(new) for old, new in names.items())


def _description_words(description: str) -> dict[str, Sequence[str]]:
    words = (word for word in _WORD.findall(description.lower()) if word not in _WORDS_OF_NO_KIND)
    return {"kind": (description.partition(",")[0].lower(),), "words": tuple(words)}
