import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import tastes
from tests.conftest import ROOT
from training import trained
from training.by_interactions.scorer import InteractionScorer
from training.command import main
from training.trained_folder import MODEL

SMALL = ["--dims", "8", "--epochs", "3", "--no-progress"]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tastes.write_log(tastes.clustered(), tmp_path_factory.mktemp("log") / "log.csv")


def contents(folder):
    """All but the Keras model, which holds the time it was saved at, and the digests of it."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (MODEL, "digests.json")}


def test_writes_a_trained_folder_and_prints_metrics(log, tmp_path, capsys):
    out = tmp_path / "likes"
    arguments = ["--interactions", str(log), "--out", str(out), *SMALL, "--json", "--evaluate"]
    assert main([*arguments, "--tensorboard", str(tmp_path / "board")]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["items"] == 120
    assert metrics["log"]["users"] > 800
    assert metrics["held_out_ndcg"] == max(epoch["ndcg"] for epoch in metrics["history"])
    assert metrics["measures"]["mignon int8"]["ndcg"] > 1.3 * metrics["measures"]["popularity"]["ndcg"]
    model = trained.load(out)
    assert model.metrics == metrics
    assert model.table.shape == (120, 8)
    assert model.preference.negative_columns == 4
    assert model.settings["epochs"] == 3
    assert [item.name for item in model.catalog.items][:2] == ["i0000", "i0001"]
    assert InteractionScorer(model.table, model.preference).scores(tastes.clustered()[:5]).shape == (5, 120)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board", "likes"]
    assert any((tmp_path / "board").iterdir())


def test_items_that_nobody_has_are_placed_by_their_attributes(log, tmp_path, capsys):
    catalog, out = tastes.write_catalog(130, tmp_path / "c.csv"), tmp_path / "likes"
    assert main(["--interactions", str(log), "--catalog", str(catalog), "--out", str(out), *SMALL]) == 0
    assert "10 of them nobody has yet: placed by their attributes" in capsys.readouterr().out
    model = trained.load(out)
    assert [item.id for item in model.catalog.items][-1] == "i0129"
    row_of = {value: row for row, value in enumerate(model.attributes)}
    for item in range(120, 130):
        vector = model.attribute_vectors[row_of["kind", f"k{tastes.clusters_of(130)[item]}"]]
        np.testing.assert_allclose(model.table[item], vector, atol=1e-6)
    assert (model.preference.bias[120:] == model.preference.bias.min()).all()


def test_what_is_left_out_is_said(tmp_path, capsys):
    path = tastes.write_log(tastes.clustered(), tmp_path / "log.csv")
    with path.open("a") as stream:
        stream.write(",i0001\nu0001,nothing\n")
    catalog = tastes.write_catalog(120, tmp_path / "c.csv")
    out = ["--out", str(tmp_path / "likes"), *SMALL]
    assert main(["--interactions", str(path), "--catalog", str(catalog), *out]) == 0
    printed = capsys.readouterr().out
    assert "1 rows left out: user_id is empty" in printed
    assert "1 rows left out: the catalog has no such item" in printed


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("user_id,item_id\nu,i\n", [], "nothing is left of 1 rows"),
        ("user_id,item_id\n", [], "has no rows"),
        ("user,item\nu,i\n", [], "user_id"),
        ("user_id,item_id\nu,i\n", ["--dims", "1"], "dims is 1"),
        ("user_id,item_id\nu,i\n", ["--min-user", "0"], "min_user 0"),
        ("user_id,item_id\nu,i\n", ["--triplets", "t.csv"], "--triplets"),
        ("user_id,item_id\nu,i\n", ["--min-user", "1", "--min-item", "1", "--half-life", "9"], "needs timestamps"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, capsys, text, options, message):
    (tmp_path / "log.csv").write_text(text)
    out = tmp_path / "likes"
    assert main(["--interactions", str(tmp_path / "log.csv"), "--out", str(out), "--json", *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize("option", [["--dropout", "0.5"], ["--min-user", "3"], ["--no-validation"]])
def test_an_option_of_the_other_way_to_train_is_refused(tmp_path, capsys, option):
    assert main([*option, "--out", str(tmp_path / "model")]) == 2
    assert "give --interactions" in capsys.readouterr().err


def test_a_run_killed_at_any_moment_resumes_to_the_same_bytes(log, tmp_path):
    arguments = ["--interactions", str(log), "--dims", "8", "--epochs", "150", "--patience", "150", "--no-progress"]
    assert main([*arguments, "--out", str(tmp_path / "undisturbed")]) == 0
    command = [sys.executable, "-m", "training", *arguments, "--out", str(tmp_path / "likes")]
    checkpoint = tmp_path / "likes.checkpoint.npz"
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while running.poll() is None and not checkpoint.exists():
        time.sleep(0.01)
    time.sleep(random.random())
    running.send_signal(signal.SIGKILL)
    running.wait()
    subprocess.run([*command, "--resume"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert contents(tmp_path / "likes") == contents(tmp_path / "undisturbed")
    assert not checkpoint.exists()
