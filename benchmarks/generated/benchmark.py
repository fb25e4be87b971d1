"""python -m benchmarks export and generate: exports of generated tables, and a generated log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.base import (
    COMMAND,
    Benchmark,
    Size,
    WritingBenchmark,
    force_option,
    natural,
    option,
    positive,
    sizes_option,
)
from device_runtime.errors import InvalidArgumentError
from training.console.files import check_replaceable, is_never_own
from training.console.quiet_tensorflow import import_tensorflow

_ROWS_A_USER = 40
_ENDINGS = (".parquet", ".csv", ".jsonl")


@dataclass(frozen=True)
class ExportBenchmark(WritingBenchmark):
    """Exports of generated tables: bytes, what is kept, seconds and memory."""

    name: ClassVar[str] = "export"
    writes: ClassVar[tuple[str, ...]] = ("sizes.json",)

    sizes: Sequence[Size] = sizes_option("5000x16", "5000x32", "100000x32", "1000000x32")

    def run(self) -> None:
        """See `Benchmark.run`."""
        import_tensorflow()
        from benchmarks.generated.exports import format_exports, measure
        from benchmarks.output import write_json

        exports = measure(self.out, self.sizes)
        write_json(exports, self.out / "sizes.json")
        print(f"\n{format_exports(exports)}\n\nwrote {self.out / 'sizes.json'}")


@dataclass(frozen=True)
class LogGenerator(Benchmark):
    """Measures nothing: writes a generated log of any size, to train with."""

    name: ClassVar[str] = "generate"

    interactions: int = option("rows (default: %(default)s)", default=1_000_000, type=positive)
    items: int = option("(default: %(default)s)", default=20_000, type=positive)
    users: int | None = option(f"(default: one for every {_ROWS_A_USER} rows)", default=None, type=positive)
    seed: int = option("of every random choice (default: %(default)s)", default=0, type=natural)
    out: Path = option("file that ends in .parquet, .csv or .jsonl", default=Path("build/log.parquet"), type=Path)
    force: bool = force_option()

    def check(self) -> None:
        """See `Benchmark.check`; a log that is there is kept, as it cannot be told from one of someone's own."""
        if self.out.suffix not in _ENDINGS:
            raise InvalidArgumentError(f"{self.out} must end in one of {', '.join(_ENDINGS)}")
        check_replaceable(self.out, is_never_own, f"{COMMAND} {self.name}", force=self.force)

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.generated.logs import LogShape, write_log

        users = self.users or max(1, self.interactions // _ROWS_A_USER)
        write_log(LogShape(self.interactions, self.items, users, self.seed), self.out)
        print(f"wrote {self.interactions} rows of {users} users and {self.items} items to {self.out}")
