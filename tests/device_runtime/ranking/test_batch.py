import numpy as np
import pytest

from device_runtime import (
    ContradictoryLikesError,
    InvalidArgumentError,
    InvalidCountError,
    UnknownItemError,
)
from device_runtime.ranking import ranker


def some_baskets(recommender, count):
    ids = [neighbor.id for neighbor in recommender.similar("pancakes", 299)]
    rng = np.random.default_rng(0)
    return [[ids[i] for i in rng.choice(299, rng.integers(1, 9), replace=False)] for _ in range(count)]


@pytest.fixture(params=["one by one", "together"])
def way(request, monkeypatch):
    if request.param == "together":
        monkeypatch.setattr(ranker, "_FASTER_ONE_BY_ONE", 0)
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
        {"blend": "together"},
    ],
)
def test_a_batch_answers_as_one_by_one_does(recommender, way, options):
    baskets = [*some_baskets(recommender, 70), [], {"borscht": 2, "baklava": -1}, {"borscht": 0.5, "baklava": 0.1}]
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
