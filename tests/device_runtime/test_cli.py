import json
import subprocess
import sys

import pytest

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
        (["similar", "FILE", "pancakes", "--where", "course"], "is not ATTRIBUTE=VALUE"),
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


def test_bad_usage_is_status_2(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["nothing"])
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
