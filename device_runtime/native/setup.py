"""Builds the extension with a C compiler alone, once for CPython 3.10 and later."""

import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# No processor is named: which instructions to use is decided at run time.
FLAGS = [] if sys.platform == "win32" else ["-std=c99", "-O3", "-g0", "-ffp-contract=off", "-fvisibility=hidden"]


class BuildOrExplain(build_ext):
    """Says in one line what is missing, where pip would show the end of a long log."""

    def build_extensions(self) -> None:  # noqa: D102 - see setuptools
        command = getattr(self.compiler, "compiler", None)  # Microsoft's has none, and says itself where it is missing
        if command and shutil.which(command[0]) is None:
            _give_up(f"there is no C compiler ({command[0]})", "gcc")
        headers = Path(sysconfig.get_path("include"))
        if not (headers / "Python.h").exists():
            _give_up(f"{headers} holds no Python.h", "python3-dev")
        super().build_extensions()


def _give_up(reason: str, package: str) -> None:
    raise SystemExit(
        f"mignon-native: {reason}; on Debian: apt install {package}. "
        "Or leave mignon-native out: mignon gives the same answers without it, by numpy"
    )


setup(
    ext_modules=[
        Extension(
            "mignon_native",
            sources=["kernel.c", "tastes.c", "catalog.c", "module.c"],
            depends=["kernel.h", "tastes.h", "module.h"],
            extra_compile_args=FLAGS,
            py_limited_api=True,
        )
    ],
    cmdclass={"build_ext": BuildOrExplain},
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
