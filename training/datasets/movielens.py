"""MovieLens: who rated which movie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars

from training.datasets import MIN_RATINGS
from training.datasets.publisher_files import Dataset, collect, find_file, keep_liked, list_files, scan_csv
from training.errors import DatasetError

NO_GENRES = "(no genres listed)"
_YEAR = re.compile(r"\((\d{3})\d(?:[-–]\d*)?\)\s*$")


def read_movielens(sources: Sequence[Path], min_rating: float = MIN_RATINGS["movielens"]) -> Dataset:
    """Who rated which movie at least so high: ratings.csv, movies.csv, or ratings.dat, movies.dat; genres and decade.

    Raises:
        DatasetError: files or columns are missing, or files cannot be read.
    """
    files = list_files(sources)
    if any(path.name == "ratings.dat" for path in files):
        ratings, movies = _ratings_dat(find_file(files, "ratings.dat")), _movies_dat(find_file(files, "movies.dat"))
    else:
        ratings = scan_csv(find_file(files, "ratings.csv"), ("userId", "movieId", "rating", "timestamp"))
        frame = collect(scan_csv(find_file(files, "movies.csv"), ("movieId", "title", "genres")))
        movies = list(frame.fill_null("").iter_rows())
    notes: list[str] = []
    items = [(movie, title, _movie_attributes(title, genres)) for movie, title, genres in movies]
    log = ratings.select("rating", "timestamp", user_id="userId", item_id="movieId")
    return Dataset(keep_liked(log, min_rating, notes), items, notes)


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
