import json

import pytest

from benchmarks.generated import exports as sizes
from device_runtime.errors import InvalidArgumentError


def test_a_generated_table_is_exported_within_the_bytes_allowed(tmp_path):
    at_8, at_4 = sizes.measure(tmp_path, ["300x8"])
    assert (at_8.bits, at_4.bits) == (8, 4)
    assert at_8.flatbuffer_bytes <= at_8.allowed_bytes == int(1.02 * 2400) + 14 * 1024
    assert at_4.flatbuffer_bytes <= at_4.allowed_bytes
    assert (at_8.faults, at_4.faults) == (0, 1)
    assert at_8.overlap_at_10 > 0.97
    sizes.write([at_8], tmp_path)
    assert json.loads((tmp_path / "sizes.json").read_text())[0]["size"] == "300x8"
    assert "300x8" in sizes.table_of([at_8])


@pytest.mark.parametrize("size", ["", "5000", "x16", "5000x", "0x8", "-5x8", "axb"])
def test_what_is_no_size_is_refused(tmp_path, size):
    with pytest.raises(InvalidArgumentError, match="is not a size such as"):
        sizes.measure(tmp_path, [size])
