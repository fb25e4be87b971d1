"""python -m benchmarks naive: the exported file against what the converter writes by default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.benchmark import Benchmark, model_option, option, out_option
from benchmarks.output import write_json
from training.console.quiet_tensorflow import import_tensorflow


@dataclass(frozen=True)
class ConverterBenchmark(Benchmark):
    """The exported file against what TensorFlow's converter writes of the same model."""

    name: ClassVar[str] = "naive"

    folder: Path = option("trained folder (default: %(default)s)", default=Path("build/model"), type=Path)
    model: Path = model_option()
    out: Path = out_option()

    def run(self) -> None:
        """See `Benchmark.run`."""
        import_tensorflow()
        from benchmarks.converter.compare import compare
        from benchmarks.converter.report import format_rows, list_refusals

        rows = compare(self.folder, self.model, self.out)
        write_json(rows, self.out / "naive.json")
        print("\n".join([format_rows(rows), *list_refusals(rows)]))
        print(f"\nwrote {self.out / 'naive.json'} and the converted files to {self.out / 'naive'}")
