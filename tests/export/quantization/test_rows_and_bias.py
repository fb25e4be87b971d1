"""A model of what people like, from the trained folder to answers: against float and plain integers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from device_runtime import Recommender
from device_runtime.format.model_file import ModelFile
from export.command import main
from export.errors import ExportError, VerificationError
from export.pipeline import plan_for_interactions
from export.quantization.rows_and_bias import quantize_with_bias
from export.request import Labels
from export.verification.engines import NumpyEngine, verify
from export.verification.quality import BasketJudge
from export.verification.questions import draw_baskets
from training import trained
from training.trained import Preference

POWER = 0.5


@pytest.fixture(scope="module")
def source(trained_folder):
    """Rows of many lengths, the last 6 of 16 columns negative, and a bias that differs by item."""
    first = trained.load(trained_folder)
    rng = np.random.default_rng(3)
    lengths = rng.uniform(0.3, 2.5, (len(first.table), 1)).astype(np.float32)
    bias = rng.normal(0, 1.5, len(first.table)).astype(np.float32)
    return replace(first, table=first.table * lengths, preference=Preference(bias, 6, POWER))


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("likes") / "model"
    trained.save(source, path)
    return path


@pytest.fixture(scope="module")
def path(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("likes") / "likes.tflite"
    assert main([str(folder), "--out", str(out), "--no-progress"]) == 0
    return out


@pytest.fixture(scope="module")
def rows(path):
    return ModelFile.open(path).table.astype(int).tolist()


def best_by_python(rows, manifest, favorites, banned, k):
    """Python's own integers and sort."""
    said = manifest.preference
    total = [sum(column) for column in zip(*(rows[row] for row in favorites), strict=True)]
    dims = len(total) - 1
    query = [-value if place >= dims - said.negative_columns else value for place, value in enumerate(total)]
    query[-1] = round(said.entry * len(favorites) ** said.power)
    scores = [sum(a * b for a, b in zip(row, query, strict=True)) for row in rows]
    others = [row for row in range(len(rows)) if row not in banned]
    return sorted(others, key=lambda row: (-scores[row], row))[:k]


def test_the_file_says_what_it_is(path):
    model = ModelFile.open(path)
    manifest = model.manifest
    assert (manifest.objective, manifest.dims, manifest.columns) == ("interactions", 16, 17)
    assert (manifest.preference.negative_columns, manifest.preference.power) == (6, POWER)
    assert manifest.quality["overlap_at_10"] > 0.9
    raw = json.loads(model.text("manifest.json"))
    assert raw["preference"] == manifest.preference._asdict()


@pytest.mark.parametrize("engine", ["numpy", "tflite"])
def test_recommendations_are_those_of_plain_integers(path, rows, engine):
    meals = Recommender.open(path, engine=engine)
    ids = list(meals.file.lines("ids.txt"))
    for basket, _ in draw_baskets(len(rows), 60, seed=5):
        found = [neighbor.id for neighbor in meals.recommend([ids[row] for row in basket], k=7)]
        favorites = basket.tolist()
        assert found == [ids[row] for row in best_by_python(rows, meals.manifest, favorites, favorites, 7)]


def test_float_and_integers_rank_alike(source, path, rows):
    manifest = ModelFile.open(path).manifest
    kept = 0
    for basket, _ in draw_baskets(len(rows), 40, seed=6):
        scores = BasketJudge(source.table, source.preference).score(basket)
        scores[basket] = -np.inf
        favorites = basket.tolist()
        kept += len({*np.argsort(-scores)[:10].tolist()} & {*best_by_python(rows, manifest, favorites, favorites, 10)})
    assert kept / 400 > 0.9


@pytest.mark.parametrize("engine", ["numpy", "tflite"])
def test_weights_filters_and_batches_follow_the_same_rule(path, engine):
    meals = Recommender.open(path, engine=engine)
    plain = meals.recommend(["pancakes", "borscht"], 20)
    assert meals.recommend({"pancakes": 1, "borscht": 1}, 20) == plain
    assert meals.recommend_many([["pancakes", "borscht"]], 20) == [plain]
    scaled = meals.recommend({"pancakes": 0.25, "borscht": 0.25}, 5)
    assert len(scaled) == 5
    soups = {neighbor.id for neighbor in meals.recommend(["pancakes"], 299, where={"course": "soup"})}
    everything = meals.recommend(["pancakes"], 299)
    chosen = [n.id for n in everything if n.id in soups]
    assert [n.id for n in meals.recommend(["pancakes"], len(soups), where={"course": "soup"})] == chosen
    less = [n.id for n in meals.recommend({"borscht": 2, "pancakes": -1}, 10)]
    assert "pancakes" not in less


