import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from device_runtime import InvalidArgumentError, Neighbor, Recommender, UnknownAttributeError, UnknownItemError
from device_runtime.ranking.placement import attribute_vectors_of


def test_neighbors_come_best_first_without_the_item(recommender):
    found = recommender.similar("pancakes", k=10)
    scores = [neighbor.score for neighbor in found]
    assert len(found) == 10
    assert all(isinstance(neighbor, Neighbor) for neighbor in found)
    assert "pancakes" not in [neighbor.id for neighbor in found]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)


def test_scores_are_cosines_of_the_vectors(recommender):
    query = recommender.vector("hot dog") + recommender.vector("borscht")
    for neighbor in recommender.recommend(["hot dog", "borscht"], k=5, blend="together"):
        vector = recommender.vector(neighbor.id)
        cosine = vector @ query / np.linalg.norm(vector) / np.linalg.norm(query)
        assert neighbor.score == pytest.approx(cosine, abs=0.01)


def test_id_name_and_alias_ask_the_same(recommender):
    assert recommender.similar("crepes") == recommender.similar("CRÊPES")
    assert recommender.similar("doner-kebab") == recommender.similar("Döner kebab")


def test_an_item_named_twice_counts_once(recommender):
    assert recommender.recommend(["borscht", "Borscht"]) == recommender.similar("borscht")


def test_excluded_items_do_not_come_back_and_others_move_up(recommender):
    first, *rest = recommender.similar("pancakes", k=6)
    assert recommender.similar("pancakes", k=5, exclude=[first.name]) == rest
    assert recommender.similar("pancakes", k=5, exclude=first.id) == rest


def test_filters_come_before_the_top_k(recommender):
    everything = recommender.similar("pancakes", k=299)
    soups = recommender.similar("pancakes", k=10, where={"course": "soup"})
    either = recommender.similar("pancakes", k=299, where={"course": ["soup", "dessert"]})
    allowed = {neighbor.id for neighbor in either}
    assert len(soups) == 10
    assert [n.id for n in soups] == [n.id for n in everything if n.id in {s.id for s in soups}]
    assert [n.id for n in either] == [n.id for n in everything if n.id in allowed]
    assert {n.id for n in soups} < allowed


def test_k_beyond_the_catalog_returns_all_others(recommender):
    assert len(recommender.similar("pancakes", k=10**6)) == len(recommender) - 1


@pytest.mark.parametrize("k", [0, -1, 1.5, True, None, "3"])
def test_a_bad_k_is_an_error(recommender, k):
    with pytest.raises(InvalidArgumentError, match="give a whole number from 1"):
        recommender.similar("pancakes", k=k)


def test_unknown_items_come_with_suggestions(recommender):
    with pytest.raises(UnknownItemError, match=r"'panc'; did you mean Pancakes"):
        recommender.similar("panc")
    with pytest.raises(UnknownItemError, match="no item is called 'qqqq'"):
        recommender.similar("qqqq")


def test_bad_favorites_are_errors(recommender):
    with pytest.raises(InvalidArgumentError, match="give a list of items"):
        recommender.recommend("pancakes")
    with pytest.raises(InvalidArgumentError, match="not by 3"):
        recommender.recommend([3])


def test_a_model_and_a_profile_tell_what_they_are(model_copy):
    with Recommender.open(model_copy, engine="numpy", writable=True) as meals:
        meals.profile("anna").like("borscht", 2)
        meals.remove("blini")
        what = f"<Recommender '{model_copy}': 299 items x 16 dims, 8 bits, engine numpy"
        assert repr(meals) == f"{what}, writable>"
        assert repr(meals.profile("anna")) == "<Profile 'anna': {'borscht': 2.0}>"
    assert repr(Recommender.open(model_copy, engine="numpy")) == f"{what}>"


def test_unknown_attributes_and_values_are_errors(recommender):
    with pytest.raises(UnknownAttributeError, match="no item has an attribute 'color'; there are"):
        recommender.similar("pancakes", where={"color": "red"})
    with pytest.raises(UnknownAttributeError, match="no item has 'brunch' as its course"):
        recommender.similar("pancakes", where={"course": "brunch"})


def test_searching_an_items_own_vector_finds_it_first(recommender):
    for name in ("pancakes", "borscht", "Shawarma"):
        assert recommender.search(recommender.vector(name), k=1)[0].id == name.lower()


def test_the_length_of_a_vector_does_not_matter(recommender):
    vector = recommender.vector("borscht") * 1000
    assert [n.id for n in recommender.search(vector, k=20)] == [n.id for n in recommender.search(vector / 1e6, k=20)]


