import pytest

from device_runtime.arguments import parse_bytes
from device_runtime.errors import InvalidArgumentError


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
