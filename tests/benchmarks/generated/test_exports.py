import argparse

import pytest

from benchmarks.base import Size
from benchmarks.generated import exports


def test_a_generated_table_is_exported_within_the_bytes_allowed(tmp_path):
    at_8, at_4 = exports.measure(tmp_path, [Size(300, 8)])
    assert (at_8.bits, at_4.bits) == (8, 4)
    assert at_8.flatbuffer_bytes <= at_8.allowed_bytes == int(1.02 * 2400) + 20_000
    assert at_4.flatbuffer_bytes <= at_4.allowed_bytes
    assert (at_8.faults, at_4.faults) == (0, 1)
    assert at_8.overlap_at_10 > 0.97
    assert "300x8" in exports.format_exports([at_8])


@pytest.mark.parametrize("size", ["", "5000", "x16", "5000x", "0x8", "-5x8", "axb"])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a size such as"):
        Size.parse(size)
