import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.conftest import ROOT
from training import trained
from training.command import main


def test_writes_a_trained_folder_and_prints_metrics(small_catalog, tmp_path, capsys):
    arguments = ["--catalog", str(small_catalog), "--out", str(tmp_path / "model"), "--dims", "4", "--no-progress"]
    assert main([*arguments, "--epochs", "3", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["items"] == 300
    assert trained.load(tmp_path / "model").table.shape == (300, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (None, [], "cannot be read"),
        ("id,course\n1,a\n", [], "no column 'name'"),
        ("id,name,course\n", [], "no items"),
        ("id,name,course\n1,A,x\n", ["--dims", "0"], "dims is 0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, capsys, text, options, message):
    if text is not None:
        (tmp_path / "c.csv").write_text(text)
    assert main(["--catalog", str(tmp_path / "c.csv"), "--out", str(tmp_path / "model"), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "model").exists()


def test_a_folder_of_something_else_is_refused_before_training(small_catalog, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    assert main(["--catalog", str(small_catalog), "--out", str(tmp_path / "photos")]) == 2
    assert "is not a trained folder" in capsys.readouterr().err


def test_a_killed_run_leaves_no_folder_and_resumes_to_the_same_table(small_catalog, trained_folder, tmp_path):
    command = [sys.executable, "-m", "training", "--catalog", str(small_catalog), "--out", str(tmp_path / "model")]
    running = subprocess.Popen([*command, "--no-progress"], cwd=ROOT, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "model.checkpoint.npz"
    while running.poll() is None and not checkpoint.exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "model").exists()
    subprocess.run([*command, "--resume", "--no-progress"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    np.testing.assert_array_equal(trained.load(tmp_path / "model").table, trained.load(trained_folder).table)
    assert not checkpoint.exists()
