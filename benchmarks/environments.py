"""Other virtual environments of this machine, and how their Pythons are started."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_runtime.errors import MignonError

ROOT = Path(__file__).parents[1]
MAKE_LIGHT = "make test"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class UnusableEnvironmentError(MignonError):
    """An environment is missing, lacks a library, or a process of it failed."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        make: the command that makes it.
    """

    name: str
    folder: Path
    make: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def check(self) -> None:
        """Refuses to begin without it.

        Raises:
            UnusableEnvironmentError: it is missing; the message says how to make it.
        """
        if not self.python.exists():
            raise UnusableEnvironmentError(f"{self.folder}: there is no such environment; make it with `{self.make}`")

    def start(self, *arguments: object, one_thread: bool = True, **pipes: Any) -> subprocess.Popen[str]:
        """A process of its Python, with text pipes.

        It imports the project from the checkout, not from a wheel that the environment may hold, and keeps compiled
        bytecode, as an installed project would.
        """
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        variables.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / "build" / "cache" / "python"))
        variables |= {"PYTHONPATH": str(ROOT), **(_ONE_THREAD if one_thread else {})}
        command = [str(self.python), *map(str, arguments)]
        return subprocess.Popen(command, env=variables, text=True, **pipes)  # noqa: S603 - our own code

    def run(self, *arguments: object, text: str = "") -> str:
        """What a process of its Python prints, which gets `text` on standard input.

        Raises:
            UnusableEnvironmentError: it ends with another status than 0; the message has its last line.
        """
        pipe = subprocess.PIPE
        with self.start(*arguments, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            printed, errors = process.communicate(text)
        if process.returncode:
            raise UnusableEnvironmentError(
                f"{self.folder}: ended with status {process.returncode} ({last_line(errors)}); make the environment "
                f"with `{self.make}`"
            )
        return printed


HAS_TFLITE_RUNTIME = sys.platform == "linux" and sys.version_info < (3, 12)  # otherwise it has no wheel
HERE = Environment("this one", Path(sys.prefix), "make")
LIGHT = {
    name: Environment(name, Path(sys.prefix) / "light" / name, MAKE_LIGHT) for name in ("numpy", "tflite", "litert")
}


def last_line(text: str) -> str:
    """The last line of what a process wrote, where its error stands."""
    return (text.strip().splitlines() or ["no reason was given"])[-1]
