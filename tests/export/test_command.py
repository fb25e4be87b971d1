import json
import signal
import subprocess
import sys
import time

import pytest

from export import gate
from export.command import export, main
from export.errors import VerificationError
from tests.conftest import ROOT


def test_exporting_twice_gives_the_same_bytes(trained_folder, model_path, tmp_path):
    again = export(trained_folder, tmp_path / "meals.tflite")
    assert again.path.read_bytes() == model_path.read_bytes()
    assert list(tmp_path.iterdir()) == [again.path]


def test_the_flatbuffer_is_small(trained_folder, tmp_path):
    exported = export(trained_folder, tmp_path / "m.tflite")
    assert exported.flatbuffer_bytes <= 1.02 * exported.rows * exported.dims + 14 * 1024


def test_json_report(trained_folder, tmp_path, capsys):
    assert main([str(trained_folder), "--out", str(tmp_path / "m.tflite"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["engines"] == ["numpy", "tflite_runtime"]
    assert report["file_bytes"] == (tmp_path / "m.tflite").stat().st_size


def test_a_file_that_fails_verification_is_not_kept(trained_folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "m.tflite").write_text("the last good one")

    def refuse(*_):
        raise VerificationError("ids differ")

    monkeypatch.setattr(gate, "verify", refuse)
    assert main([str(trained_folder), "--out", str(tmp_path / "m.tflite")]) == 1
    assert (tmp_path / "m.tflite").read_text() == "the last good one"
    assert len(list(tmp_path.iterdir())) == 1
    assert capsys.readouterr().err == "export: ids differ\n"


@pytest.mark.parametrize(("model", "message"), [("none", "cannot be read"), (".", "digests.json: cannot be read")])
def test_bad_input_is_one_line_and_status_2(tmp_path, capsys, model, message):
    assert main([str(tmp_path / model), "--out", str(tmp_path / "m.tflite")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m.tflite").exists()


def test_a_folder_as_out_is_refused(trained_folder, tmp_path, capsys):
    assert main([str(trained_folder), "--out", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_an_export_killed_while_it_writes_leaves_nothing_under_the_name(trained_folder, tmp_path):
    command = [sys.executable, "-m", "export", str(trained_folder), "--out", str(tmp_path / "m.tflite")]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while running.poll() is None and not list(tmp_path.glob(".m.tflite.*")):
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not (tmp_path / "m.tflite").exists()
    assert main([str(trained_folder), "--out", str(tmp_path / "m.tflite")]) == 0
