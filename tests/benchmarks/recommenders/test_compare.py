import argparse
import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.recommenders import compare as interactions
from benchmarks.recommenders.baselines import AlternatingLeastSquares, Ease, Popularity, ReducedEase
from benchmarks.recommenders.compare import FileScorer
from device_runtime import Recommender
from training.errors import SettingsError, SplitError
from training.evaluation.ranking import evaluate, top_k

MODELS = (Popularity(), ReducedEase(2), ReducedEase(4), AlternatingLeastSquares(4), Ease())


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    likely = np.where(np.arange(24) // 8 == rng.integers(3, size=300)[:, None], 0.5, 0.1)
    return csr_matrix((rng.random((300, 24)) < likely).astype(np.float32))


@pytest.fixture(scope="module")
def splits(matrix):
    return interactions.splits_of(matrix, None, "strong", 2)


@pytest.fixture(scope="module")
def results(splits):
    return interactions.run(MODELS, splits, 5)


def test_values_are_the_means_over_splits(results, splits):
    by_name = {result.model: result for result in results}
    assert list(by_name) == [model.name for model in MODELS]
    outcomes = {
        model.name: [evaluate(model.fit(split.train, seed), split, 5) for seed, split in enumerate(splits)]
        for model in MODELS
    }
    for name, result in by_name.items():
        users = [outcome.users for outcome in outcomes[name]]
        for measure in ("recall", "ndcg", "mrr", "rare", "middle", "frequent"):
            expected = np.mean([np.nanmean(getattr(u, measure)) for u in users])
            estimate = getattr(result, measure)
            assert estimate.value == pytest.approx(expected)
            assert estimate.low <= estimate.value <= estimate.high
        assert result.recall.low < result.recall.value < result.recall.high
        lifts = [u.recommended_popularity.mean() / u.consumed_popularity.mean() - 1 for u in users]
        assert result.popularity_lift.value == pytest.approx(np.mean(lifts))
        ratios = [u.ndcg.mean() / ease.users.ndcg.mean() for u, ease in zip(users, outcomes["EASE"], strict=True)]
        assert result.ndcg_ratio.value == pytest.approx(np.mean(ratios))
        assert result.coverage == np.mean([outcome.coverage for outcome in outcomes[name]])
        assert result.train_seconds > 0


def test_rare_items_are_also_ranked_among_themselves(results, splits):
    means = []
    for split in splits:
        rare = sorted(np.argsort(np.bincount(split.train.indices, minlength=24), kind="stable")[:8])
        scores = Ease().fit(split.train, 0).scores(split.given)
        found = []
        for row, given, wanted in zip(scores, split.given.toarray(), split.wanted.toarray(), strict=True):
            sought = {column for column in rare if wanted[column]}
            best = sorted((column for column in rare if not given[column]), key=lambda column: -row[column])[:5]
            if sought:
                found.append(len(sought & set(best)) / min(5, len(sought)))
        means.append(np.mean(found))
    assert results[-1].among_rare.value == pytest.approx(np.mean(means))


def test_the_reference_is_itself_exactly(results):
    ease = results[-1]
    assert (ease.recall_ratio.low, ease.recall_ratio.value, ease.recall_ratio.high) == (1, 1, 1)


def test_measured_again_all_is_the_same_but_time(results, splits):
    timed = {"train_seconds": 0, "train_cpu_seconds": 0}
    again = interactions.run(MODELS, splits, 5)
    assert [{**vars(r), **timed} for r in again] == [{**vars(r), **timed} for r in results]


def test_without_the_reference_there_are_no_ratios(splits, tmp_path):
    results = interactions.run(MODELS[:1], splits, 5)
    assert results[0].recall_ratio is None
    interactions.write(results, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["interactions.json"]
    assert "-" in interactions.table_of(results, 5).splitlines()[2]


@pytest.mark.parametrize("split", interactions.SPLITS)
def test_the_command_prints_tables_or_json_and_writes_both_files(matrix, split, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    interactions.add_options(parser)
    options = [
        "--split",
        split,
        "--splits",
        "1",
        "-k",
        "3",
        "--models",
        "EASE",
        "EASE int8",
        "popularity",
        "--out",
        str(tmp_path),
    ]
    timestamps = np.random.default_rng(0).integers(0, 1000, matrix.nnz)
    interactions.compare(matrix * 3, timestamps, parser.parse_args(options), MODELS)
    printed = capsys.readouterr().out
    assert "recall@3" in printed
    assert "ALS" not in printed
    assert (tmp_path / "interactions.png").read_bytes().startswith(b"\x89PNG")
    interactions.compare(matrix, timestamps, parser.parse_args([*options, "--json"]), MODELS)
    rows = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in rows] == ["popularity", "EASE int8, rank 2", "EASE int8, rank 4", "EASE"]
    assert rows == json.loads((tmp_path / "interactions.json").read_text())
    assert f"{rows[0]['recall']['value']:.3f} (" in printed  # weights of 3 count as 1


def test_models_are_chosen_by_name_or_by_what_stands_before_the_comma():
    chosen = interactions.chosen_models(MODELS, ["EASE", "EASE int8, rank 2", "ALS"])
    assert [model.name for model in chosen] == ["EASE int8, rank 2", "ALS, 4 dims", "EASE"]


def test_unknown_models_and_splits_are_refused(matrix):
    with pytest.raises(SettingsError, match="no model is called 'EAZE'; there are: popularity; "):
        interactions.chosen_models(MODELS, ["EASE", "EAZE"])
    with pytest.raises(SettingsError, match="two models are called alike: EASE; EASE"):
        interactions.run([Ease(), Ease(penalty=7)], interactions.splits_of(matrix, None, "strong", 1))
    with pytest.raises(SettingsError, match="0 splits 'strong'"):
        interactions.splits_of(matrix, None, "strong", 0)
    with pytest.raises(SplitError, match="no timestamps"):
        interactions.splits_of(matrix, None, "time", 1)


def test_a_file_recommends_what_the_device_does(model_path, model):
    ids = model.lines("ids.txt")
    items = ["not in the file", *ids[::-1]]
    baskets = np.zeros((40, len(items)), np.float32)
    rng = np.random.default_rng(0)
    for row in baskets:
        row[rng.choice(np.arange(1, len(items)), 8, replace=False)] = 2.5
    given = csr_matrix(baskets)
    scorer = FileScorer(model_path, items)
    scores = scorer.scores(given)
    assert scorer.bytes_per_item == model.manifest.columns
    assert (scores[:, 0] == -np.inf).all()
    recommender = Recommender.open(model_path, engine="numpy")
    row_of = {item: row for row, item in enumerate(ids)}
    table = model.table.astype(np.int64)
    for basket, row, best in zip(given, scores, top_k(scores, given, 10), strict=True):
        liked = [items[column] for column in basket.indices]
        query = sum(table[row_of[item]] for item in liked)
        assert row[1:].tolist() == (table @ query)[::-1].tolist()
        neighbors = recommender.recommend(liked, k=10)
        by_score = sorted(best, key=lambda column: (-row[column], row_of[items[column]]))  # ties by the file's rows
        assert [items[column] for column in by_score] == [neighbor.id for neighbor in neighbors]


def test_items_that_the_file_lacks_add_nothing(model_path, model):
    ids = model.lines("ids.txt")
    scorer = FileScorer(model_path, ["unknown", ids[5], ids[9]])
    with_unknown, without = scorer.scores(csr_matrix(np.array([[1, 1, 0], [0, 1, 0]], np.float32)))
    assert with_unknown.tolist() == without.tolist()
    assert np.isfinite(without[1:]).all()


def test_sums_beyond_float32_stay_exact(model_path, model):
    ids = model.lines("ids.txt")
    [scores] = FileScorer(model_path, ids).scores(csr_matrix(np.ones((1, len(ids)), np.float32)))
    table = model.table.astype(np.int64)
    expected = table @ table.sum(axis=0)
    assert np.abs(table.sum(axis=0)).sum() * 127 >= 1 << 24
    assert scores.astype(np.int64).tolist() == expected.tolist()
