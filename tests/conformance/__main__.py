"""Asks every reader that can run here all cases of the conformance set: `python -m tests.conformance [FOLDER]`.

Prints a line a reader, and of what was not run why. Exits 1 if a case failed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence

from tabulate import tabulate

from tests.browser import WHY_NONE, find_chromium
from tests.conformance.outcome import NotRun, Outcome
from tests.conformance.python import ask_engines
from tests.conftest import ROOT

_MOST_SECONDS = 600
_SHOWN = 5


def main() -> int:
    """Prints the table."""
    outcomes, not_run = [], []
    for result in ask_all():
        print(f"{result.reader}: {_in_words(result)}", file=sys.stderr, flush=True)
        (outcomes if isinstance(result, Outcome) else not_run).append(result)
    rows = [[o.reader, o.version, f"{o.cases:,}", f"{o.passed:,}", ", ".join(o.failed[:_SHOWN])] for o in outcomes]  # type: ignore[union-attr]
    headers = ["reader", "version", "cases", "passed", "failed"]
    print(tabulate(rows, headers, disable_numparse=True, colalign=("left", "left", "right", "right", "left")))
    print("".join(f"not run: {one.reader}: {one.reason}\n" for one in not_run), end="")  # type: ignore[union-attr]
    return int(any(o.passed < o.cases for o in outcomes))  # type: ignore[union-attr]


def ask_all() -> Iterator[Outcome | NotRun]:
    """Python's engines, then the readers in other languages."""
    yield from ask_engines()
    yield from _ask_javascript()
    yield from _ask_java()
    yield from _ask_c()


def _ask_javascript() -> Iterator[Outcome | NotRun]:
    if (node := shutil.which("node")) is None:
        yield NotRun("JavaScript, Node", "there is no node")
    else:
        yield from _run("JavaScript, Node", [node, "tests/device_runtime/web/node.mjs", "tests/golden"])
    if find_chromium() is None:
        yield NotRun("JavaScript, Chromium", WHY_NONE)
        return
    modules = ROOT / ".venv" / "web" / "node_modules"
    command = [sys.executable, "-m", "tests.device_runtime.web.chromium", "tests/golden"]
    yield from _run("JavaScript, Chromium", [*command, *(["--modules", str(modules)] if modules.is_dir() else [])])
    if not modules.is_dir():
        yield NotRun("Graph by LiteRT.js", "there is no @litertjs/core; `make webengines` installs it")


def _ask_java() -> Iterator[Outcome | NotRun]:
    if shutil.which("javac") is None:
        yield NotRun("Java", "there is no JDK")
        return
    built = _run_quietly(["sh", "device_runtime/android/library/build.sh", "build/java"])
    if built:
        yield NotRun("Java", f"it could not be built: {built}")
        return
    yield from _run(
        "Java", ["java", "-cp", "build/java/tools:build/java/mignon.jar", "mignon.Conformance", "tests/golden"]
    )


def _ask_c() -> Iterator[Outcome | NotRun]:
    yield from _run("C", [sys.executable, "-m", "tests.native.conformance", "tests/golden"])


def _run(reader: str, command: Sequence[str]) -> Iterator[Outcome | NotRun]:
    """The lines of JSON that a runner prints, each an outcome or a reader that was not run."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        yield Outcome(reader, "", 1, 0, [_last_line(done.stderr or done.stdout) or f"exit status {done.returncode}"])
    for line in lines:
        told = json.loads(line)
        if "reason" in told:
            yield NotRun(told["reader"], told["reason"])
        else:
            yield Outcome(told["reader"], told["version"], told["cases"], told["passed"], told["failed"])


def _run_quietly(command: Sequence[str]) -> str:
    """Why a command failed; nothing if it did not."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False)
    return (_last_line(done.stderr or done.stdout) or "it failed") if done.returncode else ""


def _last_line(text: str) -> str:
    lines: Iterable[str] = (line for line in reversed(text.splitlines()) if line.strip())
    return next(iter(lines), "")


def _in_words(result: Outcome | NotRun) -> str:
    return result.reason if isinstance(result, NotRun) else f"{result.passed:,} of {result.cases:,}"


if __name__ == "__main__":
    raise SystemExit(main())
