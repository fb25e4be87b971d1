import pytest

from device_runtime import FileFormatError
from device_runtime.format.model_file import ModelFile
from device_runtime.ranking.placement import attribute_vectors_of, known_attributes
from tests.device_runtime.format.test_model_file import repacked


def test_only_what_places_items_is_known(model):
    attributes = {"form": ["creamy soup", "no such form"], "planet": ["Mars"], "course": ["no such course"]}
    assert known_attributes(model, attributes) == {"form": ["creamy soup"]}


def test_attribute_vectors_that_do_not_fit_are_refused(model_copy):
    repacked(model_copy, lambda entries: [(n, d[:-1] if n == "vocabulary.int8" else d) for n, d in entries])
    with pytest.raises(FileFormatError, match=r"'vocabulary\.int8' has"):
        attribute_vectors_of(ModelFile.open(model_copy))
