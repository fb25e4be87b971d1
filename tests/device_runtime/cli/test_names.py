"""What is asked at a real terminal."""

import json
import os
import sys

import pytest

from device_runtime import Recommender
from tests.device_runtime.cli.commands import ask

if os.name == "nt":
    pytest.skip("Windows has no such terminals", allow_module_level=True)

from tests.device_runtime.cli.terminal import terminal

MIGNON = [sys.executable, "-m", "device_runtime"]


def test_a_guess_is_asked_for_and_the_answer_taken(model_path, capsys):
    with terminal([*MIGNON, "similar", model_path, "panc", "-k", "3", "--json"]) as shown:
        asked = shown.wait_for("(Enter: none)")
        assert "no item is called 'panc'; which is meant?  1 Pancakes  2 " in asked
        shown.type("1\n")
        status, output = shown.end()
    assert status == 0
    assert output.splitlines()[-1].startswith("[{")
    assert ask(capsys, "similar", model_path, "pancakes", "-k", 3) == json.loads(output)


@pytest.mark.parametrize("answer", ["\n", "9\n", "Pancakes\n", "\x04"])
def test_no_answer_takes_nothing(model_path, answer):
    with terminal([*MIGNON, "recommend", model_path, "panc"]) as shown:
        shown.wait_for("(Enter: none)")
        shown.type(answer)
        assert "did you mean Pancakes" in shown.wait_for("did you mean Pancakes")
        assert shown.end() == (2, "")


def test_a_change_is_asked_for_before_the_lock_is_taken(model_copy):
    with terminal([*MIGNON, "remove", model_copy, "pancaks"]) as shown:
        shown.wait_for("(Enter: none)")
        with Recommender.open(model_copy, engine="numpy", writable=True) as other:
            other.profile("me").like("borscht")
        shown.type("1\n")
        assert shown.end() == (0, "removed pancakes\n")


def test_a_filter_that_means_nothing_is_not_asked_for(model_path):
    with terminal([*MIGNON, "similar", model_path, "pancakes", "--where", "soup"]) as shown:
        assert "did you mean course=soup" in shown.wait_for("course=soup")
        assert shown.end() == (2, "")
