"""Public data sets, in their publishers' formats, all the way to a file that answers, and to a comparison."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main as benchmarks_main
from benchmarks.recommenders.own_model import make_mignons
from device_runtime import Recommender
from export.command import main as export_main
from training.command import main as train_main
from training.evaluation.ranking import rank_lists
from training.inputs.interactions import read_interactions

KINDS = ("sweet", "sour")
EACH = 15
USERS = 150
NOBODY = 2 * EACH


def name_of(item: int) -> str:
    named = {0: "crème brûlée", EACH: "Žižkov’s choucroute garnie", NOBODY: "Île flottante"}
    return named.get(item, f"{KINDS[item // EACH % 2]} no {item}")


def kind_of(item: int) -> str:
    return KINDS[item // EACH % 2]


def opinions():
    """User, item and whether the user likes it: most of one kind, of the other kind little but the first ones."""
    rng = np.random.default_rng(0)
    for user in range(USERS):
        for item in range(NOBODY):
            likes = rng.random() < (0.6 if item // EACH == user % 2 else 0.1)
            if likes or rng.random() < 0.2:
                yield user, item, likes


def write(path: Path, header: str, rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def movielens(folder: Path) -> None:
    ratings = [(u + 1, i + 1, 4.5 if likes else 2.0, 964_982_703 + u * 100 + i) for u, i, likes in opinions()]
    write(folder / "ratings.csv", "userId,movieId,rating,timestamp", ratings)
    movies = [(i + 1, f"{name_of(i)} (1995)", f"{kind_of(i).title()}|Film") for i in range(NOBODY + 1)]
    write(folder / "movies.csv", "movieId,title,genres", movies)


def foodcom(folder: Path) -> None:
    reviews = [
        (u + 1, i + 1, f"2011-01-{1 + i % 28:02}", 5 if likes else 1, 'so "good",\nor not')
        for u, i, likes in opinions()
    ]
    write(folder / "RAW_interactions.csv", "user_id,recipe_id,date,rating,review", reviews)
    recipes = [
        (name_of(i), i + 1, 30, 1, "2005-09-16", f"['{kind_of(i)}', 'easy']", "[1.0]", 1, "['mix']", "", "['salt']", 1)
        for i in range(NOBODY + 1)
    ]
    header = (
        "name,id,minutes,contributor_id,submitted,tags,nutrition,n_steps,steps,description,ingredients,n_ingredients"
    )
    write(folder / "RAW_recipes.csv", header, recipes)


@pytest.fixture(scope="module", params=[movielens, foodcom], ids=["movielens", "foodcom"])
def data(request, tmp_path_factory):
    """A folder with the log and the catalog, and what follows the names of its items."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    request.param(folder)
    assert train_main(["convert", request.param.__name__, str(folder), "--out", str(folder / "out")]) == 0
    return folder / "out", " (1995)" if request.param is movielens else ""


def test_from_the_publishers_files_to_answers_by_name(data, tmp_path):
    folder, suffix = data
    options = ["--interactions", str(folder / "interactions.csv"), "--catalog", str(folder / "catalog.csv")]
    small = ["--dims", "4", "--epochs", "6", "--batch", "32", "--no-progress"]
    assert train_main([*options, *small, "--out", str(tmp_path / "model")]) == 0
    assert export_main([str(tmp_path / "model"), "--out", str(tmp_path / "m.tflite"), "--no-progress"]) == 0
    answers = Recommender.open(tmp_path / "m.tflite")
    assert len(answers.file.lines("ids.txt")) == NOBODY + 1
    for first in (0, EACH):
        favorites = [name_of(item) + suffix for item in range(first, first + 6)]
        recommended = [int(found.id) - 1 for found in answers.recommend(favorites, k=5)]
        assert sum(kind_of(item) == kind_of(first) for item in recommended) >= 4
        assert not set(recommended) & set(range(first, first + 6))
    similar = answers.similar(f"creme brulee{suffix}", k=NOBODY)
    assert len(similar) == NOBODY
    assert f"Île flottante{suffix}" in [found.name for found in similar]


