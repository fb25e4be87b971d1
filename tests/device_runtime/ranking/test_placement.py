import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device_runtime import InvalidArgumentError, MignonError
from device_runtime.changes.kinds import Added
from device_runtime.ranking.placement import known_attributes, place, row_of_added, row_towards

directions = arrays(np.float64, 16, elements=st.floats(-1, 1)).filter(lambda vector: np.linalg.norm(vector) > 1e-3)


def norm(vector):
    return float(np.linalg.norm(vector.astype(float)))


@given(directions)
def test_a_row_points_where_it_should_and_is_as_long_as_the_others(model, vector):
    row = row_towards(vector, model)
    radius = 1 / model.manifest.scale
    assert row.dtype == np.int8
    assert norm(row) <= radius * (1 + 1e-9)
    if np.abs(vector).max() * radius / norm(vector) < 127:  # else an entry is cut off
        assert norm(row) > 0.97 * radius
        assert row @ vector / norm(row) / norm(vector) > 0.999


def test_a_row_of_4_bits_fits_its_scale(model_4_bits):
    row = row_towards(np.arange(16.0) - 4, model_4_bits)
    assert 0.85 / model_4_bits.manifest.scale < norm(row) <= 1 / model_4_bits.manifest.scale * (1 + 1e-9)


def test_nothing_points_nowhere(model):
    with pytest.raises(InvalidArgumentError, match="cancel one another out"):
        row_towards(np.zeros(16), model)


def test_only_what_places_items_is_known(model):
    attributes = {"form": ["creamy soup", "no such form"], "planet": ["Mars"], "course": ["no such course"]}
    assert known_attributes(model, attributes) == {"form": ["creamy soup"]}


def test_a_row_is_kept_in_its_model_and_placed_anew_in_another(model):
    kept = tuple(range(16))
    here = Added("a", "A", {"form": ["creamy soup", "lost"], "lost": ["x"]}, kept, model=model.digest)
    assert row_of_added(model, here, {}.get).tolist() == list(kept)
    elsewhere = Added("a", "A", here.attributes, kept, model="other")
    expected = row_towards(place(model, {"form": "creamy soup"}), model)
    assert row_of_added(model, elsewhere, {}.get).tolist() == expected.tolist()
    by_neighbors = Added("a", "A", here.attributes, kept, ("b", "c", "lost"), "other")
    rows = {"b": model.table[3], "c": model.table[4]}
    expected = row_towards(model.table[3].astype(int) + model.table[4], model)
    assert row_of_added(model, by_neighbors, rows.get).tolist() == expected.tolist()
    for lost, reason in (
        (Added("a", "A", {"lost": ["x"]}), "none of the attributes"),
        (by_neighbors, "none of the items"),
    ):
        with pytest.raises(MignonError, match=reason):
            row_of_added(model, lost, {}.get)
