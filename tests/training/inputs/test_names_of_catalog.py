"""Names by language, other names of values, and how widely an item is known: from the catalog to the file."""

import json
from dataclasses import replace

import pytest

from device_runtime import Recommender
from tests.conftest import export, train
from training import load
from training.errors import CatalogError
from training.inputs.catalog import read_catalog, write_catalog
from training.inputs.catalog_check import find_problems
from training.inputs.rules import enrich, read_rules

CATALOG = """id,name,aliases,aliases_fr,aliases_es,known,kind,mood
a,Flat bread,,,tortilla,1,bread,plain
b,Egg dish,,omelette espagnole,tortilla,4,egg,plain|warm
c,Fries,,frites,papas fritas,5,potato,warm
d,Mash,,purée,,,potato,warm
"""
RULES = """popularity = "known"
[columns.kind]
values = ["bread", "egg", "potato"]
[names.kind]
"potato" = ["pommes de terre", "patatas"]
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "food.csv"
    path.write_text(CATALOG, "utf-8")
    path.with_suffix(".toml").write_text(RULES, "utf-8")
    return path


def test_names_by_language_are_no_attributes(path):
    catalog = read_catalog(path, popularity="known")
    assert catalog.columns == ("kind", "mood")
    assert catalog.popularity == (1.0, 4.0, 5.0, 1.0)  # an empty cell is the least
    assert catalog.items[1].translations == {"fr": ("omelette espagnole",), "es": ("tortilla",)}
    assert catalog.items[2].other_names == ("frites", "papas fritas")


def test_a_catalog_is_written_with_its_languages(path, tmp_path):
    catalog = read_catalog(path, popularity="known")
    write_catalog(catalog, tmp_path / "again.csv")
    assert read_catalog(tmp_path / "again.csv").items == catalog.items


def test_a_popularity_that_is_no_number_is_refused_with_its_row(path):
    path.write_text(CATALOG.replace(",5,", ",much,"), "utf-8")
    with pytest.raises(CatalogError, match=r"row 4: known 'much' is not a number"):
        read_catalog(path, popularity="known")
    with pytest.raises(CatalogError, match="no column 'fame' of numbers"):
        read_catalog(path, popularity="fame")


def test_a_name_may_stand_at_two_items_in_two_languages_but_not_in_one(path):
    rules = read_rules(path)
    problems = [problem.text for problem in find_problems(read_catalog(path, popularity="known"), rules)]
    assert problems == ["Egg dish: alias 'tortilla' in es also names 'Flat bread' of row 2"]
    path.write_text(CATALOG.replace("omelette espagnole,tortilla", "tortilla,"), "utf-8")
    assert find_problems(read_catalog(path, popularity="known"), rules) == []


def test_names_of_values_are_checked(path):
    rules = replace(
        read_rules(path), families=(("kind", "soup", "soupe"), ("kind", "egg", "x"), ("kind", "bread", "X"))
    )
    problems = [problem.text for problem in find_problems(read_catalog(path, popularity="known"), rules)]
    assert any("'soupe' is of 'soup', which is no kind" in text for text in problems)
    assert any("'X' of the kind 'bread' also names the kind 'egg'" in text for text in problems)


def test_all_of_it_reaches_the_file(path, tmp_path):
    assert train(["--catalog", str(path), "--dims", "2", "--epochs", "2", "--out", str(tmp_path / "m")]) == 0
    trained = load(tmp_path / "m")
    assert trained.catalog.popularity == (1.0, 4.0, 5.0, 1.0)
    assert trained.catalog.families == enrich(read_catalog(path, popularity="known"), read_rules(path)).families
    assert ("known", "5") not in trained.attributes
    out = tmp_path / "food.tflite"
    assert export([str(tmp_path / "m"), "--out", str(out), "--quantize", "ptq", "--min-overlap", "0"]) == 0
    food = Recommender.open(out, engine="numpy")
    assert [match.id for match in food.find("tortilla", 2)] == ["b", "a"]  # the better known first
    assert food.identify("Patatas").id == "kind=potato"
    assert {n.id for n in food.similar("patatas")} == {"c", "d"}
    assert food.identify("les frites").id == "c"
    assert json.dumps(food.find("purée")[0]._asdict())
