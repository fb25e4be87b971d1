"""What all benchmarks have in common: each is a frozen dataclass whose fields are the options of its command."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from dataclasses import MISSING, field, fields
from pathlib import Path
from typing import Any, ClassVar

_FLAGS = "flags"


class Benchmark(ABC):
    """A benchmark and what was asked of it.

    The first line of its docstring is what `--help` says of it.

    Attributes:
        name: of its command.
    """

    name: ClassVar[str]

    @abstractmethod
    def run(self) -> None:
        """Measures, prints and writes.

        Raises:
            MignonError: an argument, a file or an environment cannot be used.
        """

    @classmethod
    def summarize(cls) -> str:
        """One line."""
        return (cls.__doc__ or "").splitlines()[0]

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Gives the parser the options that the fields are made by."""
        for each in fields(cls):  # type: ignore[arg-type] # every subclass is a dataclass
            settings = dict(each.metadata)
            flags = settings.pop(_FLAGS, None) or ("--" + each.name.replace("_", "-"),)
            if each.default is not MISSING and settings.get("action") is None:
                settings["default"] = each.default
            parser.add_argument(*flags, **settings)


def option(help: str, *flags: str, default: Any = MISSING, **settings: Any) -> Any:  # noqa: A002 - as argparse calls it
    """A field of a benchmark that is an option, `--` and its name unless `flags` are given.

    Args:
        help: may hold `%(default)s`.
        flags: another spelling, or the name alone for an argument that needs none.
        default: without one, the argument has to be given.
        settings: further arguments of `ArgumentParser.add_argument`.
    """
    return field(default=default, metadata={_FLAGS: flags, "help": help, **settings})


def model_option() -> Any:
    """The field of benchmarks that measure a model file."""
    return option("exported file (default: %(default)s)", default=Path("build/meals.tflite"), type=Path)


def out_option() -> Any:
    """The field of benchmarks that write results."""
    return option("folder for results (default: %(default)s)", default=Path("build/benchmarks"), type=Path)


def positive(text: str) -> int:
    """The type of options that count something."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
