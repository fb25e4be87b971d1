"""The export from Python: what docs/export.md shows, and that importing the package is light."""

import re
import subprocess
import sys

import pytest

import export
from export.errors import ExportError
from tests.conftest import ROOT


def test_the_example_of_the_page_runs(trained_folder, tmp_path, monkeypatch):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "songs").symlink_to(trained_folder)
    monkeypatch.chdir(tmp_path)
    section = (ROOT / "docs" / "export.md").read_text("utf-8").partition("## From Python")[2]
    (code,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102 - the page's own code
    songs = names["songs"]
    assert isinstance(songs, export.Exported)
    assert songs.path.stat().st_size == songs.file_bytes
    assert export.lint_file(songs.path) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 3}, "3 bits by 'auto'"),
        ({"quantize": "best"}, "None bits by 'best'"),
        ({"min_overlap": 1.5}, "1.5 is not a share from 0 to 1"),
        ({"report": "."}, "is a folder"),
    ],
)
def test_an_argument_out_of_its_range_is_an_error(trained_folder, tmp_path, options, message):
    with pytest.raises(ExportError, match=message):
        export.export_file(trained_folder, tmp_path / "m.tflite", **options)
    assert not list(tmp_path.iterdir())


def test_importing_it_imports_neither_tensorflow_nor_an_interpreter():
    code = """
import sys, export, export.command
heavy = {"tensorflow", "keras", "tf_keras", "tflite_runtime", "ai_edge_litert", "polars"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = export.nothing