def test_similar_is_the_cosine_of_the_vectors(path):
    meals = Recommender.open(path)
    ids = list(meals.file.lines("ids.txt"))
    vectors = np.array([meals.vector(item) for item in ids])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    row = meals.row("borscht")
    cosines = units @ units[row]
    found = meals.similar("borscht", 10)
    assert [n.id for n in found] == [ids[i] for i in np.argsort(-cosines, kind="stable") if i != row][:10]
    assert [n.score for n in found] == pytest.approx(sorted(np.delete(cosines, row))[::-1][:10], abs=1e-5)
    assert meals.score("borscht", found[0].id) == pytest.approx(found[0].score, abs=1e-5)
    assert meals.search(meals.vector("borscht") * 3, 1)[0].id == "borscht"
    assert len(meals.similar("borscht", 5, diversify=0.7)) == 5


def test_an_explanation_adds_up_to_the_score_without_the_bias(path, rows):
    meals = Recommender.open(path)
    liked = ["pancakes", "borscht", "baklava"]
    result = meals.recommend(liked, 1)[0]
    why = meals.explain(liked, result.id)
    assert why.score == pytest.approx(result.score, abs=1e-6)
    manifest = meals.manifest
    total = np.sum([rows[meals.row(item)] for item in liked], axis=0)[:-1]
    entry = manifest.preference.bias_entry(3)
    bias = rows[meals.row(result.id)][-1] * entry * manifest.scale / np.linalg.norm(total)
    assert sum(part.part for part in why.contributions) + bias == pytest.approx(result.score, abs=1e-5)


def test_items_can_be_added(path, tmp_path):
    copy = tmp_path / "likes.tflite"
    copy.write_bytes(path.read_bytes())
    with Recommender.open(copy, writable=True) as meals:
        meals.add("Grandma's soup", neighbors=["borscht"])
        assert meals.similar("borscht", 1)[0].id == "grandmas-soup"
        assert meals.similar("grandmas-soup", 1)[0].id == "borscht"
        assert len(meals.recommend(["grandmas-soup"], 5)) == 5


@pytest.mark.parametrize("options", [["--bits", "4"], ["--max-bytes", "9KB"], ["--dims", "4"], ["--quantize", "qat"]])
def test_what_is_not_there_for_such_a_model_is_an_error(folder, tmp_path, capsys, options):
    assert main([str(folder), "--out", str(tmp_path / "x.tflite"), *options]) == 2
    assert f"a model of what people like, for which there is no {options[0]}" in capsys.readouterr().err
    assert not (tmp_path / "x.tflite").exists()


def test_a_zero_table_is_an_error(source):
    with pytest.raises(ExportError, match="is zero"):
        quantize_with_bias(source.table * 0, source.preference)


def test_a_model_of_attributes_has_no_bias(source, tmp_path):
    with pytest.raises(ExportError, match="holds a model of attributes"):
        plan_for_interactions(replace(source, preference=None), tmp_path / "x.tflite", Labels("x"))


def test_an_engine_that_answers_otherwise_is_found_out(source, path, monkeypatch):
    table = quantize_with_bias(source.table, source.preference)
    monkeypatch.setattr(NumpyEngine, "nearest", lambda *_: (np.array([0]), np.array([1.0])))
    with pytest.raises(VerificationError, match="engine numpy answers"):
        verify(path, table, np.arange(5))


def test_the_scorer_of_benchmarks_scores_as_a_device_does(path, rows):
    from benchmarks.recommenders.file_scorer import FileScorer

    meals = Recommender.open(path)
    items = ["unknown", *meals.file.lines("ids.txt")]
    given = np.zeros((1, len(items)), np.float32)
    liked = [3, 8, 200]
    given[0, [0, *(row + 1 for row in liked)]] = 1
    [scores] = FileScorer(path, items).scores(csr_matrix(given))
    assert scores[0] == -np.inf
    order = np.argsort(-scores[1:], kind="stable").tolist()
    assert order == best_by_python(rows, meals.manifest, liked, [], len(rows))


def test_the_same_folder_gives_the_same_bytes(folder, path, tmp_path):
    assert main([str(folder), "--out", str(tmp_path / "likes.tflite"), "--no-progress"]) == 0
    assert (tmp_path / "likes.tflite").read_bytes() == path.read_bytes()
