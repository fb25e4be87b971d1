"""Several tastes in one question, against plain loops; and what is answered who has none yet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime import Recommender
from device_runtime.ranking.tastes import group_favorites, interleave
from tests import plain_ranking
from tests.conftest import ROOT

entries = st.lists(st.integers(-127, 127), min_size=4, max_size=4)


@given(vectors=st.lists(entries, min_size=1, max_size=9))
def test_groups_are_those_of_plain_loops(vectors):
    groups = group_favorites(np.array(vectors, np.int8), 0.7)
    assert groups == plain_ranking.group(vectors, 0.7)
    assert sorted(place for group in groups for place in group) == list(range(len(vectors)))


def test_near_favorites_are_one_taste_and_far_ones_are_several():
    near = np.array([[100, 10, 0], [100, -10, 0], [90, 0, 30], [0, 0, 120], [0, 5, 110]], np.int8)
    assert group_favorites(near, 0.7) == [[0, 1, 2], [3, 4]]
    assert group_favorites(np.array([[1, 0], [0, 1], [-1, 0]], np.int8), 0.7) == [[0], [1], [2]]


@given(
    lists=st.lists(st.permutations(range(8)), min_size=1, max_size=4),
    weights=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    k=st.integers(1, 9),
)
def test_turns_are_those_of_plain_loops(lists, weights, k):
    weights = weights[: len(lists)]
    lists = [rows[: 8 - place] for place, rows in enumerate(lists)]
    found = interleave([np.array(rows) for rows in lists], weights, k)
    assert interleave([np.array(rows) for rows in lists], weights, 10**9)[:k] == found  # any number may be asked for
    expected = plain_ranking.interleave([rows[:k] for rows in lists], weights, k)
    assert found == expected[: len(found)]
    assert len(found) == len(set(found)) == min(k, len({row for rows in lists for row in rows[:k]}))


def test_each_taste_is_answered_in_its_share(recommender):
    weights = {"borscht": 3, "tiramisu": 1}
    found = recommender.recommend(weights, 8)
    nearer = [max(weights, key=lambda item, id_=n.id: recommender.score(item, id_)) for n in found]
    assert (nearer.count("borscht"), nearer.count("tiramisu")) == (6, 2)
    soups = [n.id for n in recommender.similar("borscht", 6)]
    assert [n.id for n, taste in zip(found, nearer, strict=True) if taste == "borscht"] == soups


def test_one_taste_is_asked_for_as_one(recommender):
    near = [neighbor.id for neighbor in recommender.similar("borscht", 3)]
    each, together = (recommender.recommend(["borscht", *near], 20, blend=blend) for blend in ("each", "together"))
    assert each == together == recommender.recommend(["borscht", *near], 20)


def test_a_model_of_likes_adds_favorites_up_unless_told():
    likes = Recommender.open(ROOT / "tests" / "golden" / "files" / "likes.tflite", engine="numpy")
    favorites = list(likes.file.lines("ids.txt"))[:4]
    assert likes.recommend(favorites) == likes.recommend(favorites, blend="together")
    assert likes.recommend(favorites, 60, blend="each") != likes.recommend(favorites, 60)


@pytest.mark.parametrize("favorites", [[], {}, {"borscht": 0}, {"borscht": -1}])
def test_who_has_no_favorites_gets_the_best_known_that_are_unlike(recommender, favorites):
    found = recommender.recommend(favorites, 10)
    assert len(found) == 10
    assert "borscht" not in {n.id for n in found} or not favorites
    pairs = [(a.id, b.id) for a in found for b in found if a.id < b.id]
    alike = plain_ranking.alike_from(recommender.file.table.tolist())
    assert max(recommender.score(*pair) for pair in pairs) < alike + 1e-6
    soups = recommender.recommend(favorites, 5, where={"course": "soup"})
    assert len(soups) == 5
    assert {n.id for n in soups} <= {n.id for n in recommender.similar("course=soup", 300)}
    everything = recommender.recommend(favorites, 1000)
    assert len(everything) == 300 - len(favorites)
