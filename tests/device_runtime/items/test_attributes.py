import numpy as np
import pytest

from device_runtime.errors import InvalidArgumentError, UnknownAttributeError
from device_runtime.items.attributes import AttributeIndex

RECORDS = [
    (0, ("course", "dessert|breakfast")),
    (1, ("course", "dessert")),
    (2, ("course", "main")),
    (2, ("allergens", "eggs|milk")),
    (0, ("allergens", "milk")),
]


@pytest.fixture
def index():
    return AttributeIndex(4, sorted(RECORDS))


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"course": "dessert"}, [0, 1]),
        ({"course": ["breakfast", "main"]}, [0, 2]),
        ({"course": {"not": "dessert"}}, [2, 3]),
        ({"allergens": {"not": ["eggs", "milk"]}}, [1, 3]),
        ({"course": "dessert", "allergens": {"not": "milk"}}, [1]),
        ({"course": []}, []),
        ({"course": {"not": []}}, [0, 1, 2, 3]),
    ],
)
def test_equal_any_of_and_none_of(index, where, rows):
    assert index.allowed(where).nonzero()[0].tolist() == rows


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ({"planet": "Mars"}, UnknownAttributeError, "no attribute|an attribute 'planet'; there are allergens, course"),
        ({"course": "desert"}, UnknownAttributeError, r"'desert' as its course; did you mean dessert\?"),
        ({"course": {"not": "soup"}}, UnknownAttributeError, "'soup' as its course"),
        ({"course": {"without": "dessert"}}, InvalidArgumentError, "give a value, several, or"),
        ({"course": 3}, InvalidArgumentError, "neither a text nor a list"),
        ({"course": [["dessert"]]}, InvalidArgumentError, "give a text"),
    ],
)
def test_what_cannot_be_asked_is_an_error(index, where, error, message):
    with pytest.raises(error, match=message):
        index.allowed(where)


def test_an_extended_index_is_that_of_all_items(index):
    more = [{"course": ("dessert", "dessert", "tea"), "owner": ("anna",)}, {}]
    records = [*RECORDS, (4, ("course", "dessert|tea")), (4, ("owner", "anna"))]
    together = AttributeIndex(6, records)
    extended = index.extended(more)
    for where in (
        {"course": "dessert"},
        {"course": ["tea", "main"]},
        {"owner": {"not": "anna"}},
        {"allergens": "milk"},
    ):
        assert extended.allowed(where).tolist() == together.allowed(where).tolist()
    assert extended.shared(4, [0, 1, 2]) == together.shared(4, [0, 1, 2])
    assert "owner" in extended
    assert "owner" not in index
    assert index.allowed({"course": "dessert"}).tolist() == [True, True, False, False]


def test_shared_values_come_with_those_that_have_them(index):
    assert index.shared(0, [1, 2, 3]) == [("allergens", "milk", [2]), ("course", "dessert", [1])]
    assert index.shared(0, [0])[0] == ("course", "breakfast", [0])
    assert index.shared(3, [0, 1]) == []
    assert AttributeIndex(2, []).shared(0, [1]) == []


def test_values_are_counted_without_removed_rows_the_most_frequent_first(index):
    counts = index.counts(np.empty(0, np.int64))
    assert counts == {"course": {"dessert": 2, "breakfast": 1, "main": 1}, "allergens": {"milk": 2, "eggs": 1}}
    assert [list(counts[name]) for name in ("course", "allergens")] == [
        ["dessert", "breakfast", "main"],
        ["milk", "eggs"],
    ]
    assert index.counts(np.array([2])) == {"course": {"dessert": 2, "breakfast": 1}, "allergens": {"milk": 1}}
    assert index.counts(np.arange(4)) == {}


def test_the_attributes_of_a_row_are_its_own(index):
    assert index.of(0) == {"course": ["dessert", "breakfast"], "allergens": ["milk"]}
    assert index.of(2) == {"course": ["main"], "allergens": ["milk", "eggs"]}
    assert index.of(3) == {}


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        ([], [0, 1, 2, 3]),
        ("course=main", [2]),
        (["course=main", "course:breakfast"], [0, 2]),
        (["course!=main", "course!:breakfast"], [1, 3]),
        (["COURSE:Dessert", "allergens!=Milk", "Course = main"], [1]),
        (["time=10:30"], [0]),
        (["ratio:w=1", "sum=a=b", "sum:c:d"], [1]),
        (["sum!=a=b"], [0, 2, 3]),
        (["who = you=me"], [3]),
        (["a!=b"], [0, 1, 2]),
    ],
)
def test_a_filter_is_read_as_people_type_it(texts, rows):
    records = [
        (0, ("time", "10:30")),
        (1, ("ratio:w", "1")),
        (1, ("sum", "a=b|c:d")),
        (2, ("sum", "c")),
        (3, ("who = you", "me")),
        (3, ("a", "b")),
    ]
    index = AttributeIndex(4, [*RECORDS, *records])
    assert index.allowed(texts).nonzero()[0].tolist() == rows


def test_of_several_readings_one_whose_value_is_known_is_taken(index):
    extended = index.extended([{"a": ["b=c"]}, {"a=b": ["c", "d"]}, {"a": ["d"]}])
    assert extended.read("a=b=c") == ("a", "b=c", False)
    assert extended.read("a=b=d") == ("a=b", "d", False)
    assert extended.read("a=b=x") == ("a", "b=x", False)
    assert extended.read("new=x:y") == ("new", "x:y", False)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["milk"], r"'milk' is no condition; give ATTRIBUTE=VALUE or .*; did you mean allergens=milk\?"),
        (["soup"], "there are allergens, course, as in allergens=milk"),
        (["Course=dessert", "course!=main"], "both asks for and forbids values of 'course'"),
        (["corse=soup"], r"an attribute 'corse'; did you mean course\? there are allergens, course, as in"),
    ],
)
def test_what_is_no_filter_is_an_error_in_words_of_the_items(index, texts, message):
    with pytest.raises((InvalidArgumentError, UnknownAttributeError), match=message):
        index.allowed(texts)


def test_without_attributes_a_filter_says_so():
    with pytest.raises(UnknownAttributeError, match="no item has an attribute 'a'; no item has any"):
        AttributeIndex(2, []).allowed("a=b")
