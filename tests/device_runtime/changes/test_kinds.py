import math

import pytest

from device_runtime.changes.kinds import Added, Forgotten, Liked, Removed, Renamed
from device_runtime.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Removed(""), "the id is empty"),
        (lambda: Removed(" "), "the id is empty"),
        (lambda: Removed(3), "the id is 3; give a text"),
        (lambda: Removed("a\tb"), "control character"),
        (lambda: Removed("a\u2028b"), "control character"),
        (lambda: Removed("\ud800"), "not valid Unicode"),
        (lambda: Renamed("a", ""), "the name is empty"),
        (lambda: Renamed("a", "x\ny"), "line break"),
        (lambda: Liked("", "a", 1), "the profile is empty"),
        (lambda: Liked("p", "a", math.nan), "give a finite number"),
        (lambda: Liked("p", "a", -math.inf), "give a finite number"),
        (lambda: Liked("p", "a", 10**400), "give a finite number"),
        (lambda: Liked("p", "a", True), "give a number"),
        (lambda: Liked("p", "a", "1"), "give a number"),
        (lambda: Forgotten("\0"), "control character"),
        (lambda: Added("a", ""), "the name is empty"),
        (lambda: Added("a", "A", ["course"]), "the attributes are"),
        (lambda: Added("a", "A", {"course": "soup"}), "not a list of texts"),
        (lambda: Added("a", "A", {"": ("x",)}), "an attribute is empty"),
        (lambda: Added("a", "A", {"course": (3,)}), "a value of 'course' is 3"),
        (lambda: Added("a", "A", {}, (128,)), "outside -128 to 127"),
        (lambda: Added("a", "A", {}, (0.5,)), "whole numbers"),
        (lambda: Added("a", "A", {}, None), "whole numbers"),
        (lambda: Added("a", "A", {}, (), "shchi"), "not a list of texts"),
        (lambda: Added("a", "A", {}, (), (), None), "the digest of the model is None"),
    ],
)
def test_what_no_change_may_hold(make, message):
    with pytest.raises(InvalidArgumentError) as error:
        make()
    assert message in str(error.value)


def test_changes_hold_tuples_and_floats_whatever_they_are_made_from():
    attributes = {"course": ["soup"]}
    change = Added("a", "A", attributes, [1, 2], ["b"])
    attributes["course"].append("main")
    assert change == Added("a", "A", {"course": ("soup",)}, (1, 2), ("b",))
    assert hash(change) == hash(Added("a", "A", {}, (1, 2), ("b",)))
    assert type(Liked("p", "a", 1).weight) is float
