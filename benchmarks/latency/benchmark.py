"""python -m benchmarks latency: how long an answer takes, beside libraries for nearest neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.base import Size, WritingBenchmark, model_option, sizes_option
from training.console.quiet_tensorflow import import_tensorflow


@dataclass(frozen=True)
class LatencyBenchmark(WritingBenchmark):
    """The whole job against libraries for nearest neighbors, on the model and on generated tables."""

    name: ClassVar[str] = "latency"
    writes: ClassVar[tuple[str, ...]] = ("latency.json", "latency.png")

    model: Path = model_option()
    sizes: Sequence[Size] = sizes_option("1000x32", "10000x32", "100000x32", "1000000x32")

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.latency.compare import ENVIRONMENTS, measure

        for environment in ENVIRONMENTS:
            environment.check()
        import_tensorflow()
        from benchmarks.generated.exports import export_generated
        from benchmarks.latency.report import draw, format_results
        from benchmarks.output import write_json

        results = measure(self.model, self.out)
        for size in self.sizes:
            results += measure(export_generated(size, self.out), self.out)
        write_json(results, self.out / "latency.json")
        draw(results, self.out / "latency.png")
        print(format_results(results))
        print(f"\nwrote {self.out / 'latency.json'} and {self.out / 'latency.png'}")
