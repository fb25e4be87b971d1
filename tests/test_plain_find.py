"""docs/find.md is what the runtime does: its plain form gives the same scores for what people type."""

import csv
from pathlib import Path

import pytest

from device_runtime import Recommender, UnknownItemError
from device_runtime.items.families import Family
from tests.plain_find import PlainItems, fold_by_unicode

GOLDEN = Path(__file__).parent / "golden" / "files"
TYPED = Path(__file__).parents[1] / "benchmarks" / "embedding" / "typed_tuning.csv"


def texts_typed():
    with TYPED.open(encoding="utf-8", newline="") as stream:
        return [row["query"] for row in csv.DictReader(stream)][::4]


@pytest.mark.parametrize("name", ["meals-8", "likes"])
def test_find_gives_the_same_scores(name):
    meals = Recommender.open(GOLDEN / f"{name}.tflite", engine="numpy")
    plain = PlainItems(meals.file)
    for text in texts_typed():
        assert [(match.id, match.score) for match in meals.find(text, 5)] == plain.find(text, 5), text


def test_names_mean_the_same():
    meals = Recommender.open(GOLDEN / "meals-8.tflite", engine="numpy")
    plain, items = PlainItems(meals.file), meals._items
    for text in texts_typed():
        for resolve, plainly in ((items.resolve, plain.resolve), (items.resolve_unwanted, plain.resolve_unwanted)):
            try:
                found = resolve(text)
            except UnknownItemError:
                found = None
            assert (found.id if isinstance(found, Family) else found) == plainly(text), text


def test_a_file_folds_as_unicode_does():
    meals = Recommender.open(GOLDEN / "meals-8.tflite", engine="numpy")
    plain = PlainItems(meals.file)
    for text in [*(alias for _, (alias,) in meals.file.records("aliases.tsv", 1)), *meals.file.lines("names.txt")]:
        assert plain.fold(text.upper()) == fold_by_unicode(text.upper())
