"""Code blocks of documents, and how they are run: in a folder of small files under the names that the docs use."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_CHECKOUT = ("training", "export", "benchmarks", "device_runtime", "examples", "tests", "Makefile", "pyproject.toml")


class Block(NamedTuple):
    """A fenced block; `reason` says why it is not run, if so."""

    language: str
    code: str
    reason: str | None


def blocks_of(path: Path) -> list[Block]:
    return [Block(m["language"], m["code"], m["reason"]) for m in _BLOCK.finditer(path.read_text("utf-8"))]


def make_checkout(folder: Path, model: Path, trained: Path) -> Path:
    """What a checkout looks like after `make demo`, with small files."""
    for name in _CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "build").mkdir()
    shutil.copy(model, folder / "build" / "meals.tflite")
    for name in ("meals", "songs"):
        shutil.copytree(trained, folder / "build" / name)
    return folder


def run_shell(code: str, folder: Path) -> str:
    """What the commands of a block print; each has to end with status 0."""
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "HOME": str(folder)}
    done = subprocess.run(
        [shutil.which("bash"), "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_javascript(code: str, folder: Path) -> None:
    """Runs a block as a module that finds ours by its name."""
    (folder / "node_modules").mkdir(exist_ok=True)
    if not (folder / "node_modules" / "mignon").exists():
        (folder / "node_modules" / "mignon").symlink_to(ROOT / "device_runtime" / "web")
    (folder / "block.mjs").write_text(code, "utf-8")
    done = subprocess.run([shutil.which("node"), "block.mjs"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{code}\n{done.stderr}"


def run_python(code: str, names: dict[str, object]) -> None:
    """Runs a block; of an interactive one each statement, which has to raise what stands there, and nothing else."""
    if ">>> " not in code:
        exec(compile(code, "<block>", "exec"), names)  # noqa: S102 - our own documents
        return
    for example in doctest.DocTestParser().get_examples(code):
        statement = compile(example.source, "<block>", "single")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(statement, names)  # noqa: S102
        except Exception as error:  # noqa: BLE001 - whichever stands in the document
            kind = f"{type(error).__module__}.{type(error).__name__}"
            assert example.want.startswith("Traceback"), f"{example.source}{kind}: {error}"
            assert f"\n{kind}:" in example.want, example.source
        else:
            assert not example.want.startswith("Traceback"), example.source
