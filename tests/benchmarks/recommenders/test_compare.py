import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.recommenders import compare, report
from benchmarks.recommenders.baselines import AlternatingLeastSquares, Ease, Popularity, ReducedEase
from benchmarks.recommenders.benchmark import InteractionsBenchmark
from training.errors import SettingsError, SplitError
from training.evaluation.ranking import evaluate

MODELS = (Popularity(), ReducedEase(2), ReducedEase(4), AlternatingLeastSquares(4), Ease())


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    likely = np.where(np.arange(24) // 8 == rng.integers(3, size=300)[:, None], 0.5, 0.1)
    return csr_matrix((rng.random((300, 24)) < likely).astype(np.float32))


@pytest.fixture(scope="module")
def splits(matrix):
    return compare.make_splits(matrix, None, "strong", 2)


@pytest.fixture(scope="module")
def results(splits):
    return compare.run(MODELS, splits, 5)


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
    again = compare.run(MODELS, splits, 5)
    assert [{**vars(r), **timed} for r in again] == [{**vars(r), **timed} for r in results]


def test_without_the_reference_there_are_no_ratios(splits):
    results = compare.run(MODELS[:1], splits, 5)
    assert results[0].recall_ratio is None
    assert "-" in report.format_results(results, 5).splitlines()[2]


@pytest.mark.parametrize("split", compare.SPLITS)
def test_the_command_prints_tables_or_json_and_writes_both_files(matrix, split, tmp_path, capsys):
    benchmark = InteractionsBenchmark(
        "log.csv", split=split, splits=1, k=3, models=["EASE", "EASE int8", "popularity"], out=tmp_path
    )
    timestamps = np.random.default_rng(0).integers(0, 1000, matrix.nnz)
    benchmark.compare(matrix * 3, timestamps, MODELS)
    printed = capsys.readouterr().out
    assert "recall@3" in printed
    assert "ALS" not in printed
    assert (tmp_path / "interactions.png").read_bytes().startswith(b"\x89PNG")
    replace(benchmark, json=True).compare(matrix, timestamps, MODELS)
    rows = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in rows] == ["popularity", "EASE int8, rank 2", "EASE int8, rank 4", "EASE"]
    assert rows == json.loads((tmp_path / "interactions.json").read_text())["results"]
    assert f"{rows[0]['recall']['value']:.3f} (" in printed  # weights of 3 count as 1


def test_without_ratios_nothing_is_drawn(matrix, tmp_path):
    InteractionsBenchmark("log.csv", splits=1, models=["popularity"], out=tmp_path).compare(matrix, None, MODELS)
    assert [path.name for path in tmp_path.iterdir()] == ["interactions.json"]


def test_models_are_chosen_by_name_or_by_what_stands_before_the_comma():
    chosen = compare.choose_models(MODELS, ["EASE", "EASE int8, rank 2", "ALS"])
    assert [model.name for model in chosen] == ["EASE int8, rank 2", "ALS, 4 dims", "EASE"]


def test_unknown_models_and_splits_are_refused(matrix):
    with pytest.raises(SettingsError, match="no model is called 'EAZE'; there are: popularity; "):
        compare.choose_models(MODELS, ["EASE", "EAZE"])
    with pytest.raises(SettingsError, match="two models are called alike: EASE; EASE"):
        compare.run([Ease(), Ease(penalty=7)], compare.make_splits(matrix, None, "strong", 1))
    with pytest.raises(SettingsError, match="0 splits 'strong'"):
        compare.make_splits(matrix, None, "strong", 0)
    with pytest.raises(SplitError, match="no timestamps"):
        compare.make_splits(matrix, None, "time", 1)
