import os
import subprocess
import sys

import pytest

from device_runtime import Recommender
from device_runtime.changes.kinds import Removed
from device_runtime.changes.overlay import Overlay, overlay_path
from device_runtime.cli import main
from tests.conftest import ROOT
from tests.device_runtime.cli.commands import ask
from tests.device_runtime.running import GRACE


def test_changes_are_made_listed_and_used(model_copy, capsys):
    assert ask(capsys, "changes", model_copy) == {"changes": [], "dropped": []}
    soup = ["add", model_copy, "Grandma's soup", "--attribute", "form=creamy soup", "--attribute", "ingredients=tomato"]
    (added,) = ask(capsys, *soup, "--attribute", "ingredients=basil")
    assert (added["kind"], added["id"], added["name"]) == ("added", "grandmas-soup", "Grandma's soup")
    assert added["attributes"] == {"form": ["creamy soup"], "ingredients": ["tomato", "basil"]}
    (twin,) = ask(capsys, "add", model_copy, "Twin", "--near", "grandmas-soup", "--id", "t")
    assert (twin["id"], twin["neighbors"]) == ("t", ["grandmas-soup"])
    assert ask(capsys, "similar", model_copy, "Twin", "-k", 1)[0]["id"] == "grandmas-soup"
    assert ask(capsys, "rename", model_copy, "borscht", "Red soup")[0]["kind"] == "renamed"
    assert ask(capsys, "find", model_copy, "red soup")[0]["id"] == "borscht"
    assert [change["id"] for change in ask(capsys, "remove", model_copy, "blini", "Crêpes")] == ["blini", "crepes"]
    assert len(ask(capsys, "similar", model_copy, "pancakes", "-k", 400)) == 299
    assert len(ask(capsys, "similar", model_copy, "pancakes", "-k", 400, "--ignore-changes")) == 299
    assert "blini" in [n["id"] for n in ask(capsys, "similar", model_copy, "pancakes", "-k", 400, "--ignore-changes")]
    assert [change["kind"] for change in ask(capsys, "changes", model_copy)["changes"]] == [
        "added", "added", "renamed", "removed", "removed",
    ]  # fmt: skip


def test_profiles_are_kept_and_recommended_to(model_copy, capsys):
    ask(capsys, "like", model_copy, "borscht", "hummus", "--profile", "anna", "--weight", 2)
    ask(capsys, "dislike", model_copy, "tiramisu", "--profile", "anna")
    ask(capsys, "like", model_copy, "pancakes")
    meals = Recommender.open(model_copy)
    weights = {"borscht": 2, "hummus": 2, "tiramisu": -1}
    found = ask(capsys, "recommend", model_copy, "--profile", "anna")
    assert found == [neighbor._asdict() for neighbor in meals.recommend(weights)]
    found = ask(capsys, "recommend", model_copy, "baklava", "--profile", "anna", "--dislike", "falafel")
    assert found == [n._asdict() for n in meals.recommend({**weights, "baklava": 1}, dislikes=["falafel"])]
    assert ask(capsys, "recommend", model_copy, "--profile", "me") == ask(capsys, "similar", model_copy, "pancakes")
    why = ask(capsys, "explain", model_copy, "falafel", "--profile", "anna")
    assert (why["id"], len(why["contributions"])) == ("falafel", 3)
    assert ask(capsys, "forget", model_copy, "hummus", "--profile", "anna")[0]["weight"] == 0
    assert Recommender.open(model_copy).profile("anna").likes == {"borscht": 2, "tiramisu": -1}
    assert ask(capsys, "forget", model_copy, "--profile", "anna") == [{"kind": "forgotten", "profile": "anna"}]
    assert ask(capsys, "compact", model_copy) == {"before": 6, "after": 1}


