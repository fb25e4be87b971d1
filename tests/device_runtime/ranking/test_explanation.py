import math

import numpy as np
import pytest

from device_runtime import NoFavoritesError, UnknownItemError
from tests import plain_ranking
from tests.device_runtime.plain import Plain


def test_the_parts_are_those_of_plain_integers_and_sum_up_to_the_score(recommender, model):
    plain = Plain(model)
    weights = {"pancakes": 1, "borscht": 3, "tiramisu": 0}
    why = recommender.explain(weights, "Blini", blend="together")
    rows = {id_: plain.item(id_)["row"] for id_ in [*weights, "blini"]}
    query = [sum(weight * rows[id_][column] for id_, weight in weights.items()) for column in range(16)]
    length = math.sqrt(sum(entry**2 for entry in query))
    assert (why.id, why.name) == ("blini", "Blini")
    for contribution in why.contributions:
        weight = weights[contribution.id]
        product = sum(a * b for a, b in zip(rows[contribution.id], rows["blini"], strict=True))
        assert contribution.weight == weight
        assert contribution.part == pytest.approx(weight * product * plain.scale / length)
        assert contribution.cosine == pytest.approx(recommender.score(contribution.id, "blini"), abs=1e-6)
    parts = [contribution.part for contribution in why.contributions]
    assert parts == sorted(parts, reverse=True)
    assert sum(parts) == pytest.approx(why.score, abs=1e-6)
    assert sum(abs(c.share) for c in why.contributions) == pytest.approx(1)


def test_a_result_is_explained_by_the_taste_that_it_answers(recommender):
    favorites = ["pancakes", "borscht"]
    for neighbor in recommender.recommend(favorites, 6):
        why = recommender.explain(favorites, neighbor.id)
        assert (why.id, why.name, why.score) == neighbor
        first, second = why.contributions
        assert (first.part, second.part) == (pytest.approx(neighbor.score, abs=1e-6), 0)
        assert neighbor.score == pytest.approx(recommender.score(first.id, neighbor.id), abs=1e-6)


def test_what_a_dislike_takes_away_is_a_part_below_0(recommender):
    ids, table = list(recommender.file.lines("ids.txt")), recommender.file.table.astype(float)
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    cosines = np.triu(unit @ unit.T, 1)
    disliked, near = (ids[row] for row in divmod(int(cosines.argmax()), len(ids)))  # the two most alike of all
    favorite = recommender.similar(disliked, 3, exclude=[near])[-1].id
    why = recommender.explain([favorite], near, dislikes=[disliked])
    parts = {contribution.id: contribution.part for contribution in why.contributions}
    bound = (1 + plain_ranking.alike_from(recommender.file.table.tolist())) / 2
    assert parts[disliked] == pytest.approx(-2 * (cosines.max() - bound), abs=5e-3)
    assert parts[disliked] < -0.05
    assert sum(parts.values()) == pytest.approx(why.score, abs=1e-5)
    assert {c.id for c in why.contributions if c.share < 0} == {disliked}


def test_the_score_is_the_one_that_comes_back(recommender):
    for neighbor in recommender.recommend(["pancakes", "borscht"], 5, dislikes=["tiramisu"]):
        why = recommender.explain(["pancakes", "borscht"], neighbor.name, dislikes=["tiramisu"])
        assert (why.id, why.name, why.score) == neighbor
    first = recommender.recommend(["pancakes", "borscht"], 1)[0]
    assert recommender.explain(["pancakes", "borscht"], first.id).score == pytest.approx(first.score, abs=2e-7)
    fractions = {"pancakes": 0.25, "borscht": 0.7, "crepes": 0.3}
    first = recommender.recommend(fractions, 1)[0]
    why = recommender.explain(fractions, first.id)
    assert why.score == first.score == pytest.approx(sum(c.part for c in why.contributions), abs=1e-5)


def test_shared_values_are_those_of_the_catalog_rare_and_common_to_many_first(recommender, model):
    plain = Plain(model)
    favorites = ["pancakes", "borscht", "hot-dog"]
    why = recommender.explain(favorites, "blini", dislikes=["tiramisu"])
    expected = {}
    for attribute, values in plain.item("blini")["attributes"].items():
        for value in values:
            having = [i for i in plain.items if value in i["attributes"].get(attribute, ())]
            names = tuple(item["name"] for item in map(plain.item, favorites) if item in having)
            if names:
                expected[attribute, value] = names, len(names) * math.log(len(plain.items) / len(having))
    assert {(s.attribute, s.value): s.favorites for s in why.shared} == {k: names for k, (names, _) in expected.items()}
    weights = [expected[s.attribute, s.value][1] for s in why.shared]
    assert weights == sorted(weights, reverse=True)
    assert len(why.shared) > 5


def test_a_kind_that_is_liked_is_shared_first(recommender):
    soup = next(neighbor.id for neighbor in recommender.recommend(["course=soup"], 1, where={"course": "soup"}))
    first, *others = recommender.explain(["course=soup", "borscht"], soup).shared
    assert first == ("course", "soup", ("course=soup", "Borscht"))
    assert all(shared.favorites == ("Borscht",) for shared in others)
    weights = {"course=soup": -1, "borscht": 2}
    assert ("course", "soup", ("Borscht",)) in recommender.explain(weights, soup).shared


def test_bad_questions_are_errors(recommender):
    with pytest.raises(UnknownItemError):
        recommender.explain(["pancakes"], "nothing of the kind")
    with pytest.raises(NoFavoritesError):
        recommender.explain([], "blini")
