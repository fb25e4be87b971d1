import pytest

from device_runtime import FileFormatError, MignonError
from device_runtime.changes.kinds import Added
from device_runtime.format.model_file import ModelFile
from device_runtime.ranking.placement import attribute_vectors_of, known_attributes, place, row_of_added
from device_runtime.scoring.objectives import objective_of
from tests.device_runtime.format.test_model_file import repacked


def test_only_what_places_items_is_known(model):
    attributes = {"form": ["creamy soup", "no such form"], "planet": ["Mars"], "course": ["no such course"]}
    assert known_attributes(model, attributes) == {"form": ["creamy soup"]}


def test_a_row_is_kept_in_its_model_and_placed_anew_in_another(model):
    kept = tuple(range(16))
    here = Added("a", "A", {"form": ["creamy soup", "lost"], "lost": ["x"]}, kept, model=model.digest)
    assert row_of_added(model, here, {}.get).tolist() == list(kept)
    elsewhere = Added("a", "A", here.attributes, kept, model="other")
    expected = objective_of(model).row_towards(place(model, {"form": "creamy soup"}))
    assert row_of_added(model, elsewhere, {}.get).tolist() == expected.tolist()
    by_neighbors = Added("a", "A", here.attributes, kept, ("b", "c", "lost"), "other")
    rows = {"b": model.table[3], "c": model.table[4]}
    expected = objective_of(model).row_towards(model.table[3].astype(int) + model.table[4])
    assert row_of_added(model, by_neighbors, rows.get).tolist() == expected.tolist()
    for lost, reason in (
        (Added("a", "A", {"lost": ["x"]}), "none of the attributes"),
        (by_neighbors, "none of the items"),
    ):
        with pytest.raises(MignonError, match=reason):
            row_of_added(model, lost, {}.get)


def test_attribute_vectors_that_do_not_fit_are_refused(model_copy):
    repacked(model_copy, lambda entries: [(n, d[:-1] if n == "vocabulary.int8" else d) for n, d in entries])
    with pytest.raises(FileFormatError, match=r"'vocabulary\.int8' has"):
        attribute_vectors_of(ModelFile.open(model_copy))
