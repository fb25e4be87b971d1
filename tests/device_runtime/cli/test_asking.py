import json

import pytest

from device_runtime import Recommender
from device_runtime.cli import main
from device_runtime.serve.api import Api
from tests.conftest import ROOT
from tests.device_runtime.cli.commands import ask
from tests.device_runtime.running import running


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
        found = {"kind", "size", "sure"} if command[0] == "find" else set()
        assert set(record) == {"id", "name", "score"} | found


def test_a_spelling_is_told_and_a_guess_is_not_taken(model_path, capsys):
    assert main(["recommend", str(model_path), "pancaks", "soup", "-k", "3", "--json"]) == 0
    spelled = capsys.readouterr()
    assert "took 'pancaks' for Pancakes" in spelled.err
    assert main(["recommend", str(model_path), "pancakes", "course=soup", "-k", "3", "--json"]) == 0
    assert capsys.readouterr().out == spelled.out
    assert main(["recommend", str(model_path), "panc"]) == 2  # nobody is there to ask
    assert "did you mean Pancakes" in capsys.readouterr().err
    assert main(["find", str(model_path), "soup"]) == 0
    assert "soup  (course=soup), " in capsys.readouterr().out


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
    words = capsys.readouterr().out
    assert "300\n" in words
    assert "a score is the cosine" in words
    assert "overlap at 10: " in words
    assert "crc32" not in words
    assert "None" not in words


