"""Makes a virtual environment and installs into it, with a line every few seconds that says what is under way.

    python constraints/make_environment.py FOLDER EXPECTATION PIP_ARGUMENT...

EXPECTATION says before it starts how much and how long it takes.
pip alone prints hundreds of lines or, by --quiet, nothing for minutes. All that it says is kept in FOLDER/pip.log.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

PAUSE = 4  # seconds between two lines: a reader should see progress within five
LAST_LINES = 25  # of the log, shown where a command failed
WHEEL = re.compile(r"([\w.]+)-(\d[\w.+]*)-[\w.]+-\w+-[\w.]+\.whl(?: \(([\d.]+ [kMG]?B)\))?")


def main(folder: Path, expectation: str, pip_arguments: list[str]) -> int:
    """Makes the environment if it is not there, and runs `pip install` in it; gives the status of what failed, or 0."""
    print(f"setting up {folder} with Python {sys.version.split()[0]}: {expectation}", flush=True)
    print(f"pip install {' '.join(pip_arguments)}", flush=True)
    # without a place of its own: what pip compiles lies beside the libraries, where commands typed by hand find it
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    folder.mkdir(parents=True, exist_ok=True)
    log, python, started = folder / "pip.log", folder / "bin" / "python", time.monotonic()
    commands = [[sys.executable, "-m", "venv", folder]] if not python.exists() else []
    commands.append([python, "-m", "pip", "install", "--progress-bar", "off", *pip_arguments])
    for command in commands:
        with log.open("wb") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=environment)  # noqa: S603
        while not ended(process):
            said = log.read_text("utf-8", "replace")
            print(f"{time.monotonic() - started:5.0f} s  {under_way(said, folder)}", flush=True)
        if process.returncode:
            print(*log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:], sep="\n", file=sys.stderr)
            print(f"{folder} is not complete; all that was said is in {log}", file=sys.stderr)
            return process.returncode
    print(f"{time.monotonic() - started:5.0f} s  compiling what pip left", flush=True)
    compile_all = [python, "-m", "compileall", "-qq", "-j", "0", *folder.glob("lib/python*/site-packages")]
    subprocess.run(compile_all, env=environment, check=False)  # noqa: S603 - libraries hold files that are no Python
    print(f"{time.monotonic() - started:5.0f} s  {folder} is ready", flush=True)
    return 0


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, or does so within the pause."""
    try:
        process.wait(PAUSE)
    except subprocess.TimeoutExpired:
        return False
    return True


def under_way(said: str, folder: Path) -> str:
    """What pip does, by what it said so far: it finds packages and fetches them, then installs them all."""
    installing = re.search(r"^Installing collected packages: (.*)$", said, re.MULTILINE)
    if installing:
        there = sum(1 for _ in folder.glob("lib/python*/site-packages/*.dist-info"))
        return f"installing {installing[1].count(',') + 1} packages; {there} are there"
    found = len(set(re.findall(r"^Collecting ([\w.-]+)", said, re.MULTILINE)))
    if not found:
        lines = [line.strip() for line in said.splitlines() if not line.startswith("WARNING")]
        return next((line for line in reversed(lines) if line), "making the environment")
    name, version, size = (WHEEL.findall(said) or [("", "", "")])[-1]
    return f"found {found} packages, now {name} {version}" + (f", {size}" if size else "")


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
