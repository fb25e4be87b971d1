import csv
import unicodedata
from pathlib import Path

import device_runtime.items.folding as runtime
from device_runtime.items.folding import Folding
from export.writing.folding import tabulate_folding

MEALS = Path(__file__).parents[3] / "training" / "meals.csv"


def meal_names():
    with MEALS.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            yield from (row["name"], *row["aliases"].split("|"))


def test_names_of_the_meals_fold_as_by_unicode_however_they_are_typed():
    names = list(meal_names())
    folding = Folding(dict(tabulate_folding(names)))
    for name in names:
        for typed in (name, name.upper(), name.title(), unicodedata.normalize("NFD", name)):
            assert folding.fold(typed) == runtime.fold(typed), typed


def test_letters_that_stay_what_they_are_take_no_line():
    table = dict(tabulate_folding(["борщ", "Pho", "김치"]))
    assert "б" not in table
    assert table["Щ"] == "щ"
    assert table["Ё"] == table["ё"] == "е"  # the whole script, since a name has one letter of it
    assert "김" not in table  # by a rule
    assert not any(letter.isascii() for letter in table)


def test_scripts_that_no_name_has_take_no_lines():
    assert not any("\u0370" <= letter < "\u0460" for letter, _ in tabulate_folding(["Crêpes"]))
