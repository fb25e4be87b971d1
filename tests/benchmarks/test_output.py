import json
from dataclasses import dataclass

from benchmarks.base import COMMAND
from benchmarks.output import drawing, format_table, to_json, write_json
from training.console.files import has_mark


@dataclass(frozen=True)
class Part:
    name: str
    shares: tuple[float, ...]


def test_cells_stand_as_they_are_given():
    assert format_table(["", "n", "%"], [["é", "1,000", "1.50"], ["ab", "2", ""]]).splitlines() == [
        "        n     %", "--  -----  ----", "é   1,000  1.50", "ab      2",
    ]  # fmt: skip
    assert format_table(["a", "b"], []).splitlines()[0].split() == ["a", "b"]


def test_dataclasses_are_written_as_objects(tmp_path):
    results = {"parts": [Part("crème", (0.5, 1.0))]}
    assert json.loads(to_json(results)) == {"parts": [{"name": "crème", "shares": [0.5, 1.0]}]}
    write_json(results, tmp_path / "new" / "r.json")
    assert "crème" in (tmp_path / "new" / "r.json").read_text("utf-8")
    write_json([1, 2], tmp_path / "list.json")
    assert json.loads((tmp_path / "list.json").read_text())["results"] == [1, 2]
    for name in ("new/r.json", "list.json"):
        assert has_mark(tmp_path / name, COMMAND)


def test_equal_drawings_are_equal_files(tmp_path):
    for name in ("a.png", "b.png"):
        with drawing(tmp_path / name, figsize=(2, 2)) as (_, axis):
            axis.plot([1, 2])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert has_mark(tmp_path / "a.png", COMMAND)
