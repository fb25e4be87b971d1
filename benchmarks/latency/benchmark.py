"""python -m benchmarks latency and index: how long an answer takes, by libraries and by the approximate index."""

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


@dataclass(frozen=True)
class IndexBenchmark(WritingBenchmark):
    """The approximate index beside the model against exact engines."""

    name: ClassVar[str] = "index"
    writes: ClassVar[tuple[str, ...]] = ("index.json",)

    model: Path = model_option()

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.latency.compare import ENGINES_HERE, Scope, measure
        from benchmarks.latency.report import format_index
        from benchmarks.output import write_json
        from device_runtime import Recommender

        Recommender.open(self.model, engine="usearch")  # refuses to begin without an index
        scopes = [Scope((ENGINES_HERE,), peers=(), starts=3, favorites=favorites) for favorites in (1, 8)]
        results = [result for scope in scopes for result in measure(self.model, self.out, scope)]
        write_json(results, self.out / "index.json")
        print(f"\n{format_index(results)}\n\nwrote {self.out / 'index.json'}")