def test_changes_are_told_in_words(model_copy, capsys):
    for command in (
        ["add", "Twin", "--near", "borscht"],
        ["like", "Twin"],
        ["dislike", "hummus", "--weight", "0.5"],
        ["forget", "hummus"],
        ["forget"],
        ["rename", "borscht", "Red soup"],
        ["remove", "borscht"],
    ):
        assert main([command[0], str(model_copy), *command[1:]]) == 0
    made = capsys.readouterr().out
    assert made.splitlines() == [
        "added Twin (twin)",
        "me likes twin (1)",
        "me dislikes hummus (0.5)",
        "me forgets hummus",
        "me forgets all",
        "renamed borscht to Red soup",
        "removed borscht",
    ]
    assert main(["changes", str(model_copy)]) == 0
    assert capsys.readouterr().out == made
    with Overlay.open(overlay_path(model_copy)) as overlay:
        overlay.append(Removed("nothing"))
    assert main(["changes", str(model_copy)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("not applied: nothing cannot be removed: the model has")
    assert main(["compact", str(model_copy)]) == 0
    assert capsys.readouterr().out == "3 of 8 changes still matter\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "Borscht", "--near", "blini"], "'Borscht' is the id or name of Borscht (borscht)"),
        (["add", "New"], "nothing says where 'New' belongs; give neighbors, or attributes of course, "),
        (["add", "New", "--attribute", "form"], "'form' is no condition; give ATTRIBUTE=VALUE"),
        (["add", "New", "--attribute", "form=brunch"], "no 'brunch' as form"),
        (["remove", "blini", "pancaks"], "did you mean Pancakes"),
        (["rename", "blini", "Borscht"], "is the id or name of Borscht"),
        (["like", "blini", "panc"], "did you mean Pancakes"),
        (["like", "blini", "--weight", "nan"], "the weight is nan"),
        (["dislike", "blini", "--weight", "0"], "the weight is 0.0; give a number above 0"),
        (["forget", "panc"], "did you mean Pancakes"),
        (["add", "New", "--attribute", "form!=soup"], "'form!=soup' forbids a value"),
        (["add", "New", "--near", "pancaks"], "did you mean Pancakes"),
        (["rename", "soup", "Liquid"], "no item is called 'soup'"),
        (["like", "blini", "--weight", "1e39"], "the weight is 1e+39; give a number above 0 and up to 3.40282e+38"),
        (["recommend", "crepes", "--dislike", "Crêpes"], "Crêpes is given the weights 1 and -1"),
        (["explain", "blini"], "no favorites were given"),
    ],
)
def test_a_bad_change_is_one_line_and_changes_nothing(model_copy, capsys, arguments, message):
    assert main([arguments[0], str(model_copy), *arguments[1:]]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert Recommender.open(model_copy).changes == []


def test_what_another_writes_cannot_be_changed(model_copy, capsys):
    with Overlay.open(overlay_path(model_copy)):
        assert main(["remove", str(model_copy), "blini"]) == 1
    assert "is open for writing elsewhere, and one writer at a time is allowed; wait for " in capsys.readouterr().err


def test_writers_at_once_wait_for_one_another(model_copy):
    command = [sys.executable, "-m", "device_runtime", "like", model_copy, "pancakes", "--profile"]
    writers = [subprocess.Popen([*command, f"p{number}"], cwd=ROOT, stderr=subprocess.PIPE) for number in range(12)]
    said = [writer.communicate(timeout=GRACE)[1].decode() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 12, said
    assert sorted(Recommender.open(model_copy).profiles) == sorted(f"p{number}" for number in range(12))


def test_a_writer_says_whom_it_waited_for(model_copy):
    code = f"""
import sys
from device_runtime import Recommender
with Recommender.open({str(model_copy)!r}, engine="numpy", writable=True):
    print("ready", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"ready\n"
        like = [sys.executable, "-m", "device_runtime", "like", model_copy, "pancakes"]
        done = subprocess.run(like, cwd=ROOT, capture_output=True, text=True, check=False)
        holder.communicate(b"")
    assert (done.returncode, done.stdout) == (1, "")
    assert "read_only" not in done.stderr
    if sys.platform == "linux":
        assert f"wait for process {holder.pid} (" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_full_disk_is_a_failure_and_not_bad_input(model_copy):
    assert main(["like", str(model_copy), "pancakes"]) == 0
    path = overlay_path(model_copy)
    before = path.read_bytes()
    code = f"""
import resource, sys
from device_runtime.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)}, {len(before)}))
raise SystemExit(main(["like", {str(model_copy)!r}, "borscht"]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the change was not made; free some space and try again" in done.stderr
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_no_right_to_write_is_a_failure_and_not_bad_input(model_copy, capsys):
    model_copy.parent.chmod(0o500)
    try:
        assert main(["like", str(model_copy), "pancakes"]) == 1
    finally:
        model_copy.parent.chmod(0o700)
    assert "cannot be opened (Permission denied)" in capsys.readouterr().err


def test_names_are_settled_as_for_questions(model_copy, capsys):
    assert main(["like", str(model_copy), "pancaks", "soup"]) == 0
    made = capsys.readouterr()
    assert made.out.splitlines() == ["me likes pancakes (1)", "me likes course=soup (1)"]
    assert "took 'pancaks' for Pancakes" in made.err
    (added,) = ask(capsys, "add", model_copy, "Broth", "--attribute", "Course:SOUP", "--attribute", "served=hot")
    assert added["attributes"] == {"course": ["soup"], "served": ["hot"]}


def test_no_changes_are_told(model_path, capsys):
    assert main(["changes", str(model_path)]) == 0
    assert capsys.readouterr() == ("", "mignon: nothing was changed on this device\n")


@pytest.mark.parametrize("beside", [True, False])
def test_a_damaged_overlay_is_salvaged_as_its_error_says(model_copy, capsys, beside):
    for item in ("borscht", "hummus", "blini"):
        ask(capsys, "remove", model_copy, item)
    path = overlay_path(model_copy)
    path.write_bytes(path.read_bytes().replace(b"hummus", b"hammus"))
    assert main(["changes", str(model_copy)]) == 2
    assert f"the 1 changes before it can be kept: `mignon salvage {path}` cuts" in (capsys.readouterr().err)
    assert main(["salvage", str(model_copy if beside else path)]) == 0
    assert capsys.readouterr().out == f"kept 1 changes; the damaged overlay is now {path}.damaged\n"
    assert [change["id"] for change in ask(capsys, "changes", model_copy)["changes"]] == ["borscht"]
    assert main(["salvage", str(model_copy)]) == 2
    assert "is not damaged; nothing was changed" in capsys.readouterr().err