def test_search_excludes_and_filters(recommender):
    vector = recommender.vector("borscht")
    assert recommender.search(vector, k=3, exclude=["borscht"]) == recommender.search(vector, k=4)[1:]
    assert recommender.search(vector, k=1, where={"course": "soup"})[0].id == "borscht"


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([1.0] * 15, "has shape"),
        ([[1.0] * 16], "has shape"),
        ([float("nan")] * 16, "NaN or infinity"),
        ([float("inf")] * 16, "NaN or infinity"),
        ([0.0] * 16, "is zero"),
        (["a"] * 16, "not a list of 16 numbers"),
        (["1"] * 16, "not a list of 16 numbers"),
        ([10**400] * 16, "not a list of 16 numbers"),
        ([1e300] * 16, "NaN or infinity"),
        ([[1], [2, 3]], "not a list of 16 numbers"),
    ],
)
def test_bad_vectors_are_errors(recommender, vector, message):
    with pytest.raises(InvalidArgumentError, match=message):
        recommender.search(vector)


def test_find_matches_what_people_type(recommender):
    assert recommender.find("crepe")[0].name == "Crêpes"
    assert recommender.find("Pizza margarita")[0].name == "Pizza Margherita"
    assert len(recommender.find("soup", limit=3)) <= 3


def test_a_replaced_file_does_not_change_an_open_one(model_path, tmp_path):
    import shutil

    from device_runtime import Recommender

    path = tmp_path / "m.tflite"
    shutil.copy(model_path, path)
    opened = Recommender.open(path, engine="numpy")
    path.unlink()
    path.write_bytes(b"something else")
    assert opened.similar("pancakes", k=1)


def test_eight_threads_get_the_answers_that_one_gets(recommender):
    names = [neighbor.name for neighbor in recommender.similar("pancakes", k=200)]
    alone = [recommender.recommend([name, "borscht"], k=7) for name in names]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda name: recommender.recommend([name, "borscht"], k=7), names * 3))
    assert together == alone * 3


@pytest.mark.parametrize("bad", [{"where": {"diet": 3}}, {"exclude": None}])
def test_what_is_neither_text_nor_list_is_an_error(recommender, bad):
    with pytest.raises(InvalidArgumentError, match="neither a text nor a list"):
        recommender.similar("pancakes", **bad)


def test_attributes_place_an_item_near_its_like(recommender, model):
    attributes = {}
    row = recommender.row("Baklava")
    for item, (attribute, values) in model.records("attributes.tsv", 2):
        if item == row and attribute in {name for name, _ in attribute_vectors_of(model).names}:
            attributes[attribute] = values.split("|")
    placed = recommender.place(attributes)
    assert np.linalg.norm(placed) == pytest.approx(1)
    assert "Baklava" in [neighbor.name for neighbor in recommender.search(placed, k=3)]


def test_what_places_nothing_is_an_error(recommender):
    with pytest.raises(UnknownAttributeError, match="no attribute 'planet' to place items by; it has cuisine"):
        recommender.place({"planet": "Mars"})
    with pytest.raises(UnknownAttributeError, match=r"no 'brunch' as course; there are .*breakfast"):
        recommender.place({"course": ["breakfast", "brunch"]})
    with pytest.raises(InvalidArgumentError, match="say nothing"):
        recommender.place({})


def test_items_with_an_attribute_can_be_forbidden(recommender, model):
    records = model.records("attributes.tsv", 2)
    sweet = {row for row, (name, values) in records if name == "course" and "dessert" in values.split("|")}
    found = recommender.similar("Baklava", 50, where={"course": {"not": "dessert"}})
    assert len(found) == 50
    assert sweet.isdisjoint(recommender.row(neighbor.id) for neighbor in found)


def test_the_score_of_a_pair_is_that_of_similar(recommender):
    first = recommender.similar("Pancakes", 1)[0]
    assert recommender.score("Pancakes", first.id) == pytest.approx(first.score, abs=1e-6)
    with pytest.raises(UnknownItemError):
        recommender.score("Pancakes", "no such dish")


def test_diversified_results_are_fewer_repeats_of_one_another(recommender):
    def repeats(neighbors):
        vectors = np.stack([recommender.vector(neighbor.id) for neighbor in neighbors])
        return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)].mean()

    plain = recommender.similar("Pancakes", 8)
    diverse = recommender.similar("Pancakes", 8, diversify=0.5)
    assert diverse[0] == plain[0]
    assert len({neighbor.id for neighbor in diverse}) == 8
    assert repeats(diverse) < repeats(plain)
    assert recommender.similar("Pancakes", 300, diversify=0.3, where={"course": "dessert"})
    assert recommender.search(recommender.vector("Pancakes"), 5, diversify=0) == recommender.search(
        recommender.vector("Pancakes"), 5
    )


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), "0.5", None, True])
def test_a_bad_diversity_is_an_error(recommender, bad):
    with pytest.raises(InvalidArgumentError, match="diversify is"):
        recommender.similar("Pancakes", diversify=bad)


def test_a_model_without_changes_needs_none_of_what_changes_need(model_path):
    code = """
import sys
from device_runtime import Recommender
Recommender.open(sys.argv[1]).recommend(["pancakes", "borscht"])
rarely_needed = {
    "changes.device_changes", "changes.kinds", "changes.overlay", "changes.profile", "ranking.batch",
    "ranking.explanation", "ranking.placement", "serve.api",
}
print(sorted(name for name in rarely_needed if f"device_runtime.{name}" in sys.modules))
"""
    command = [sys.executable, "-c", code, str(model_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
