import pytest

from device_runtime.arguments import checked_weight, parse_bytes, several
from device_runtime.errors import InvalidArgumentError, InvalidWeightError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("65536", 65536), ("64KB", 64_000), ("64 KiB", 65_536), ("1.5MB", 1_500_000), ("2mib", 2 << 20), ("10B", 10)],
)
def test_bytes_are_read_with_their_unit(text, expected):
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "KB", "-5", "64 apples", "1e6", "5K", "NaN", "٣KB", "9" * 400])
def test_what_is_no_number_of_bytes_is_refused(text):
    with pytest.raises(InvalidArgumentError, match="not a number of bytes"):
        parse_bytes(text)


def test_one_text_or_several_are_a_list():
    assert several("soup") == ["soup"]
    assert several(text for text in ("soup", "salad")) == ["soup", "salad"]
    with pytest.raises(InvalidArgumentError, match="neither a text nor a list"):
        several(3)


@pytest.mark.parametrize("weight", [True, "1", None, 10**400, float("nan"), float("-inf")])
def test_a_weight_is_a_finite_number(weight):
    assert checked_weight(-2) == -2.0
    with pytest.raises(InvalidWeightError, match="number"):
        checked_weight(weight)
