"""The conformance set asked of the C reader: `python -m tests.native.conformance FOLDER`, a line of JSON a target.

A target whose compiler or emulator is not there is a line that says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.native.targets import HERE, TARGETS, build, compilers


def main(golden: str) -> int:
    """Prints the lines."""
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        for target in TARGETS:
            for kind, compiler in compilers(target):
                reader, out = f"C ({kind}, {target.name})", Path(folder) / f"{target.name}-{kind}"
                if compiler is None or target.missing:
                    print(json.dumps({"reader": reader, "reason": f"there is no {target.missing or kind} for it here"}))
                    continue
                build(compiler, out, str(HERE / "conformance.c"))
                command = [*([target.emulator] if target.emulator else []), str(out), golden]
                done = subprocess.run(command, check=False, capture_output=True, text=True)
                report = json.loads(done.stdout) if done.stdout.startswith("{") else _failed(done.stderr)
                print(json.dumps(report | {"reader": reader}))
                status |= done.returncode
    return int(status != 0)


def _failed(said: str) -> dict[str, object]:
    return {"version": "", "cases": 1, "passed": 0, "failed": [said.strip()[-200:]]}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
