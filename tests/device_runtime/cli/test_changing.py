import pytest

from device_runtime import Recommender
from device_runtime.changes.kinds import Removed
from device_runtime.changes.overlay import Overlay, overlay_path
from device_runtime.cli import main
from tests.device_runtime.cli.commands import ask


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
