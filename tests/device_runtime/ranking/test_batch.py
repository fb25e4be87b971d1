import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime import (
    ContradictoryLikesError,
    InvalidArgumentError,
    InvalidCountError,
    NoFavoritesError,
    UnknownItemError,
)
from device_runtime import recommender as module
from device_runtime.scoring import integers as scoring


def some_baskets(recommender, count):
    ids = [neighbor.id for neighbor in recommender.similar("pancakes", 299)]
    rng = np.random.default_rng(0)
    return [[ids[i] for i in rng.choice(299, rng.integers(1, 9), replace=False)] for _ in range(count)]


@pytest.fixture(params=["one by one", "together"])
def way(request, monkeypatch):
    if request.param == "together":
        monkeypatch.setattr(module, "_FASTER_ONE_BY_ONE", 0)
    return request.param


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"k": 300},
        {"exclude": ["borscht", "baklava"]},
        {"where": {"course": ["soup", "dessert"]}},
        {"where": {"course": {"not": "soup"}}, "exclude": ["baklava"], "diversify": 0.4},
        {"where": {"course": []}},
        {"diversify": 0.7, "k": 3},
    ],
)
def test_a_batch_answers_as_one_by_one_does(recommender, way, options):
    baskets = [*some_baskets(recommender, 70), {"borscht": 2, "baklava": -1}, {"borscht": 0.5, "baklava": 0.1}]
    single = [recommender.recommend(basket, **options) for basket in baskets]
    together = recommender.recommend_many(iter(baskets), **options)
    assert [[n.id for n in found] for found in together] == [[n.id for n in found] for found in single]
    if way == "one by one" or recommender.engine == "numpy":
        assert together == single
    for found, expected in zip(together, single, strict=True):
        assert [n.score for n in found] == pytest.approx([n.score for n in expected], abs=2e-7)


@pytest.mark.usefixtures("way")
def test_queries_too_large_for_float32_are_answered_too(recommender):
    everything = [neighbor.id for neighbor in recommender.similar("pancakes", 299)]
    baskets = [everything[:250], ["borscht"], {"borscht": 1 << 20, "baklava": 1}]
    expected = [[n.id for n in recommender.recommend(basket)] for basket in baskets]
    assert [[n.id for n in found] for found in recommender.recommend_many(baskets)] == expected


@pytest.mark.usefixtures("way")
def test_no_baskets_are_no_answers(recommender):
    assert recommender.recommend_many([]) == []


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("baskets", "options", "error", "message"),
    [
        ([["borscht"], []], {}, NoFavoritesError, "^basket 1: no favorites"),
        ([["borscht"], {"crepes": 1, "Crêpes": -1}], {}, ContradictoryLikesError, "^basket 1: Crêpes is given"),
        (["borscht"], {}, InvalidArgumentError, "^basket 0: items is the text"),
        ("borscht", {}, InvalidArgumentError, "give a list of baskets"),
        ({"borscht": 1}, {}, InvalidArgumentError, "give a list of baskets"),
        ([["nothing of the kind"]], {}, UnknownItemError, "nothing of the kind"),
        ([], {"k": 0}, InvalidCountError, "k is 0"),
    ],
)
def test_a_bad_basket_is_named(recommender, baskets, options, error, message):
    with pytest.raises(error, match=message):
        recommender.recommend_many(baskets, **options)


@given(st.data())
def test_the_best_of_many_are_those_of_a_stable_sort(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count = data.draw(st.sampled_from([1, 63, 64, 2047, 2048, 5000, 9001]))
    table = rng.integers(-3, 4, (count, 4)).astype(np.int8)  # so that many scores are equal
    queries = rng.integers(-9, 10, (data.draw(st.integers(1, 70)), 4))
    k = min(count, data.draw(st.sampled_from([1, 10, 40, 3000])))
    found = scoring.best_of_many(lambda rows: table[rows], count, queries.astype(np.float32), k)
    for query, (rows, scores) in zip(queries, found, strict=True):
        exact = table.astype(np.int64) @ query
        expected = np.argsort(-exact, kind="stable")[:k]
        assert rows.tolist() == expected.tolist()
        assert scores.tolist() == exact[expected].tolist()


def test_memory_does_not_grow_with_the_table():
    """What is kept beside the answers of 64 queries over 300,000 rows: their scores would take 77 MB."""
    table = np.random.default_rng(0).integers(-60, 61, (300_000, 8)).astype(np.int8)
    queries = table[:64].astype(np.float32)
    tracemalloc.start()
    try:
        assert sum(1 for _ in scoring.best_of_many(lambda rows: table[rows], len(table), queries, 10)) == 64
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
