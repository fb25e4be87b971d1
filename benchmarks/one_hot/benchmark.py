"""python -m benchmarks (or `all`, or parts of it, `size` and `quality`): one-hot against embedding on a model file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.base import WritingBenchmark, model_option

_RESULTS, _PICTURE = "results.json", "one_hot.png"
_SIZE, _LATENCY, _LIKENESS = "size", "latency", "likeness"


@dataclass(frozen=True)
class OneHotBenchmark(WritingBenchmark):
    """Bytes, latency and likeness of an embedding against one-hot vectors, and a picture."""

    name: ClassVar[str] = "all"
    writes: ClassVar[tuple[str, ...]] = (_RESULTS, _PICTURE)
    parts: ClassVar[tuple[str, ...]] = (_SIZE, _LATENCY, _LIKENESS)

    model: Path = model_option()

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.one_hot import compare, report
        from benchmarks.output import write_json
        from device_runtime import Recommender
        from device_runtime.engines.tflite_engine import interpreter_modules
        from device_runtime.format.model_file import ModelFile

        model = ModelFile.open(self.model)
        results: dict[str, list[Any]] = {}
        if _SIZE in self.parts:
            results[_SIZE] = compare.measure_sizes(model)
            print(f"\n{report.format_sizes(results[_SIZE])}")
        if _LATENCY in self.parts:
            engines = ["numpy", *(["tflite"] if interpreter_modules() else [])]
            results[_LATENCY] = compare.measure_latency(model, engines)
            print(f"\n{report.format_latencies(results[_LATENCY])}")
        if _LIKENESS in self.parts:
            results[_LIKENESS] = found = compare.measure_likeness(Recommender(model, "numpy"))
            print("\n".join(["", report.format_likenesses(found), "", *report.state_verdicts(found)]))
        write_json(results, self.out / _RESULTS)
        print(f"\nwrote {self.out / _RESULTS}")
        if len(results) == len(OneHotBenchmark.parts):
            report.draw(*results.values(), path=self.out / _PICTURE)
            print(f"wrote {self.out / _PICTURE}")


@dataclass(frozen=True)
class SizeBenchmark(OneHotBenchmark):
    """Of `all`, the bytes alone."""

    name: ClassVar[str] = "size"
    writes: ClassVar[tuple[str, ...]] = (_RESULTS,)
    parts: ClassVar[tuple[str, ...]] = (_SIZE,)


@dataclass(frozen=True)
class LikenessBenchmark(OneHotBenchmark):
    """Of `all`, the likeness alone."""

    name: ClassVar[str] = "quality"
    writes: ClassVar[tuple[str, ...]] = (_RESULTS,)
    parts: ClassVar[tuple[str, ...]] = (_LIKENESS,)
