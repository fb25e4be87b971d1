"""Compiles the C reader for each target and runs the stored cases on it, emulated where it has to be.

`python tests/native/targets.py [FOLDER]` (default: build/native) needs gcc or clang, and for other processors Debian's
cross compilers and qemu-user-static. What cannot be had is named and left out; exit 1 if anything else fails, or warns,
or nothing is left.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
NATIVE = HERE.parent.parent / "device_runtime" / "native"
GOLDEN = HERE.parent / "golden"
PARTS = ("archive", "attributes", "folding", "manifest", "names", "ranking", "reader")
SOURCES = [str(NATIVE / f"{part}.c") for part in PARTS]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
FLAGS = ["-std=c99", "-O2", *WARNINGS, "-ffp-contract=off", f"-I{NATIVE}"]


class Target(NamedTuple):
    """A processor: what Debian's compilers for it are called by, and what runs its programs here."""

    name: str
    triple: str
    emulator: str | None

    @property
    def missing(self) -> str | None:
        """The emulator, where it is needed and not there."""
        return self.emulator if self.emulator and not shutil.which(self.emulator) else None


TARGETS = (
    Target("x86-64", "x86_64-linux-gnu", None),
    Target("aarch64", "aarch64-linux-gnu", "qemu-aarch64-static"),
    Target("armv7", "arm-linux-gnueabihf", "qemu-arm-static"),
    Target("s390x", "s390x-linux-gnu", "qemu-s390x-static"),
)


def compilers(target: Target) -> Iterator[tuple[str, list[str] | None]]:
    """gcc and clang for a target, which takes the libraries of that gcc; None for one that is not there."""
    gcc = shutil.which(f"{target.triple}-gcc") or (shutil.which("gcc") if target.emulator is None else None)
    clang = next(filter(None, map(shutil.which, ("clang", "clang-14"))), None) if gcc else None
    yield "gcc", [gcc] if gcc else None
    yield "clang", [clang, f"--target={target.triple}"] if clang else None


def build(compiler: list[str], out: Path, main: str) -> None:
    """Compiles and links a program; a warning is an error, and is shown."""
    subprocess.run([*compiler, *FLAGS, "-static", "-o", str(out), main, *SOURCES, "-lm"], check=True)


def code_bytes(target: Target, compiler: list[str], out: Path) -> int | None:
    """Bytes of machine code and constants of the reader, optimized for size; None where there is no `size`."""
    size = shutil.which(f"{target.triple}-size") or (shutil.which("size") if target.emulator is None else None)
    if size is None:
        return None
    out.mkdir(exist_ok=True)
    objects = [str(out / f"{part}.o") for part in PARTS]
    for source, compiled in zip(SOURCES, objects, strict=True):
        subprocess.run([*compiler, "-std=c99", "-Os", f"-I{NATIVE}", "-c", "-o", compiled, source], check=True)
    lines = subprocess.run([size, "-t", *objects], check=True, capture_output=True, text=True).stdout.splitlines()
    return sum(map(int, lines[-1].split()[:2]))


def run(target: Target, kind: str, compiler: list[str], folder: Path) -> bool:
    """Prints a line about one compiler of a target; whether all passed."""
    out = folder / f"{target.name}-{kind}"
    build(compiler, out, str(HERE / "conformance.c"))
    emulator = [target.emulator] if target.emulator else []
    answered = subprocess.run([*emulator, str(out), str(GOLDEN)], check=False, capture_output=True, text=True)
    report = json.loads(answered.stdout) if answered.stdout.startswith("{") else {"cases": 0, "passed": 0}
    size = code_bytes(target, compiler, folder / f"{target.name}-{kind}-objects")
    in_bytes = f"  {size:7,} bytes" if size else ""
    print(f"{target.name:8} {kind:6} {report['passed']:5} of {report['cases']} cases{in_bytes}")
    for case in report.get("failed", [answered.stderr or f"ended with {answered.returncode}"]):
        print(f"  failed: {case}", file=sys.stderr)
    return answered.returncode == 0


def main(folder: Path) -> int:
    """Runs every target; returns the exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    passed = []
    for target in TARGETS:
        for kind, compiler in compilers(target):
            if compiler is None or target.missing:
                print(f"{target.name:8} {kind:6} left out: no {target.missing or 'compiler'} here")
                continue
            try:
                passed.append(run(target, kind, compiler, folder))
            except subprocess.CalledProcessError as error:
                print(f"{target.name:8} {kind:6} cannot be compiled: exit {error.returncode}", file=sys.stderr)
                passed.append(False)
    return 0 if passed and all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/native")))
