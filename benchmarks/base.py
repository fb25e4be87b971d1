"""What all benchmarks have in common: each is a frozen dataclass whose fields are the options of its command."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from device_runtime.errors import InvalidArgumentError
from export.outputs import check_flatbuffer
from training.console.files import check_replaceable, has_mark

COMMAND = "python -m benchmarks"
_FLAGS = "flags"


class Benchmark(ABC):
    """A benchmark and what was asked of it.

    The first line of its docstring is what `--help` says of it.

    Attributes:
        name: of its command.
    """

    name: ClassVar[str]

    def check(self) -> None:
        """Refuses what cannot be run, before anything heavy is imported.

        Raises:
            MignonError: an argument or a file cannot be used.
        """
        model = vars(self).get("model")
        if model is not None:
            check_flatbuffer(model)

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


def force_option() -> Any:
    """The field of benchmarks that may be told to replace what stands in their way."""
    return option("replace files that no benchmark wrote, too", default=False, action="store_true")


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


@dataclass(frozen=True, kw_only=True)
class WritingBenchmark(Benchmark):
    """One that writes results into a folder.

    Attributes:
        writes: the names of its files.
    """

    writes: ClassVar[tuple[str, ...]] = ()

    out: Path = option("folder for results (default: %(default)s)", default=Path("build/benchmarks"), type=Path)
    force: bool = force_option()

    def check(self) -> None:
        """See `Benchmark.check`; files that no benchmark wrote are not replaced."""
        super().check()
        if self.out.exists() and not self.out.is_dir():
            raise InvalidArgumentError(f"{self.out}: is a file; give --out the name of a folder")
        self.check_results(*(self.out / name for name in self.writes))

    def check_results(self, *paths: Path) -> None:
        """Refuses to replace what no benchmark wrote.

        Raises:
            OutputError: something else stands at one of the paths.
        """
        for path in paths:
            check_replaceable(path, _is_own, COMMAND, force=self.force)


class Size(NamedTuple):
    """Items and dims of a generated table; as text, `5000x16`."""

    rows: int
    dims: int

    def __str__(self) -> str:
        return f"{self.rows}x{self.dims}"

    @classmethod
    def parse(cls, text: str) -> Size:
        """The size that `text` says.

        Raises:
            argparse.ArgumentTypeError: it says none.
        """
        rows, _, dims = text.partition("x")
        if not (rows.isdecimal() and dims.isdecimal() and int(rows) and int(dims)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 5000x16: items and dims")
        return cls(int(rows), int(dims))


def sizes_option(*sizes: str) -> Any:
    """The field of benchmarks that measure generated tables."""
    default = tuple(map(Size.parse, sizes))
    shown = " ".join(sizes)
    return option(f"of generated tables (default: {shown})", default=default, type=Size.parse, nargs="*")


def positive(text: str) -> int:
    """The type of options that count something."""
    return _at_least(text, 1)


def natural(text: str) -> int:
    """The type of seeds."""
    return _at_least(text, 0)


def _at_least(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"{text} is below {least}")
    return number


def _is_own(path: Path) -> bool:
    return has_mark(path, COMMAND)
