"""python -m benchmarks naive: the exported file against what the converter writes by default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.base import WritingBenchmark, model_option, option
from training.console.quiet_tensorflow import import_tensorflow
from training.trained_folder import check_digests


@dataclass(frozen=True)
class ConverterBenchmark(WritingBenchmark):
    """The exported file against what TensorFlow's converter writes of the same model."""

    name: ClassVar[str] = "naive"
    writes: ClassVar[tuple[str, ...]] = ("naive.json",)

    folder: Path = option("trained folder (default: %(default)s)", default=Path("build/meals"), type=Path)
    model: Path = model_option()

    def check(self) -> None:
        """See `Benchmark.check`."""
        super().check()
        check_digests(self.folder)

    def run(self) -> None:
        """See `Benchmark.run`."""
        import_tensorflow()
        from benchmarks.converter.compare import compare
        from benchmarks.converter.report import format_rows, list_refusals
        from benchmarks.output import write_json

        rows = compare(self.folder, self.model, self.out)
        write_json(rows, self.out / "naive.json")
        print("\n".join([format_rows(rows), *list_refusals(rows)]))
        print(f"\nwrote {self.out / 'naive.json'} and the converted files to {self.out / 'naive'}")
