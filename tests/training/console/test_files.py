import subprocess
import sys
from functools import partial

import pytest

from tests.conftest import ROOT
from training.console.files import check_replaceable, has_mark, is_never_own, make_mark, replacing
from training.errors import OutputError

WRITE = """
import pathlib, sys, time
from training.console.files import replacing
with replacing(pathlib.Path(sys.argv[1])) as temporary:
    print(temporary, flush=True)
    time.sleep(60)
"""


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_what_dead_processes_left_is_removed_and_what_live_ones_write_is_kept(tmp_path):
    path = tmp_path / "m.tflite"
    (tmp_path / ".m.tflite.dead.partial").write_text("half")
    (tmp_path / ".other.dead.partial").write_text("half")
    with subprocess.Popen([sys.executable, "-c", WRITE, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        alive = other.stdout.readline().strip()
        with replacing(path) as temporary:
            temporary.write_text("new")
        assert {p.name for p in tmp_path.iterdir()} == {"m.tflite", ".other.dead.partial", alive.rpartition("/")[2]}
        other.kill()
    with replacing(path) as temporary:
        temporary.write_text("newer")
    assert {p.name for p in tmp_path.iterdir()} == {"m.tflite", ".other.dead.partial"}


def test_files_are_told_by_their_marks(tmp_path):
    path = tmp_path / "page.html"
    check = partial(check_replaceable, path, lambda found: has_mark(found, "cook"), "cook")
    check()
    for text in ("", "precious", f"<meta {make_mark('bake')}>"):
        path.write_text(text)
        with pytest.raises(OutputError, match=r"not written by `cook`; give another --out, or --force"):
            check()
        check(force=True)
    path.write_text("x" * 5000 + make_mark("cook"))
    check()
    with pytest.raises(OutputError, match="is a folder"):
        check_replaceable(tmp_path, is_never_own, "cook", force=True)
