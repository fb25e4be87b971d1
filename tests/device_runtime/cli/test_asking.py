import json
import subprocess
import sys

import pytest

from device_runtime import Recommender
from device_runtime.changes.kinds import Removed
from device_runtime.changes.overlay import Overlay, overlay_path
from device_runtime.cli import main


def test_similar_prints_names_and_scores(model_path, capsys):
    assert main(["similar", str(model_path), "pancakes", "-k", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(float(line.split()[0]) <= 1 for line in lines)


@pytest.mark.parametrize(
    "command", [["similar", "pancakes"], ["recommend", "pancakes", "hot dog"], ["find", "pancake"]]
)
def test_json_has_the_fields_of_the_api(model_path, capsys, command):
    assert main([command[0], str(model_path), *command[1:], "--json"]) == 0
    for record in json.loads(capsys.readouterr().out):
        assert set(record) == {"id", "name", "score"}


def test_filters_and_exclusions(model_path, capsys):
    arguments = ["similar", str(model_path), "pancakes", "--where", "course=soup", "--exclude", "borscht", "--json"]
    assert main(arguments) == 0
    ids = {record["id"] for record in json.loads(capsys.readouterr().out)}
    assert ids
    assert "borscht" not in ids


def test_info_prints_the_manifest(model_path, capsys):
    assert main(["info", str(model_path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["rows"] == 300
    assert record["entries"]["ids.txt"] > 0
    assert main(["info", str(model_path)]) == 0
    assert "quality.overlap_at_10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["similar", "FILE", "pancaks"], "did you mean Pancakes"),
        (["similar", "FILE", "pancakes", "-k", "0"], "k is 0"),
        (["similar", "FILE", "pancakes", "--where", "course"], "give ATTRIBUTE=VALUE"),
        (["similar", "no.tflite", "pancakes"], "cannot be opened"),
        (["find", "FILE", "x", "-k", "0"], "limit is 0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(model_path, capsys, arguments, message):
    assert main([str(model_path) if a == "FILE" else a for a in arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    "arguments",
    [["-k", "3", "pancakes", "borscht"], ["pancakes", "-k", "3", "borscht"], ["pancakes", "borscht", "-k3"]],
)
def test_options_may_stand_before_items(model_path, capsys, arguments):
    assert main(["recommend", str(model_path), "--json", *arguments]) == 0
    expected = Recommender.open(model_path, engine="numpy").recommend(["pancakes", "borscht"], 3)
    assert json.loads(capsys.readouterr().out) == [neighbor._asdict() for neighbor in expected]


@pytest.mark.parametrize("arguments", [["nothing"], ["recommend", "FILE", "a", "--b", "c"], ["find", "FILE", "a", "b"]])
def test_bad_usage_is_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    capsys.readouterr()


def test_a_reader_that_has_gone_is_no_traceback(model_path):
    command = f"{sys.executable} -m device_runtime similar {model_path} pancakes -k 200 | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


def test_unwanted_values_are_left_out(model_path, capsys):
    assert main(["similar", str(model_path), "baklava", "--where", "course!=dessert", "--json", "-k", "300"]) == 0
    free = json.loads(capsys.readouterr().out)
    assert main(["similar", str(model_path), "baklava", "--where", "course=dessert", "--json", "-k", "300"]) == 0
    sweet = json.loads(capsys.readouterr().out)
    assert {n["id"] for n in free}.isdisjoint(n["id"] for n in sweet)
    assert len(free) + len(sweet) == 299
    assert main(["similar", str(model_path), "baklava", "--where", "a=b", "--where", "a!=c"]) == 2
    assert "both asks for and forbids values of 'a'" in capsys.readouterr().err


def run(capsys, *arguments):
    """What the command prints as JSON."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_changes_are_made_listed_and_used(model_copy, capsys):
    assert run(capsys, "changes", model_copy) == {"changes": [], "dropped": []}
    soup = ["add", model_copy, "Grandma's soup", "--attribute", "form=creamy soup", "--attribute", "ingredients=tomato"]
    (added,) = run(capsys, *soup, "--attribute", "ingredients=basil")
    assert (added["kind"], added["id"], added["name"]) == ("added", "grandmas-soup", "Grandma's soup")
    assert added["attributes"] == {"form": ["creamy soup"], "ingredients": ["tomato", "basil"]}
    (twin,) = run(capsys, "add", model_copy, "Twin", "--near", "grandmas-soup", "--id", "t")
    assert (twin["id"], twin["neighbors"]) == ("t", ["grandmas-soup"])
    assert run(capsys, "similar", model_copy, "Twin", "-k", 1)[0]["id"] == "grandmas-soup"
    assert run(capsys, "rename", model_copy, "borscht", "Red soup")[0]["kind"] == "renamed"
    assert run(capsys, "find", model_copy, "red soup")[0]["id"] == "borscht"
    assert [change["id"] for change in run(capsys, "remove", model_copy, "blini", "Crêpes")] == ["blini", "crepes"]
    assert len(run(capsys, "similar", model_copy, "pancakes", "-k", 400)) == 299
    assert len(run(capsys, "similar", model_copy, "pancakes", "-k", 400, "--ignore-changes")) == 299
    assert "blini" in [n["id"] for n in run(capsys, "similar", model_copy, "pancakes", "-k", 400, "--ignore-changes")]
    assert [change["kind"] for change in run(capsys, "changes", model_copy)["changes"]] == [
        "added", "added", "renamed", "removed", "removed",
    ]  # fmt: skip


def test_profiles_are_kept_and_recommended_to(model_copy, capsys):
    run(capsys, "like", model_copy, "borscht", "hummus", "--profile", "anna", "--weight", 2)
    run(capsys, "dislike", model_copy, "tiramisu", "--profile", "anna")
    run(capsys, "like", model_copy, "pancakes")
    meals = Recommender.open(model_copy)
    weights = {"borscht": 2, "hummus": 2, "tiramisu": -1}
    asked = run(capsys, "recommend", model_copy, "--profile", "anna")
    assert asked == [neighbor._asdict() for neighbor in meals.recommend(weights)]
    asked = run(capsys, "recommend", model_copy, "baklava", "--profile", "anna", "--dislike", "falafel")
    assert asked == [n._asdict() for n in meals.recommend({**weights, "baklava": 1}, dislikes=["falafel"])]
    assert run(capsys, "recommend", model_copy, "--profile", "me") == run(capsys, "similar", model_copy, "pancakes")
    why = run(capsys, "explain", model_copy, "falafel", "--profile", "anna")
    assert (why["id"], len(why["contributions"])) == ("falafel", 3)
    assert run(capsys, "forget", model_copy, "hummus", "--profile", "anna")[0]["weight"] == 0
    assert Recommender.open(model_copy).profile("anna").likes == {"borscht": 2, "tiramisu": -1}
    assert run(capsys, "forget", model_copy, "--profile", "anna") == [{"kind": "forgotten", "profile": "anna"}]
    assert run(capsys, "compact", model_copy) == {"before": 6, "after": 1}


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


def test_an_explanation_in_words_has_parts_and_what_is_shared(model_path, capsys):
    assert main(["explain", str(model_path), "blini", "pancakes", "borscht", "--dislike", "tiramisu"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    why = Recommender.open(model_path).explain(["pancakes", "borscht"], "blini", dislikes=["tiramisu"])
    assert first == f"{why.score:6.3f}  Blini  (blini)"
    assert len(rest) == 3 + len(why.shared)
    assert [line.split()[2] for line in rest[:3]] == [part.name for part in why.contributions]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "Borscht", "--near", "blini"], "'Borscht' is the id or name of Borscht (borscht)"),
        (["add", "New"], "say nothing of where the item belongs"),
        (["add", "New", "--attribute", "form"], "is not ATTRIBUTE=VALUE"),
        (["add", "New", "--attribute", "form=brunch"], "no 'brunch' as form"),
        (["remove", "blini", "pancaks"], "did you mean Pancakes"),
        (["rename", "blini", "Borscht"], "is the id or name of Borscht"),
        (["like", "blini", "pancaks"], "did you mean Pancakes"),
        (["like", "blini", "--weight", "nan"], "the weight is nan"),
        (["dislike", "blini", "--weight", "0"], "the weight is 0.0; give a number above 0"),
        (["forget", "pancaks"], "did you mean Pancakes"),
        (["recommend", "--profile", "nobody"], "'nobody' likes nothing yet"),
        (["recommend"], "no favorites were given"),
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
        assert main(["remove", str(model_copy), "blini"]) == 2
    assert "is open for writing elsewhere" in capsys.readouterr().err
