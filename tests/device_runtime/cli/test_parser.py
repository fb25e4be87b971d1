import json
import subprocess
import sys

import pytest

from device_runtime import Recommender, __version__
from device_runtime.cli import main
from tests.conftest import ROOT


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


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"mignon {__version__}\n"


@pytest.mark.parametrize("command", ["similar", "recommend", "explain", "find", "attributes", "add", "like", "serve"])
def test_help_has_examples(capsys, command):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"examples:\n  mignon {command} meals.tflite" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["similar", "FILE", "a", "--frob"], "unrecognized arguments: --frob"),
        (["similar", "FILE", "a", "-k", "0"], "-k is 0"),
        (["similar", "FILE", "a", "--diversify", "2"], "--diversify is 2.0; give a number from 0 to 1"),
        (["similar", "FILE", "a", "--engine", "x"], "invalid choice: 'x'"),
        (["recommend", "FILE", "--profile", "a", "--no-profile"], "not allowed with argument --profile"),
        (["like", "FILE", "a", "--weight", "0"], "the weight is 0.0; give a number above 0"),
        (["info", "no.tflite"], "no.tflite: cannot be opened (No such file or directory)"),
        (["serve", "FILE", "--port", "65536"], "the port is 65536"),
        (["serve", "FILE", "--timeout", "0"], "the timeout is 0.0"),
        (["serve", "FILE", "--max-body", "x"], "'x' is not a number of bytes such as 64KB"),
    ],
)
def test_bad_usage_is_told_before_numpy_is_imported(arguments, message):
    code = """
import sys
sys.modules["numpy"] = None
from device_runtime.cli import main
raise SystemExit(main(sys.argv[1:]))
"""
    given = ["pyproject.toml" if word == "FILE" else word for word in arguments]
    done = subprocess.run([sys.executable, "-c", code, *given], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert message in done.stderr
