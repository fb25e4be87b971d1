"""The conformance set asked of the C reader: `python -m tests.native.conformance FOLDER`, a line of JSON a target.

A target whose compiler or emulator is not there is a line that says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.native.targets import HERE, TARGETS, Target, build, compilers


def main(golden: str) -> int:
    """Prints the lines."""
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for target in TARGETS:
            for kind, compiler in compilers(target):
                reader, out = f"C ({kind}, {target.name})", Path(folder) / f"{target.name}-{kind}"
                if compiler is None or target.missing:
                    print(json.dumps({"reader": reader, "reason": f"there is no {target.missing or kind} for it here"}))
                    continue
                report = _ask(target, compiler, out, golden)
                print(json.dumps(report | {"reader": reader}), flush=True)
                passed &= report["cases"] == report["passed"]
    return int(not passed)


def _ask(target: Target, compiler: list[str], out: Path, golden: str) -> dict[str, object]:
    """What the reader reports; a compiler that refuses it, or warns, is a failure of this target alone."""
    try:
        build(compiler, out, str(HERE / "conformance.c"))
    except subprocess.CalledProcessError as error:
        return _failed(f"it cannot be compiled: exit {error.returncode}")
    command = [*([target.emulator] if target.emulator else []), str(out), golden]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if not done.stdout.startswith("{"):
        return _failed(done.stderr or f"it ended with {done.returncode}")
    report: dict[str, object] = json.loads(done.stdout)
    return report


def _failed(said: str) -> dict[str, object]:
    return {"version": "", "cases": 1, "passed": 0, "failed": [said.strip()[-200:]]}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
