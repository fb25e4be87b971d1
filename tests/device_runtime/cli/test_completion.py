"""Completion in a real shell."""

import os
import shutil
import subprocess
import sys

import pytest
import shtab

from device_runtime.cli import main

if shutil.which("bash") is None or os.name == "nt":
    pytest.skip("there is no bash here", allow_module_level=True)

from tests.device_runtime.cli.terminal import terminal


@pytest.fixture
def shell(tmp_path, capsys):
    """An interactive bash that has read the script, and waits."""
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "mignon.sh"
    script.write_text(capsys.readouterr().out)
    (tmp_path / "meals.tflite").touch()
    command = ["bash", "--norc", "--noprofile", "-i"]
    environment = {**os.environ, "PS1": "ready> ", "TERM": "dumb", "HOME": str(tmp_path)}
    with terminal(command, show_output=True, env=environment) as shown:
        shown.wait_for("ready> ")
        shown.type(f"cd {tmp_path}; . {script}; bind 'set bell-style none'; echo do''ne\n")
        shown.wait_for("done\r\nready> ")
        yield shown


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("mignon simi\t", "similar "),
        ("mignon similar me\t", "meals.tflite"),
        ("mignon recommend meals.tflite pancakes --no-\t", "--no-profile "),
        ("mignon serve --wri\t", "--writable "),
        ("mignon similar meals.tflite pancakes --engine na\t", "native "),
    ],
)
def test_a_tab_completes(shell, typed, completed):
    shell.type(typed)
    assert shell.wait_for(completed)


@pytest.mark.parametrize("name", ["zsh", "tcsh"])
def test_other_shells_have_scripts(capsys, name):
    assert name in shtab.SUPPORTED_SHELLS
    assert main(["completion", name]) == 0
    assert "mignon" in capsys.readouterr().out


def test_without_shtab_it_says_what_to_install():
    code = """
import sys
sys.modules["shtab"] = None
from device_runtime.cli import main
raise SystemExit(main(["completion", "bash"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mignon: completion is written by shtab: pip install 'mignon[completion]'\n"
