from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device_runtime import InvalidArgumentError, Recommender
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.objectives import AttributeObjective, InteractionObjective, objective_of

LIKES = Path(__file__).parents[2] / "golden" / "files" / "likes.tflite"

directions = arrays(np.float64, 16, elements=st.floats(-1, 1)).filter(lambda vector: np.linalg.norm(vector) > 1e-3)


def norm(vector):
    return float(np.linalg.norm(vector.astype(float)))


@given(directions)
def test_a_row_points_where_it_should_and_is_as_long_as_the_others(model, vector):
    row = objective_of(model).row_towards(vector)
    radius = 1 / model.manifest.scale
    assert row.dtype == np.int8
    assert norm(row) <= radius * (1 + 1e-9)
    if np.abs(vector).max() * radius / norm(vector) < 127:  # else an entry is cut off
        assert norm(row) > 0.97 * radius
        assert row @ vector / norm(row) / norm(vector) > 0.999


def test_a_row_of_4_bits_fits_its_scale(model_4_bits):
    row = objective_of(model_4_bits).row_towards(np.arange(16.0) - 4)
    assert 0.85 / model_4_bits.manifest.scale < norm(row) <= 1 / model_4_bits.manifest.scale * (1 + 1e-9)


def test_nothing_points_nowhere(model):
    with pytest.raises(InvalidArgumentError, match="cancel one another out"):
        objective_of(model).row_towards(np.zeros(16))


@pytest.fixture(scope="module")
def likes():
    return ModelFile.open(LIKES)


def test_each_kind_of_model_has_its_own(model, likes):
    assert type(objective_of(model)) is AttributeObjective
    assert type(objective_of(likes)) is InteractionObjective


def test_vectors_of_a_model_of_likes_have_length_1(likes):
    lengths = np.linalg.norm(likes.table[:, :-1].astype(float), axis=1)
    assert lengths.max() > 3 * lengths.min()
    items = Recommender.open(LIKES, engine="numpy")
    for row, id_ in enumerate(likes.lines("ids.txt")):
        vector = items.vector(id_)
        assert norm(vector) == pytest.approx(1, abs=1e-6)
        assert vector == pytest.approx(likes.table[row, :-1] / lengths[row], abs=1e-6)


def test_vectors_of_a_model_of_attributes_have_length_about_1(model):
    vectors = objective_of(model).directions(model.table)
    assert vectors == pytest.approx(model.table * model.manifest.scale)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=0.05)


def test_likeness_is_the_cosine_of_the_directions(model, likes):
    for file in (model, likes):
        objective = objective_of(file)
        one, other = objective.directions(file.table[:2])
        assert objective.likeness(*file.table[:2]) == pytest.approx(float(one @ other), abs=0.03)


def test_favorites_of_a_model_of_likes_are_asked_with_signs_and_a_bias(likes):
    rule, rows = likes.manifest.preference, np.array([3, 5, 8])
    total = likes.table[rows].astype(int).sum(axis=0)
    first = len(total) - 1 - rule.negative_columns
    expected = [*total[:first], *-total[first:-1], round(rule.entry * 3**rule.power)]
    objective = objective_of(likes)
    assert objective.query_of_rows(rows).tolist() == expected
    assert objective.query_of_vectors(likes.table[rows], None).tolist() == expected
    assert objective.query_of_vectors(likes.table[rows], np.full(3, 1.0)).tolist() == expected


def test_a_row_of_a_model_of_likes_is_of_median_length_and_bias(likes):
    row = objective_of(likes).row_towards(np.arange(16.0) - 4)
    table = likes.table.astype(float)
    assert norm(row[:-1]) == pytest.approx(np.median(np.linalg.norm(table[:, :-1], axis=1)), rel=0.05)
    assert row[-1] == int(np.median(table[:, -1]))