def test_a_model_of_likes_says_what_its_score_is(capsys):
    file = str(ROOT / "tests" / "golden" / "files" / "likes.tflite")
    assert main(["recommend", file, "pancakes"]) == 0
    assert "no cosine" in capsys.readouterr().err
    assert main(["similar", file, "pancakes"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["info", file]) == 0
    assert "no cosine" in capsys.readouterr().out


def test_attributes_are_listed_with_their_values(model_path, capsys):
    counts = Recommender.open(model_path).attributes()
    assert main(["attributes", str(model_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(counts)
    assert f"{len(counts['course'])} values" in next(line for line in lines if line.startswith("course"))
    assert main(["attributes", str(model_path), "COURSE", "-k", "2"]) == 0
    shown = capsys.readouterr()
    assert [line.split(maxsplit=1) for line in shown.out.splitlines()] == [
        [str(items), value] for value, items in list(counts["course"].items())[:2]
    ]
    assert f"2 of {len(counts['course'])} values" in shown.err
    (found,) = ask(capsys, "attributes", model_path, "course", "-k", 1)
    value, items = next(iter(counts["course"].items()))
    assert found == {
        "attribute": "course", "size": len(counts["course"]), "values": [{"value": value, "count": items}],
    }  # fmt: skip


def test_filters_are_typed_alike_by_command_http_and_python(model_path, capsys):
    expected = Recommender.open(model_path, engine="numpy").similar("pancakes", where={"course": ["soup", "dessert"]})
    for texts in (["course=soup", "course=dessert"], ["course:soup", "Course:Dessert"]):
        options = [word for text in texts for word in ("--where", text)]
        assert ask(capsys, "similar", model_path, "pancakes", *options) == [n._asdict() for n in expected]


def test_an_answer_without_items_is_told(model_path, capsys):
    assert main(["find", str(model_path), "🍕"]) == 0
    assert capsys.readouterr() == ("", "mignon: nothing is like '🍕'\n")
    assert ask(capsys, "find", model_path, "🍕") == []
    assert main(["similar", str(model_path), "blini", "--where", "course=soup", "--where", "form=pizza"]) == 0
    assert "no item is left" in capsys.readouterr().err


def test_a_terminal_counts_its_own_profile_unless_told_not_to(model_copy, capsys):
    alone = ask(capsys, "recommend", model_copy, "pancakes")
    assert main(["like", str(model_copy), "borscht"]) == 0
    meals = Recommender.open(model_copy, engine="numpy")
    together = [n._asdict() for n in meals.recommend(["pancakes", "borscht"])]
    capsys.readouterr()
    assert main(["recommend", str(model_copy), "pancakes", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == together
    assert "counts what the profile 'me' likes, too (1); --no-profile leaves it out" in shown.err
    assert ask(capsys, "recommend", model_copy) == ask(capsys, "similar", model_copy, "borscht")
    assert ask(capsys, "recommend", model_copy, "pancakes", "--no-profile") == alone
    assert ask(capsys, "recommend", model_copy, "pancakes", "--profile", "anna") == alone
    assert ask(capsys, "recommend", model_copy, "pancakes", "--ignore-changes") == alone
    assert len(ask(capsys, "explain", model_copy, "blini", "pancakes")["contributions"]) == 2
    assert [n._asdict() for n in meals.recommend(["pancakes"])] == alone  # who asks from a program says for whom
    with running(Api(meals)) as service:
        assert service.ask_json("/v1/recommend?item=pancakes")[1]["results"] == alone
        assert service.ask_json("/v1/recommend?item=pancakes&profile=me")[1]["results"] == together


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["similar", "FILE", "panc"], "did you mean Pancakes"),
        (["similar", "FILE", "pancakes", "-k", "0"], "k is 0"),
        (["similar", "FILE", "pancakes", "--where", "course"], "give ATTRIBUTE=VALUE"),
        (["similar", "no.tflite", "pancakes"], "cannot be opened"),
        (["find", "FILE", "x", "-k", "0"], "-k is 0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(model_path, capsys, arguments, message):
    assert main([str(model_path) if a == "FILE" else a for a in arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_unwanted_values_are_left_out(model_path, capsys):
    assert main(["similar", str(model_path), "baklava", "--where", "course!=dessert", "--json", "-k", "300"]) == 0
    free = json.loads(capsys.readouterr().out)
    assert main(["similar", str(model_path), "baklava", "--where", "course=dessert", "--json", "-k", "300"]) == 0
    sweet = json.loads(capsys.readouterr().out)
    assert {n["id"] for n in free}.isdisjoint(n["id"] for n in sweet)
    assert len(free) + len(sweet) == 299
    assert main(["similar", str(model_path), "baklava", "--where", "a=b", "--where", "a!=c"]) == 2
    assert "both asks for and forbids values of 'a'" in capsys.readouterr().err


def test_an_explanation_in_words_has_parts_and_what_is_shared(model_path, capsys):
    assert main(["explain", str(model_path), "blini", "pancakes", "borscht", "--dislike", "tiramisu"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    why = Recommender.open(model_path).explain(["pancakes", "borscht"], "blini", dislikes=["tiramisu"])
    assert first == f"{why.score:6.3f}  Blini  (blini)"
    assert len(rest) == 3 + len(why.shared)
    assert [line.split()[2] for line in rest[:3]] == [part.name for part in why.contributions]


def test_what_is_asked_wins_over_the_profile_by_command_http_and_python(model_copy, capsys):
    with Recommender.open(model_copy, engine="numpy", writable=True) as meals:
        anna = meals.profile("anna")
        anna.dislike("borscht", 2)
        anna.like("hummus")
        anna.like("tiramisu", 3)
    weights = {"pancakes": 1, "Borscht": 1, "hummus": 1, "tiramisu": -1}
    expected = [n._asdict() for n in Recommender.open(model_copy, engine="numpy").recommend(weights, 7)]
    asked = ["pancakes", "Borscht", "--dislike", "Tiramisu", "--profile", "anna", "-k", 7]
    assert ask(capsys, "recommend", model_copy, *asked) == expected
    with running(Api(Recommender.open(model_copy, engine="numpy"))) as service:
        path = "/v1/recommend?item=pancakes&item=Borscht&dislike=Tiramisu&profile=anna&k=7"
        assert service.ask_json(path) == (200, {"results": expected})
        body = {"items": {"pancakes": 1, "Borscht": 1}, "dislikes": ["Tiramisu"], "profile": "anna"}
        assert service.ask_json("/v1/recommend", {**body, "k": 7}) == (200, {"results": expected})
        why = ask(capsys, "explain", model_copy, "blini", *asked[:-2])
        assert service.ask_json("/v1/explain", {**body, "result": "blini"}) == (200, why)
        assert {part["id"]: part["weight"] for part in why["contributions"]}["borscht"] == 1
        best = service.ask_json("/v1/recommend?profile=nobody")[1]["results"]
    assert main(["recommend", str(model_copy), "--profile", "nobody"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "mignon: no favorites were given: these are the best known\n"
    assert [line.split("  ")[1].strip() for line in captured.out.splitlines()] == [result["name"] for result in best]
    assert ask(capsys, "recommend", model_copy, "borscht", "--profile", "nobody") == ask(
        capsys, "similar", model_copy, "borscht"
    )
