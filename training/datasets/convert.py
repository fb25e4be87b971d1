"""Public data sets, as their publishers ship them, turned into a log of interactions and a catalog.

`python -m training.datasets.convert nhanes|foodcom|movielens SOURCE... --out DIR` writes both; docs/interactions.md
says what to download.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars
from polars.exceptions import PolarsError

from training.console.files import replacing
from training.errors import DatasetError, TrainingError
from training.inputs.catalog import SEPARATOR, Catalog, Item, write_catalog

BAD_INPUT = 2
FAILURE = 1
MIN_RATING: Mapping[str, float] = {"foodcom": 4.0, "movielens": 3.5}
NO_GENRES = "(no genres listed)"
_RECALL = re.compile(r"(?:P_)?DR([12])IFF(?:_[A-Z])?\.XPT", re.IGNORECASE)
_FOOD_CODES = re.compile(r"(?:P_)?DRXFCD(?:_[A-Z])?\.XPT", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")
_WORDS_OF_NO_KIND = frozenset(("and", "for", "from", "nfs", "the", "with"))
_YEAR = re.compile(r"\((\d{3})\d(?:[-–]\d*)?\)\s*$")

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


def nhanes(sources: Sequence[Path], dishes: bool = False) -> Dataset:
    """What people ate: a user is a person, an item a food, the weight how often the person ate it.

    Attributes are words of the food's description: `kind`, what stands before its first comma, and `words`.

    Args:
        sources: files or folders of the recalls of any number of cycles, DR1IFF_x.XPT and DR2IFF_x.XPT, with
            DRXFCD_x.XPT; or one folder with intake.csv.gz and foods.csv.
        dishes: only foods that foods.csv marks with is_dish 1.

    Raises:
        DatasetError: files or columns are missing, or files cannot be read.
    """
    files = _files(sources)
    if any(path.name == "intake.csv.gz" for path in files):
        eaten, foods = _nhanes_folder(files, dishes)
    elif dishes:
        raise DatasetError("--dishes needs the column is_dish of foods.csv, which XPT files lack; leave it out")
    else:
        eaten, foods = _nhanes_xpt(files)
    items = [(code, name, _description_words(name)) for code, name in sorted(foods.items())]
    eaten = eaten.filter(polars.col("item_id").is_in(list(foods))) if dishes else eaten
    times = eaten.group_by("user_id", "item_id").agg(weight=polars.len()).sort("user_id", "item_id")
    return Dataset(_collect(times).lazy(), items, [])


def foodcom(sources: Sequence[Path], min_rating: float = MIN_RATING["foodcom"]) -> Dataset:
    """Who rated which recipe at least so high: RAW_interactions.csv and RAW_recipes.csv; attributes: tags, ingredients.

    Raises:
        DatasetError: files or columns are missing, or files cannot be read.
    """
    files = _files(sources)
    ratings = _csv(_named(files, "RAW_interactions.csv"), ("user_id", "recipe_id", "date", "rating"))
    recipes = _csv(_named(files, "RAW_recipes.csv"), ("id", "name", "tags", "ingredients"))
    log = ratings.select("user_id", "rating", item_id="recipe_id", timestamp="date")
    notes: list[str] = []
    items = list(_recipes(_collect(recipes), notes))
    return Dataset(_liked(log, min_rating, notes), items, notes)


def movielens(sources: Sequence[Path], min_rating: float = MIN_RATING["movielens"]) -> Dataset:
    """Who rated which movie at least so high: ratings.csv, movies.csv, or ratings.dat, movies.dat; genres and decade.

    Raises:
        DatasetError: files or columns are missing, or files cannot be read.
    """
    files = _files(sources)
    if any(path.name == "ratings.dat" for path in files):
        ratings, movies = _ratings_dat(_named(files, "ratings.dat")), _movies_dat(_named(files, "movies.dat"))
    else:
        ratings = _csv(_named(files, "ratings.csv"), ("userId", "movieId", "rating", "timestamp"))
        frame = _collect(_csv(_named(files, "movies.csv"), ("movieId", "title", "genres")))
        movies = list(frame.fill_null("").iter_rows())
    notes: list[str] = []
    items = [(movie, title, _movie_attributes(title, genres)) for movie, title, genres in movies]
    log = ratings.select("rating", "timestamp", user_id="userId", item_id="movieId")
    return Dataset(_liked(log, min_rating, notes), items, notes)


def write_dataset(dataset: Dataset, folder: Path, parquet: bool = False) -> list[str]:
    """Writes `interactions.csv` or `.parquet` and `catalog.csv` into a folder; returns notes, a line each.

    Items without id or name are left out; of several with one id the last stays; a name that stands twice is
    followed by its id in brackets, as every item of a catalog needs its own.

    Raises:
        DatasetError: the source cannot be read to its end, or no item is left.
    """
    catalog, notes = _catalog(dataset.items)
    with replacing(folder / f"interactions.{'parquet' if parquet else 'csv'}") as temporary:
        try:
            dataset.log.sink_parquet(temporary) if parquet else dataset.log.sink_csv(temporary)
        except PolarsError as error:
            raise DatasetError(f"a file cannot be read to its end ({_first_line(error)}); download it again") from None
    with replacing(folder / "catalog.csv") as temporary:
        write_catalog(catalog, temporary)
    return [f"{len(catalog):,} items", *notes, *dataset.notes]


def _files(sources: Sequence[Path]) -> list[Path]:
    for source in sources:
        if not source.exists():
            raise DatasetError(f"{source}: does not exist; give the downloaded files or their folder")
    found = (sorted(source.iterdir()) if source.is_dir() else [source] for source in sources)
    return [path for paths in found for path in paths]


def _named(files: Sequence[Path], name: str) -> Path:
    for path in files:
        if path.name == name:
            return path
    raise DatasetError(f"{name} is missing among {', '.join(path.name for path in files) or 'no files'}; add it")


def _csv(path: Path, columns: Sequence[str]) -> polars.LazyFrame:
    try:
        frame = polars.scan_csv(path, infer_schema=False, glob=False)
        found = frame.collect_schema().names()
    except (OSError, PolarsError) as error:
        raise DatasetError(f"{path}: cannot be read as CSV ({_first_line(error)}); download it again") from None
    _check_columns(path, found, columns)
    return frame.select(columns)


def _collect(frame: polars.LazyFrame) -> polars.DataFrame:
    try:
        return frame.collect(engine="streaming")
    except (OSError, PolarsError) as error:
        raise DatasetError(f"a file cannot be read to its end ({_first_line(error)}); download it again") from None


def _check_columns(path: Path, found: Iterable[str], wanted: Sequence[str]) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise DatasetError(f"{path}: has no column {missing[0]!r}; its columns are {', '.join(found)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _nhanes_folder(files: Sequence[Path], dishes: bool) -> tuple[polars.LazyFrame, dict[str, str]]:
    eaten = _csv(_named(files, "intake.csv.gz"), ("person", "food_code"))
    foods = _csv(_named(files, "foods.csv"), ("food_code", "description", "is_dish"))
    if dishes:
        foods = foods.filter(polars.col("is_dish") == "1")
    names = dict(_collect(foods.select("food_code", "description")).iter_rows())
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
    _check_columns(path, frame.columns, columns)
    return frame.select(columns)


def _whole_numbers(frame: polars.DataFrame, names: Mapping[str, str]) -> polars.DataFrame:
    return frame.select(polars.col(old).cast(polars.Int64).cast(polars.String).alias(new) for old, new in names.items())


def _description_words(description: str) -> dict[str, Sequence[str]]:
    words = (word for word in _WORD.findall(description.lower()) if word not in _WORDS_OF_NO_KIND)
    return {"kind": (description.partition(",")[0].lower(),), "words": tuple(words)}


def _liked(log: polars.LazyFrame, least: float, notes: list[str]) -> polars.LazyFrame:
    """The rows rated high enough, without the rating."""
    rating = polars.col("rating").cast(polars.Float64, strict=False)
    enough = (rating >= least).fill_null(value=False)
    counts = log.select(
        rows=polars.len(), low=(rating < least).sum(), unrated=(rating.is_null() | rating.is_nan()).sum()
    )
    rows, low, unrated = _collect(counts).row(0)
    notes.append(f"{rows:,} ratings, {rows - low - unrated:,} of {least:g} or more kept")
    if unrated:
        notes.append(f"{unrated:,} rows left out: the rating is not a number")
    return log.filter(enough & rating.is_not_nan()).select("user_id", "item_id", "timestamp")


def _recipes(frame: polars.DataFrame, notes: list[str]) -> Iterator[Row]:
    broken = []
    for recipe, name, tags, ingredients in frame.iter_rows():
        lists = _python_list(tags), _python_list(ingredients)
        if None in lists:
            broken.append(recipe)
        yield recipe or "", name or "", {"tags": lists[0] or (), "ingredients": lists[1] or ()}
    if broken:
        notes.append(f"{len(broken):,} recipes have tags or ingredients that are no list (as {broken[0]})")


def _python_list(text: str | None) -> list[str] | None:
    try:
        found = ast.literal_eval(text or "[]")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return [str(value) for value in found] if isinstance(found, list) else None


def _ratings_dat(path: Path) -> polars.LazyFrame:
    parts = polars.col("line").str.split_exact("::", 3).struct
    names = ("userId", "movieId", "rating", "timestamp")
    return polars.scan_lines(path, glob=False).select(
        parts.field(f"field_{i}").alias(name) for i, name in enumerate(names)
    )


def _movies_dat(path: Path) -> list[tuple[str, str, str]]:
    try:
        lines = path.read_text("latin-1").splitlines()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); give the downloaded file") from None
    movies = []
    for number, line in enumerate(lines, start=1):
        cells = line.split("::")
        if len(cells) != 3:
            raise DatasetError(f"{path}, line {number}: has {len(cells)} parts, not 3 as in MovieID::Title::Genres")
        movies.append((cells[0], cells[1], cells[2]))
    return movies


def _movie_attributes(title: str, genres: str) -> dict[str, Sequence[str]]:
    year = _YEAR.search(title)
    return {
        "genres": [genre for genre in genres.split("|") if genre != NO_GENRES],
        "decade": [f"{year[1]}0s"] if year else [],
    }


def _catalog(rows: Iterable[Row]) -> tuple[Catalog, list[str]]:
    found = [(_clean(item), _clean(name), attributes) for item, name, attributes in rows]
    last = {item: (name, attributes) for item, name, attributes in found if item and name}
    taken: set[str] = set()
    items: list[Item] = []
    for item, (name, attributes) in last.items():
        while name in taken:
            name = f"{name} [{item}]"  # noqa: PLW2901
        taken.add(name)
        items.append(Item(len(items) + 2, item, name, (), _values(attributes)))
    if not items:
        raise DatasetError("no item has an id and a name; download the file of items again")
    nameless = sum(not (item and name) for item, name, _ in found)
    columns = tuple(dict.fromkeys(column for item in items for column in item.attributes))
    return Catalog(tuple(items), columns), [f"{nameless:,} items without id or name left out"] if nameless else []


def _values(attributes: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    clean = {name: [_clean(value.replace(SEPARATOR, "/")) for value in values] for name, values in attributes.items()}
    return {name: tuple(dict.fromkeys(filter(None, values))) for name, values in clean.items() if any(values)}


def _clean(text: str) -> str:
    """Without control characters, which no catalog takes, and with single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.datasets.convert", description="Converts public data sets."
    )
    commands = parser.add_subparsers(dest="dataset", metavar="DATASET", required=True)
    for name, text in {
        "nhanes": "dietary recalls: DR1IFF_x.XPT, DR2IFF_x.XPT, DRXFCD_x.XPT",
        "foodcom": "Food.com: RAW_interactions.csv, RAW_recipes.csv",
        "movielens": "MovieLens: ratings and movies, .csv or .dat",
    }.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("source", type=Path, nargs="+", help="downloaded files, or folders that hold them")
        command.add_argument("--out", type=Path, required=True, help="folder to write to")
        command.add_argument("--parquet", action="store_true", help="the log as Parquet (default: CSV)")
        if name in MIN_RATING:
            rating = MIN_RATING[name]
            command.add_argument("--min-rating", type=float, default=rating, help="(default: %(default)s)")
        else:
            command.add_argument("--dishes", action="store_true", help="only foods that foods.csv marks as dishes")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 if it cannot be written."""
    arguments = _parser().parse_args(argv)
    converters: dict[str, Callable[[], Dataset]] = {
        "nhanes": lambda: nhanes(arguments.source, arguments.dishes),
        "foodcom": lambda: foodcom(arguments.source, arguments.min_rating),
        "movielens": lambda: movielens(arguments.source, arguments.min_rating),
    }
    try:
        notes = write_dataset(converters[arguments.dataset](), arguments.out, arguments.parquet)
    except TrainingError as error:
        print(f"training.datasets.convert: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(
            f"training.datasets.convert: {arguments.out}: cannot be written ({error.strerror or error})",
            file=sys.stderr,
        )
        return FAILURE
    print("\n".join([*notes, f"wrote {arguments.out}"]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
