import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from device_runtime import Recommender
from device_runtime.errors import MissingEngineError
from device_runtime.format.model_file import ModelFile
from export.command import main
from export.errors import VerificationError
from export.tflite.plan import SIGNATURES
from export.verification import engines
from tests.conftest import ROOT
from tests.interpreters import PACKAGES, VERIFIED_ON, interpreter_of

FAST = ["--quantize", "ptq", "--no-progress"]


def export(trained_folder, out, *options):
    return main([str(trained_folder), "--out", str(out), *FAST, *map(str, options)])


def export_in_a_process(trained_folder, out, prepare):
    command = [sys.executable, "-m", "export", str(trained_folder), "--out", str(out), *FAST]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=prepare)


def test_exporting_twice_gives_the_same_bytes(trained_folder, model_path, tmp_path):
    assert export(trained_folder, tmp_path / "meals.tflite") == 0
    assert (tmp_path / "meals.tflite").read_bytes() == model_path.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "meals.tflite"]


def test_json_report(trained_folder, tmp_path, capsys):
    assert export(trained_folder, tmp_path / "m.tflite", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["engines"] == [*VERIFIED_ON]
    assert report["file_bytes"] == (tmp_path / "m.tflite").stat().st_size
    assert report["flatbuffer_bytes"] == report["parts"]["table"] + report["parts"]["graph"]
    assert report["flatbuffer_bytes"] <= 1.02 * report["rows"] * report["dims"] + 20_000
    assert report["allowed_faults"] == []


@pytest.mark.parametrize(
    ("names", "engines_asked", "rules"),
    [
        ("recommend_fixed", VERIFIED_ON, ["fixed shape"]),
        ("search,recommend_fixed", VERIFIED_ON, ["fixed shape"]),
        ("embed, recommend", ("numpy", *PACKAGES), []),
    ],
)
def test_the_signatures_that_are_asked_for_go_into_the_file(
    trained_folder, tmp_path, capsys, names, engines_asked, rules
):
    path = tmp_path / "m.tflite"
    assert export(trained_folder, path, "--signatures", names, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    wanted = [name for name in SIGNATURES if name in names.replace(" ", "").split(",")]
    assert list(dict.fromkeys(signature for signature, *_ in report["operators"])) == wanted
    assert [*signatures_of(path)] == wanted
    assert report["engines"] == [*engines_asked]
    assert [fault["rule"] for fault in report["allowed_faults"]] == rules


def test_fixed_shapes_are_as_long_as_they_are_asked_to_be(trained_folder, tmp_path):
    options = ["--signatures", "recommend_fixed", "--fixed-favorites", "3", "--fixed-results", "7"]
    assert export(trained_folder, tmp_path / "m.tflite", *options) == 0
    found = signatures_of(tmp_path / "m.tflite")["recommend_fixed"](items=np.array([[0, -1, 5]], np.int32))
    assert found["ids"].shape == found["scores"].shape == (7,)
    assert not {0, 5} & {*found["ids"].tolist()}


def signatures_of(path):
    """By name, in the order of the file."""
    interpreter = interpreter_of("ai_edge_litert")(str(path), num_threads=1)
    return {name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()}


def test_a_file_of_fixed_shapes_alone_answers_as_any(trained_folder, model_path, tmp_path):
    path = tmp_path / "m.tflite"
    assert export(trained_folder, path, "--signatures", "recommend_fixed") == 0
    full, fixed = Recommender.open(model_path), Recommender.open(path)
    first, second = (found.id for found in full.recommend([], k=2))
    assert fixed.engine == full.engine
    assert fixed.recommend([first, second], k=5) == full.recommend([first, second], k=5)
    assert fixed.similar(first, k=5) == full.similar(first, k=5)
    with pytest.raises(MissingEngineError, match="holds neither of the signatures `recommend` and `search`"):
        Recommender.open(path, engine="tflite")


@pytest.mark.parametrize("name", ["recommend", "search"])
def test_the_engine_of_the_graph_does_without_a_signature(trained_folder, model_path, tmp_path, name):
    path = tmp_path / "m.tflite"
    assert export(trained_folder, path, "--signatures", name) == 0
    full, one = Recommender.open(model_path), Recommender.open(path, engine="tflite")
    first, second = (found.id for found in full.recommend([], k=2))
    assert one.engine == "tflite"
    assert one.recommend([first, second], k=5) == full.recommend([first, second], k=5)
    assert one.recommend([first], k=5, blend="together") == full.recommend([first], k=5, blend="together")
    assert one.search(one.vector(first), k=5) == full.search(full.vector(first), k=5)


def test_both_methods_are_measured_and_the_better_is_kept(trained_folder, tmp_path, capsys):
    options = ["--bits", "4", "--no-progress", "--json"]
    assert main([str(trained_folder), "--out", str(tmp_path / "m.tflite"), *options]) == 0
    report = json.loads(capsys.readouterr().out)
    overlap = {attempt["method"]: attempt["quality"]["overlap_at_10"] for attempt in report["tried"]}
    better = max(overlap, key=lambda method: overlap[method])
    assert report["method"] == better
    assert [attempt["method"] for attempt in report["tried"] if attempt["kept"]] == [better]
    assert [fault["rule"] for fault in report["allowed_faults"]] == ["op version"]
    assert np.abs(ModelFile.open(tmp_path / "m.tflite").table).max() == 7


def test_a_budget_picks_dims_and_bits(trained_folder, tmp_path, capsys):
    assert export(trained_folder, tmp_path / "m.tflite", "--max-bytes", "18KB", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    fitting = [size for size in report["sizes"] if size["flatbuffer_bytes"] <= 18_000]
    best = max(size["quality"]["overlap_at_10"] for size in fitting)
    assert report["flatbuffer_bytes"] <= 18_000
    assert report["quality"]["overlap_at_10"] == best
    assert len(report["sizes"]) > len(fitting) > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-bytes", "1KB"], "more than the 1,000 allowed"),
        (["--max-bytes", "0"], "more than the 0 allowed"),
        (["--name", "na\nme"], "--name is 'na\\nme', which holds a control character"),
        (["--license", "CC\tBY"], "holds a control character or line break; leave it out"),
        (["--frontier", __file__], "is a file; give --frontier the name of a folder"),
        (["--report", "."], "is a folder; give --report"),
        (["--max-bytes", "64 apples"], "'64 apples'"),
        (["--min-overlap", "2"], "2.0 is not a share from 0 to 1"),
        (["--dims", "0"], "0 dims were asked for"),
        (["--dims", "17"], "17 dims were asked for and the model has 16"),
        (["--dims", "15", "--bits", "4"], "4 bits need even dims"),
        (
            ["--signatures", "recommend,find"],
            "signatures 'recommend', 'find': give some of recommend_fixed, recommend,",
        ),
        (["--signatures", "embed"], "nothing could be recommended"),
        (["--fixed-favorites", "65"], "65 favorites of recommend_fixed were asked for; give 1 to 64"),
        (["--fixed-results", "0"], "0 results of recommend_fixed were asked for; give 1 to 1,000"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_status_2(trained_folder, tmp_path, capsys, options, message):
    assert export(trained_folder, tmp_path / "m.tflite", *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--dims", "few"], ["--bits", "3"]])
def test_bad_usage_is_status_2(trained_folder, tmp_path, options):
    with pytest.raises(SystemExit) as stop:
        export(trained_folder, tmp_path / "m.tflite", *options)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--min-overlap", "0.9999"], "fewer than 1.000"), (["--dims", "2", "--min-overlap", "0.5"], "2 dims at 8 bits")],
)
def test_a_file_that_keeps_too_little_is_refused(trained_folder, tmp_path, capsys, options, message):
    assert export(trained_folder, tmp_path / "m.tflite", *options) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_verification_is_not_kept(trained_folder, model_path, tmp_path, monkeypatch, capsys):
    shutil.copy(model_path, tmp_path / "m.tflite")

    def refuse(*_, **__):
        raise VerificationError("ids differ")

    monkeypatch.setattr(engines, "verify", refuse)
    assert export(trained_folder, tmp_path / "m.tflite") == 1
    assert (tmp_path / "m.tflite").read_bytes() == model_path.read_bytes()
    assert len(list(tmp_path.iterdir())) == 1
    assert capsys.readouterr().err == "export: ids differ\n"


@pytest.mark.parametrize(("model", "message"), [("none", "cannot be read"), (".", "digests.json: cannot be read")])
def test_bad_input_is_one_line_and_status_2(tmp_path, capsys, model, message):
    assert export(tmp_path / model, tmp_path / "m.tflite") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m.tflite").exists()


def test_a_folder_as_out_is_refused(trained_folder, tmp_path, capsys):
    assert export(trained_folder, tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_leaves_the_old_file(trained_folder, model_path, tmp_path):
    """A limit on the size of files fails a write half-way, as a full disk does."""
    shutil.copy(model_path, tmp_path / "m.tflite")
    limit = 8192
    limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
    done = export_in_a_process(trained_folder, tmp_path / "m.tflite", limited)
    assert done.returncode == 1
    assert done.stderr.startswith(f"export: {tmp_path / 'm.tflite'}: cannot be written (File too large)")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "m.tflite").read_bytes() == model_path.read_bytes()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_read_only_folder_is_one_line(trained_folder, tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    done = export_in_a_process(trained_folder, folder / "m.tflite", _obey_permissions)
    assert done.returncode == 1
    assert done.stderr == f"export: {folder / 'm.tflite'}: cannot be written (Permission denied)\n"
    assert list(folder.iterdir()) == []


def _obey_permissions():
    """Root writes anywhere; without this capability it obeys the permissions of a folder, as others do."""
    import ctypes

    drop_from_bounding_set, override_permissions = 24, 1
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(drop_from_bounding_set, override_permissions, 0, 0, 0)


@pytest.mark.parametrize("moment", ["it exists", "it is written"])
def test_an_export_killed_while_it_writes_leaves_nothing_under_the_name(trained_folder, tmp_path, moment):
    command = [sys.executable, "-m", "export", str(trained_folder), "--out", str(tmp_path / "m.tflite"), *FAST]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not _has_come(tmp_path, moment):
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not (tmp_path / "m.tflite").exists()
    assert list(tmp_path.iterdir())
    assert export(trained_folder, tmp_path / "m.tflite") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["m.tflite"]


def test_only_what_an_export_wrote_is_replaced_without_force(trained_folder, tmp_path, capsys):
    out, page = tmp_path / "m.tflite", tmp_path / "m.html"
    out.write_text("precious")
    assert export(trained_folder, out) == 2
    assert "is a file of 8 bytes, which begins 'precious', not written by `python -m export`" in capsys.readouterr().err
    assert out.read_text() == "precious"
    for _ in range(2):  # then it replaces its own
        assert export(trained_folder, out, "--force", "--report", page) == 0
    assert export(trained_folder, out, "--report", page) == 0


def test_without_out_the_file_is_called_as_the_folder(trained_folder, tmp_path, capsys):
    shutil.copytree(trained_folder, tmp_path / "games")
    assert main([str(tmp_path / "games"), *FAST]) == 0
    assert f"wrote {tmp_path / 'games.tflite'}" in capsys.readouterr().out
    assert ModelFile.open(tmp_path / "games.tflite").manifest.name == "games"


def _has_come(folder, moment):
    partial = list(folder.glob(".m.tflite.*"))
    return bool(partial) and (moment == "it exists" or partial[0].stat().st_size > 0)


def test_a_frontier_is_written_whatever_its_points_keep(trained_folder, tmp_path, capsys):
    assert export(trained_folder, tmp_path / "m.tflite", "--frontier", tmp_path / "sizes", "--json") == 0
    sizes = json.loads(capsys.readouterr().out)["sizes"]
    points = {path.name for path in (tmp_path / "sizes").glob("*.tflite")}
    assert points <= {f"m-{size['dims']}x{size['bits']}.tflite" for size in sizes}
    assert {"m-4x4.tflite", "m-16x8.tflite"} <= points
