import json

import numpy as np
import pytest

from tests.board_games import COLUMNS, write_board_games
from training.by_attributes import measures
from training.by_attributes.settings import AttributeSettings
from training.command import main
from training.evaluation.triplets import Triplet
from training.inputs.attribute_features import build_vocabulary
from training.inputs.catalog import read_catalog

FEW = AttributeSettings(epochs=5)


@pytest.fixture(scope="module")
def games(tmp_path_factory):
    return write_board_games(tmp_path_factory.mktemp("games") / "games.csv")


@pytest.fixture(scope="module")
def catalog(games):
    return read_catalog(games)


def test_training_prints_and_keeps_the_measures_of_any_catalog(games, tmp_path, capsys):
    names = [line.split(",")[1] for line in games.read_text().splitlines()[1:]]
    (tmp_path / "t.csv").write_text("item,near,far,kind\n" + f"{names[0]},{names[1]},{names[2]},hard\n")
    out = ["--out", str(tmp_path / "model"), "--epochs", "2", "--dims", "4", "--no-progress"]
    options = ["--evaluate", "--columns", "theme", "players", "--triplets", str(tmp_path / "t.csv")]
    assert main(["--catalog", str(games), *out, *options]) == 0
    printed = capsys.readouterr().out
    assert "values hidden" not in printed
    kept = json.loads((tmp_path / "model" / "metrics.json").read_text())["measures"]
    assert [record["asked for"] for record in kept] == ["all", "theme", "players", "triplets", "hard triplets"]
    assert [record["count"] for record in kept[3:]] == [1, 1]
    methods = {"most frequent", "TF-IDF, 44 dims", "SVD, 4 dims", "mignon, 4 dims"}
    assert set(kept[0]) == {"asked for", "count"} | methods
    assert all(record["asked for"] in printed for record in kept)


def test_every_item_is_asked_once_for_what_no_vector_saw(catalog):
    tasks = measures._make_tasks(catalog, {}, catalog.columns, ())
    asked = np.concatenate([task.questions.items for task in tasks])
    assert len(set(asked.tolist())) == len(asked) >= 290
    vocabulary = build_vocabulary(catalog)
    for task in tasks:
        for item, value in zip(task.questions.items, task.questions.values, strict=True):
            column, name = vocabulary.values[value - 1]
            assert name in catalog.items[item].attributes[column]
            assert value not in task.features.indices[item]
        kept = (task.features.indices > 0).sum()
        assert kept + len(task.questions.items) == sum(len(v) for i in catalog.items for v in i.attributes.values())


def test_neighbors_tell_more_than_frequency_does(catalog):
    triplets = [Triplet(i, i + 1, i + 2, "easy") for i in range(10)]
    compared = measures.compare_with_baselines(
        catalog, triplets, {"theme": 2.0}, (8,), settings=FEW, progress=False, variants={"half": lambda t: t[:, :4]}
    )
    names = [method.name for method in compared.methods]
    assert names == [
        "most frequent", "TF-IDF", "TF-IDF, weighted", "SVD", "SVD, weighted", "mignon", "half",
    ]  # fmt: skip
    assert set(compared.counts) == {"all", *COLUMNS, "triplets"}
    scores = {method.name: method.scores for method in compared.methods}
    assert scores["mignon"]["all"] > scores["most frequent"]["all"] + 0.2
    assert scores["most frequent"]["triplets"] == 0.5
    assert all(0 <= score <= 1 for of_method in scores.values() for score in of_method.values())


def test_new_items_are_placed_without_training_on_them(catalog):
    placed, trained = measures.measure_new_items(catalog, {}).methods
    assert (placed.name, trained.name) == ("placed by attributes", "in training")
    assert 0.5 < placed.scores["all"] <= trained.scores["all"] + 0.2


def test_a_catalog_in_which_nothing_is_shared_asks_for_nothing(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("id,name,a,b\n" + "".join(f"{i},N{i},a{i},b{i}\n" for i in range(6)))
    compared = measures.compare_with_baselines(read_catalog(path), (), {}, (2,), settings=FEW, progress=False)
    assert compared.counts == {}
