"""The bytes that export writes: those that are stored, made again from the same trained folders."""

from tests.golden import make_golden
from tests.golden.make_golden import HERE


def test_the_conformance_set_is_made_again_to_the_byte(tmp_path):
    make_golden.make(tmp_path)
    stored = {path.relative_to(HERE) for name in ("files", "damaged", "cases") for path in (HERE / name).iterdir()}
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")} == stored
    for path in stored:
        assert (tmp_path / path).read_bytes() == (HERE / path).read_bytes(), path
