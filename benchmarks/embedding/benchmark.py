"""python -m benchmarks embedding, map and names: how good the embedding of a catalog is, and how names are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.base import Benchmark, WritingBenchmark, model_option, option
from training.by_attributes.settings import AttributeSettings
from training.by_attributes.train import read_inputs
from training.console.quiet_tensorflow import import_tensorflow
from training.inputs.catalog import BUILT_IN_CATALOG


@dataclass(frozen=True)
class EmbeddingBenchmark(WritingBenchmark):
    """How good the embedding of any catalog is at several widths, against TF-IDF and SVD."""

    name: ClassVar[str] = "embedding"
    writes: ClassVar[tuple[str, ...]] = ("embedding.json", "embedding.png")

    catalog: Path = option("default: the meals", default=BUILT_IN_CATALOG, type=Path)
    triplets: Path | None = option("default: those beside the catalog, if any", default=None, type=Path)
    columns: Sequence[str] = option("whose values are hidden and asked for (default: all)", default=(), nargs="+")
    dims: Sequence[int] = option("widths (default: 4 8 16 32 64)", default=(4, 8, 16, 32, 64), type=int, nargs="+")

    def check(self) -> None:
        """See `Benchmark.check`."""
        super().check()
        for dims in self.dims:
            AttributeSettings(dims=dims)
        read_inputs(self.catalog, self.triplets, columns=self.columns)

    def run(self) -> None:
        """See `Benchmark.run`."""
        inputs = read_inputs(self.catalog, self.triplets, columns=self.columns)
        import_tensorflow()
        from benchmarks.embedding import quality
        from benchmarks.output import write_json
        from training.by_attributes.measures import measure_new_items

        compared = quality.measure(inputs, self.columns, self.dims)
        new = measure_new_items(inputs.catalog, inputs.rules.weights, self.columns)
        print(f"\n{quality.format_scores(compared)}\n\nitems that were not in training:\n{quality.format_scores(new)}")
        write_json({"scores": compared, "new_items": new}, self.out / "embedding.json")
        quality.draw(compared, self.out / "embedding.png")
        print(f"\nwrote {self.out / 'embedding.json'} and {self.out / 'embedding.png'}")


@dataclass(frozen=True)
class MapBenchmark(WritingBenchmark):
    """Measures nothing: draws the items as points, colored by an attribute."""

    name: ClassVar[str] = "map"

    model: Path = model_option()
    color: str | None = option("attribute that colors them (default: the best to tell apart)", default=None)

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.embedding.map import choose_attribute, draw_map
        from device_runtime.format.model_file import ModelFile

        model = ModelFile.open(self.model)
        attribute = choose_attribute(model, self.color)
        path = self.out / f"map_by_{attribute.replace('/', '_')}.png"
        self.check_results(path)
        draw_map(model, attribute, path)
        print(f"wrote {path}")


@dataclass(frozen=True)
class NamesBenchmark(Benchmark):
    """How well and how fast names are found as people type them."""

    name: ClassVar[str] = "names"

    model: Path = model_option()

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.embedding.names import measure_built_in
        from benchmarks.embedding.typed import format_outcomes, measure_typed
        from device_runtime import Recommender

        print(format_outcomes(measure_typed(Recommender.open(self.model, engine="numpy", changes=False))))
        print(f"\n{measure_built_in()}")
