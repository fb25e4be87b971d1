import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.board_games import write_board_games
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
    assert "no part of a trained folder" in capsys.readouterr().err


def test_a_killed_run_leaves_no_folder_and_resumes_to_the_same_table(small_catalog, trained_folder, tmp_path):
    command = [sys.executable, "-m", "training", "--catalog", str(small_catalog), "--out", str(tmp_path / "model")]
    running = subprocess.Popen([*command, "--no-progress"], cwd=ROOT, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "model.checkpoint.npz"
    while running.poll() is None and not checkpoint.exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "model").exists()
    before = checkpoint.read_bytes()
    other = subprocess.run(
        [*command, "--dims", "4", "--no-progress"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert other.returncode == 2
    assert "belongs to other data or other settings; give --restart to train anew" in other.stderr
    assert checkpoint.read_bytes() == before
    resumed = subprocess.run([*command, "--no-progress"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "goes on after epoch" in resumed.stderr
    np.testing.assert_array_equal(trained.load(tmp_path / "model").table, trained.load(trained_folder).table)
    assert not checkpoint.exists()


def test_a_run_that_is_restarted_forgets_the_stopped_one(tmp_path, capsys):
    catalog, checkpoint = write_board_games(tmp_path / "games.csv", 40), tmp_path / "games.checkpoint.npz"
    checkpoint.write_bytes(b"of another version")
    arguments = ["--catalog", str(catalog), "--out", str(tmp_path / "games"), "--epochs", "1", "--no-progress"]
    assert main(arguments) == 2
    assert "cannot be read as a checkpoint" in capsys.readouterr().err
    assert main([*arguments, "--restart"]) == 0
    assert not checkpoint.exists()


def test_what_was_seen_is_told_with_neighbors_and_what_they_tell(tmp_path, capsys):
    catalog = write_board_games(tmp_path / "games.csv")
    text = catalog.read_text().splitlines()
    lines = [f"{text[0]},price,empty", *(f"{line},{i}.5," for i, line in enumerate(text[1:]))]
    catalog.write_text("\n".join(lines))
    out = tmp_path / "games"
    assert main(["--catalog", str(catalog), "--out", str(out), "--epochs", "5", "--no-progress"]) == 0
    printed = capsys.readouterr().out
    assert "numbers are words here" in printed
    assert "left out: no item has a value" in printed
    assert printed.count(" -> ") == 5
    metrics = trained.load(out).metrics
    assert {c["column"]: c["values"] for c in metrics["columns"]}["theme"] == 17
    assert metrics["held_out_values"][0]["asked for"] == "all"
    assert all(row["nearest"].count(", ") == 4 for row in metrics["neighbors"])


def test_the_folder_is_called_as_the_catalog(tmp_path, monkeypatch):
    write_board_games(tmp_path / "games.csv", 40)
    monkeypatch.chdir(tmp_path)
    assert main(["--catalog", "games.csv", "--epochs", "1", "--no-progress"]) == 0
    assert len(trained.load("build/games").catalog) == 40
