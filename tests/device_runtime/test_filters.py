import pytest

from device_runtime.errors import InvalidArgumentError, UnknownAttributeError
from device_runtime.filters import AttributeIndex

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
