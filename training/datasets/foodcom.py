"""Food.com: who rated which recipe."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars

from training.datasets import MIN_RATINGS
from training.datasets.publisher_files import Dataset, Row, collect, find_file, keep_liked, list_files, scan_csv


def read_foodcom(sources: Sequence[Path], min_rating: float = MIN_RATINGS["foodcom"]) -> Dataset:
    """Who rated which recipe at least so high: RAW_interactions.csv and RAW_recipes.csv; attributes: tags, ingredients.

    Raises:
        DatasetError: files or columns are missing, or files cannot be read.
    """
    files = list_files(sources)
    ratings = scan_csv(find_file(files, "RAW_interactions.csv"), ("user_id", "recipe_id", "date", "rating"))
    recipes = scan_csv(find_file(files, "RAW_recipes.csv"), ("id", "name", "tags", "ingredients"))
    log = ratings.select("user_id", "rating", item_id="recipe_id", timestamp="date")
    notes: list[str] = []
    items = list(_recipes(collect(recipes), notes))
    return Dataset(keep_liked(log, min_rating, notes), items, notes)


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
