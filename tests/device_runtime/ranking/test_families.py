"""Kinds of meals as favorites: found, mixed, disliked, left out, filtered, and alike on every engine."""

import numpy as np
import pytest

from device_runtime import ContradictoryLikesError, Recommender, UnknownItemError
from device_runtime.ranking.families import family_row
from device_runtime.ranking.placement import attribute_vectors_of
from tests.conftest import ROOT


@pytest.fixture(params=["numpy", "tflite"])
def meals(request, model_path):
    return Recommender.open(model_path, engine=request.param)


def having(meals, attribute, value):
    """The ids of items with a value, read from the file's own lines."""
    ids = list(meals.file.lines("ids.txt"))
    records = meals.file.records("attributes.tsv", 2)
    return {ids[row] for row, (name, values) in records if name == attribute and value in values.split("|")}


def test_a_kind_is_found_beside_the_items(meals):
    found = meals.find("soup", 10)
    soups = next(match for match in found if match.id == "course=soup")
    assert (soups.kind, soups.name, soups.sure) == ("family", "soup", True)
    assert soups.size == len(having(meals, "course", "soup"))
    assert meals.identify("course=soup").id == "course=soup"


def test_a_kind_counts_as_one_favorite_by_the_vector_of_its_value(meals):
    vectors = attribute_vectors_of(meals.file)
    (place,) = vectors.rows("course", ["soup"])
    direction = vectors.entries[place].astype(float)
    row = family_row(meals._items, meals._items.families.named("soup")).astype(float)
    cosine = row @ direction / np.linalg.norm(row) / np.linalg.norm(direction)
    assert cosine > 0.99
    query = row.astype(int) + meals.file.table[meals.row("pancakes")].astype(int)
    scores = meals.file.table.astype(int) @ query
    scores[meals.row("pancakes")] = -(10**9)
    ids = list(meals.file.lines("ids.txt"))
    expected = [ids[i] for i in sorted(range(len(ids)), key=lambda i: (-scores[i], i))[:10]]
    assert [neighbor.id for neighbor in meals.recommend(["pancakes", "soup"], 10, blend="together")] == expected


def test_the_items_of_a_kind_are_those_nearest_to_its_middle(meals):
    soups = having(meals, "course", "soup")
    found = [neighbor.id for neighbor in meals.similar("course=soup", 500)]
    assert set(found) == soups
    scores = [neighbor.score for neighbor in meals.similar("soup", 500)]
    assert scores == sorted(scores, reverse=True)


def test_kinds_are_left_out_filtered_and_disliked(meals):
    desserts = having(meals, "course", "dessert")
    everything = [n.id for n in meals.recommend(["pancakes"], 299)]
    assert [n.id for n in meals.recommend(["pancakes"], 299, exclude=["dessert"])] == [
        item for item in everything if item not in desserts
    ]
    cold = having(meals, "served", "cold")
    assert {n.id for n in meals.recommend(["soup"], 299, where={"served": "cold"})} == cold
    away = [n.id for n in meals.recommend(["pancakes"], 299, dislikes=["dessert"])]
    assert {*away} == {*everything} - desserts
    with pytest.raises(ContradictoryLikesError):
        meals.recommend({"soup": 1, "course=soup": -1, "pancakes": 1})


def test_a_kind_of_one_and_one_that_has_become_empty(meals, model_copy):
    ids = list(meals.file.lines("ids.txt"))
    counts = {}
    for row, (attribute, values) in meals.file.records("attributes.tsv", 2):
        for value in values.split("|"):
            counts.setdefault((attribute, value), []).append(ids[row])
    (attribute, value), (item,) = next((pair, rows) for pair, rows in counts.items() if len(rows) == 1)
    family = f"{attribute}={value}"
    assert [n.id for n in meals.similar(family)] == [item]
    with Recommender.open(model_copy, writable=True) as changed:
        changed.remove(item)
        assert changed.similar(family) == []
        assert all(match.id != family for match in changed.find(family, 50))
        assert len(changed.recommend([family], 5)) == 5  # the file still says where such items would stand


def test_a_profile_may_like_a_kind(model_copy):
    with Recommender.open(model_copy, writable=True) as meals:
        assert meals.profile("anna").like("soup") == "course=soup"
        assert meals.profile("anna").recommend(5) == meals.recommend(["soup"], 5)
    again = Recommender.open(model_copy)
    assert again.profile("anna").likes == {"course=soup": 1.0}
    assert again.dropped == []


def test_what_is_only_alike_is_no_favorite(meals):
    assert meals.recommend(["Pancaces"], 3) == meals.recommend(["pancakes"], 3)  # a spelling away
    with pytest.raises(UnknownItemError) as caught:
        meals.recommend(["panc"])
    assert "Pancakes" in caught.value.suggestions
    assert not next(match for match in meals.find("panc") if match.id == "pancakes").sure


def test_a_kind_explains_its_part(meals):
    first = meals.recommend(["pancakes", "soup"], 1)[0]
    why = meals.explain(["pancakes", "soup"], first.id)
    assert {part.id for part in why.contributions} == {"pancakes", "course=soup"}
    assert sum(part.part for part in why.contributions) == pytest.approx(why.score, abs=1e-5)


def test_many_baskets_may_hold_kinds(meals):
    assert meals.recommend_many([["soup", "pancakes"], ["pancakes"]], 5) == [
        meals.recommend(["soup", "pancakes"], 5),
        meals.recommend(["pancakes"], 5),
    ]


def test_in_a_model_of_likes_a_kind_is_the_mean_of_its_rows():
    likes = Recommender.open(ROOT / "tests" / "golden" / "files" / "likes.tflite", engine="numpy")
    soups = sorted(likes._items.row_of_id[item] for item in having(likes, "course", "soup"))
    exact = likes.file.table[soups].astype(float).mean(axis=0)
    row = family_row(likes._items, likes._items.families.named("soup"))
    assert np.abs(row - exact).max() <= 0.5
    assert len(likes.recommend(["soup"], 5)) == 5


def test_who_wants_none_of_it_means_the_kind_and_not_an_item_with_that_alias(meals):
    """A "dessert" may be an item's other name; left out and disliked, it is all desserts."""
    kind = having(meals, "course", "dessert")
    items = meals._items
    assert items.resolve_unwanted("desserts") == items.families.named("course=dessert")
    assert isinstance(items.resolve_unwanted("Borscht"), int)
    assert kind.isdisjoint(n.id for n in meals.recommend(["pancakes"], 299, dislikes=["desserts"]))
    assert kind.isdisjoint(n.id for n in meals.recommend(["pancakes"], 299, exclude=["Desserts"]))
