import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_runtime import (
    ContradictoryLikesError,
    InvalidArgumentError,
    InvalidWeightError,
    Recommender,
    UnknownItemError,
)
from device_runtime.items.items import Items
from device_runtime.ranking.likes import merge_profile, resolve_likes
from device_runtime.ranking.question import form_question
from tests.device_runtime.plain import Plain, same

rows = st.integers(0, 299)
whole_weights = st.dictionaries(rows, st.integers(-9, 9), min_size=1, max_size=8)
shared_model = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def plain(model):
    return Plain(model)


@given(weights=whole_weights, k=st.integers(1, 20), exclude=st.lists(rows, max_size=3), soup=st.booleans())
@shared_model
def test_whole_weights_give_the_answers_of_plain_integers(recommender, plain, weights, k, exclude, soup):
    weights = {plain.ids()[row]: weight for row, weight in weights.items()}
    exclude = [plain.ids()[row] for row in exclude]
    where = {"course": "soup"} if soup else {}
    if any(weight > 0 for weight in weights.values()):
        for blend in ("each", "together"):
            found = recommender.recommend(weights, k, exclude=exclude, where=where, blend=blend)
            assert same(found, plain.recommend(weights, k, exclude, where, blend))


def test_dislikes_weigh_minus_one_and_do_not_come_back(recommender, plain):
    found = recommender.recommend(["borscht", "Hot dog"], 20, dislikes=["Baklava", "tiramisu"])
    weights = {"borscht": 1, "hot-dog": 1, "baklava": -1, "tiramisu": -1}
    assert found == recommender.recommend(weights, 20)
    assert same(found, plain.recommend(weights, 20))
    assert {"baklava", "tiramisu"}.isdisjoint(n.id for n in recommender.recommend(weights, 300))


def test_weights_of_one_are_a_list(recommender):
    assert recommender.recommend({"borscht": 1, "Hot dog": 1.0}) == recommender.recommend(["borscht", "hot-dog"])


def test_an_item_of_weight_0_counts_for_nothing_and_does_not_come_back(recommender):
    first, *rest = recommender.recommend(["borscht", "baklava"], 11, blend="together")
    found = recommender.recommend({"borscht": 1, "baklava": 1, first.id: 0}, 10, blend="together")
    assert [n.id for n in found] == [n.id for n in rest]


def test_fractions_point_where_their_sum_does(recommender):
    weights = {"borscht": 0.3, "Hot dog": 1e-3, "Baklava": 0.2}
    target = sum(recommender.vector(item).astype(float) * weight for item, weight in weights.items())
    for neighbor in recommender.recommend(weights, 20, blend="together"):
        vector = recommender.vector(neighbor.id).astype(float)
        assert neighbor.score == pytest.approx(vector @ target / np.linalg.norm(target), abs=3e-5)


@pytest.mark.parametrize("factor", [1e300, 1e-300, 5e-324, 2.0**60])
def test_the_size_of_weights_does_not_matter(recommender, factor):
    found = recommender.recommend({"borscht": factor, "Hot dog": factor}, 10)
    assert [n.id for n in found] == [n.id for n in recommender.recommend(["borscht", "Hot dog"], 10)]


@pytest.mark.parametrize(
    ("items", "dislikes", "names"),
    [
        (["borscht", "crepes"], ["Crêpes"], ("Crêpes",)),
        ({"crepes": 1, "Crêpes": -1}, [], ("Crêpes",)),
        ({"crepes": 1, "Crêpes": 2}, [], ("Crêpes",)),
        ({"crepes": -2, "borscht": 1}, ["crepes"], ("Crêpes",)),
    ],
)
def test_items_that_are_liked_and_disliked_are_named(recommender, items, dislikes, names):
    with pytest.raises(ContradictoryLikesError, match=r"Crêpes is given the weights .*; give one") as caught:
        recommender.recommend(items, dislikes=dislikes)
    assert caught.value.items == names


def test_favorites_that_cancel_out_are_an_error(model, monkeypatch):
    catalog = Items(model)
    opposite = np.stack([model.table[0], -model.table[0]])  # as if the second item were the opposite of the first
    monkeypatch.setattr(catalog, "vectors", lambda rows: opposite[rows % 2])
    likes = resolve_likes(catalog, {catalog.ids[0]: 2, catalog.ids[1]: 2})
    with pytest.raises(ContradictoryLikesError, match="cancel one another out") as caught:
        form_question(catalog, likes, "together")
    assert caught.value.items == tuple(catalog.names[:2])
    assert len(form_question(catalog, likes, "each").tastes) == 2


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, "1", None, True, 1j, 10**400])
def test_a_weight_is_a_finite_number(recommender, weight):
    with pytest.raises(InvalidWeightError, match=r"the weight is .*; give a "):
        recommender.recommend({"borscht": weight})


def test_other_bad_favorites_are_errors(recommender):
    with pytest.raises(InvalidArgumentError, match="give a list of items"):
        recommender.recommend("borscht")
    with pytest.raises(UnknownItemError, match="did you mean Borscht"):
        recommender.recommend({"bors": 2})
    with pytest.raises(UnknownItemError):
        recommender.recommend(["borscht"], dislikes=["nothing of the kind"])
    with pytest.raises(InvalidArgumentError, match="blend is 'both'; give one of each, together"):
        recommender.recommend(["borscht", "crepes"], blend="both")


def test_numpy_numbers_are_weights(model_path):
    meals = Recommender.open(model_path, engine="numpy")
    assert meals.recommend({"borscht": np.float32(2), "baklava": np.int64(1)}) == meals.recommend(
        {"borscht": 2, "baklava": 1}
    )


@pytest.mark.parametrize(
    ("favorites", "dislikes", "merged"),
    [
        (["Borscht"], [], {"hummus": 2, "Borscht": 1}),
        ({"BORSCHT": 5, "crepes": 0}, [], {"hummus": 2, "BORSCHT": 5, "crepes": 0}),
        ([], ["Hummus"], {"borscht": -1}),
        ([], [], {"borscht": -1, "hummus": 2}),
    ],
)
def test_a_question_wins_over_the_profile_whatever_the_names(model, favorites, dislikes, merged):
    likes = {"borscht": -1, "hummus": 2}
    assert merge_profile(Items(model), favorites, dislikes, likes) == merged


def test_a_profile_does_not_hide_what_a_question_contradicts(model_copy):
    with Recommender.open(model_copy, engine="numpy", writable=True) as meals:
        meals.profile("anna").like("borscht")
        with pytest.raises(ContradictoryLikesError, match="Crêpes is given the weights"):
            meals.recommend(["crepes"], dislikes=["Crêpes"], profile="anna")
        with pytest.raises(InvalidArgumentError, match="give a list of items"):
            meals.recommend("crepes", profile="anna")
        assert meals.recommend([], 5, profile="anna") == meals.similar("borscht", 5)