def test_the_comparison(data, tmp_path, capsys):
    folder, _ = data
    options = [str(folder / "interactions.csv"), "--catalog", str(folder / "catalog.csv"), "--attributes"]
    models = ["--dims", "4", "--models", "popularity", "EASE", "mignon", "mignon with attributes"]
    assert benchmarks_main(["interactions", *options, *models, "--splits", "1", "-k", "5", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    results = {row["model"]: row for row in json.loads((tmp_path / "interactions.json").read_text())["results"]}
    names = ["mignon, 5 bytes", "mignon with attributes, 5 bytes"]
    assert list(results) == ["popularity", "EASE", *names]
    for name in names:
        assert name in printed
        assert results[name]["bytes_per_item"] == 5
        assert results[name]["recall"]["value"] > results["popularity"]["recall"]["value"]
        assert 0.8 < results[name]["recall_kept"]["value"] < 1.25
    assert results["EASE"]["recall_kept"] is None
    assert (tmp_path / "interactions.png").read_bytes().startswith(b"\x89PNG")
    new = {row["model"]: row for row in json.loads((tmp_path / "new_items.json").read_text())["results"]}
    assert list(new) == ["chance", "popularity", names[1]]
    assert abs(new["chance"]["position"] - 0.5) < 0.1
    assert new["popularity"]["position"] < 0.1  # other new items are as unknown


def test_a_comparison_keeps_no_file_of_the_models(data, tmp_path):
    folder, _ = data
    options = [str(folder / "interactions.csv"), "--split", "time", "--models", "EASE", "--json"]
    assert benchmarks_main(["interactions", *options, "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["interactions.json", "interactions.png"]


def test_attributes_need_a_catalog(data, tmp_path, capsys):
    folder, _ = data
    options = ["interactions", str(folder / "interactions.csv"), "--attributes", "--out", str(tmp_path / "out")]
    assert benchmarks_main(options) == 2
    assert "--attributes needs a --catalog with attributes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_where_there_is_no_nhanes_the_message_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MIGNON_NHANES", str(tmp_path / "none"))
    assert benchmarks_main(["interactions", "nhanes-dishes", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "set MIGNON_NHANES to a folder" in said
    assert f"{tmp_path / 'none'} is no folder" in said


def test_nhanes_by_its_own_reader(tmp_path, monkeypatch, capsys):
    foods = [(code, f"Food {code}", int(code % 2)) for code in range(10, 40)]
    write(tmp_path / "foods.csv", "food_code,description,is_dish", foods)
    rng = np.random.default_rng(0)
    eaten = [(person, int(code)) for person in range(60) for code in rng.permutation(np.arange(10, 40))[:20]]
    write(tmp_path / "intake.csv.gz", "person,food_code", eaten)  # polars reads it by its content
    monkeypatch.setenv("MIGNON_NHANES", str(tmp_path))
    options = ["--models", "popularity", "--splits", "1", "--out", str(tmp_path / "out")]
    for which, items in (("nhanes", 30), ("nhanes-dishes", 15)):
        assert benchmarks_main(["interactions", which, *options]) == 0
        assert f"60 users and {items} items" in capsys.readouterr().out


def test_the_file_compared_holds_the_model_in_8_bits(data):
    folder, _ = data
    log = read_interactions(folder / "interactions.csv")
    [model] = make_mignons([4])
    scorer = model.fit(log.matrix, 0)
    assert scorer.bytes_per_item == 5
    assert model.name == "mignon, 5 bytes"
    best = rank_lists(scorer, log.matrix, 5)
    rounded = rank_lists(scorer.unrounded.in_8_bits(), log.matrix, 5)
    assert np.mean([len(set(a) & set(b)) / 5 for a, b in zip(best, rounded, strict=True)]) > 0.95
