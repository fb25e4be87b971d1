import pytest

from device_runtime import InvalidWeightError, Recommender, UnknownItemError


@pytest.fixture
def meals(model_copy):
    with Recommender.open(model_copy, engine="numpy", writable=True) as opened:
        yield opened


def test_a_profile_is_updated_one_like_at_a_time_and_kept(meals, model_copy):
    anna = meals.profile("anna")
    assert anna.likes == {}
    anna.like("Borscht")
    anna.like("hot dog", 2.5)
    anna.dislike("Baklava", 0.5)
    anna.like("borscht", 3)
    assert anna.likes == {"hot-dog": 2.5, "baklava": -0.5, "borscht": 3}
    assert anna.recommend(20) == meals.recommend({"borscht": 3, "hot-dog": 2.5, "baklava": -0.5}, 20)
    options = {"exclude": ["pancakes"], "where": {"course": {"not": "soup"}}, "diversify": 0.2}
    assert anna.recommend(5, **options) == meals.recommend(anna.likes, 5, **options)
    anna.unlike("hot-dog")
    meals.profile("bob").like("pancakes")
    meals.close()
    kept = Recommender.open(model_copy, engine="numpy")
    assert kept.profiles == ["anna", "bob"]
    assert kept.profile("anna").likes == {"baklava": -0.5, "borscht": 3}


def test_forgetting_and_removing_take_likes_back(meals):
    anna, bob = meals.profile("anna"), meals.profile("bob")
    for profile in (anna, bob):
        profile.like("borscht")
        profile.like("pancakes")
    meals.remove("borscht")
    assert anna.likes == bob.likes == {"pancakes": 1}
    anna.forget()
    assert anna.likes == {}
    assert meals.profiles == ["bob"]


def test_a_profile_that_likes_nothing_gets_the_best_known_without_what_it_dislikes(meals, model_path):
    anna = meals.profile("anna")
    best = anna.recommend(5)
    assert best == Recommender.open(model_path).profile("anna").recommend(5) == meals.recommend([], 5)
    anna.dislike(best[0].id)
    assert anna.recommend(5) == meals.recommend([], 5, dislikes=[best[0].id])
    assert best[0].id not in [neighbor.id for neighbor in anna.recommend(300)]


@pytest.mark.parametrize("weight", [0, -1, float("nan"), 1e39, "2", None, True])
def test_a_weight_is_above_0_and_in_float32(meals, weight):
    for change in (meals.profile("anna").like, meals.profile("anna").dislike):
        with pytest.raises(InvalidWeightError, match="the weight is"):
            change("borscht", weight)
    assert meals.changes == []


def test_what_is_liked_has_to_be_known(meals):
    with pytest.raises(UnknownItemError, match="did you mean Borscht"):
        meals.profile("anna").like("bors")
    with pytest.raises(UnknownItemError):
        meals.profile("anna").unlike("nothing of the kind")
