"""python -m benchmarks embedding, map and names: how good the embedding of a catalog is, and how names are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.benchmark import Benchmark, model_option, option, out_option
from benchmarks.output import write_json
from device_runtime import Recommender
from device_runtime.format.model_file import ModelFile
from training.console.quiet_tensorflow import import_tensorflow
from training.inputs.catalog import BUILT_IN_CATALOG, read_catalog
from training.inputs.rules import read_rules
from training.inputs.triplets import find_triplets


@dataclass(frozen=True)
class EmbeddingBenchmark(Benchmark):
    """How good the embedding of a catalog is at several widths, against TF-IDF and SVD."""

    name: ClassVar[str] = "embedding"

    catalog: Path = option("default: the meals", default=BUILT_IN_CATALOG, type=Path)
    triplets: Path | None = option("default: those beside the catalog", default=None, type=Path)
    dims: Sequence[int] = option("widths (default: 4 8 16 32 64)", default=(4, 8, 16, 32, 64), type=int, nargs="+")
    out: Path = out_option()

    def run(self) -> None:
        """See `Benchmark.run`."""
        import_tensorflow()
        from benchmarks.embedding import quality
        from training.by_attributes.measures import check_measurable, measure_new_items

        rules = read_rules(self.catalog)
        catalog, weights = read_catalog(self.catalog, popularity=rules.popularity), rules.weights
        triplets = find_triplets(self.catalog, catalog, self.triplets)
        check_measurable(self.catalog, catalog, triplets)
        scores = quality.measure(catalog, triplets, weights, self.dims)
        new = measure_new_items(catalog, triplets, weights)
        print(f"\n{quality.format_scores(scores)}\n\n{quality.format_new_items(new)}")
        write_json({"scores": scores, "new_items": new}, self.out / "embedding.json")
        quality.draw(scores, self.out / "embedding.png")
        print(f"\nwrote {self.out / 'embedding.json'} and {self.out / 'embedding.png'}")


@dataclass(frozen=True)
class MapBenchmark(Benchmark):
    """Measures nothing: draws the items as points, colored by an attribute."""

    name: ClassVar[str] = "map"

    model: Path = model_option()
    color: str = option("attribute that colors them (default: %(default)s)", default="course")
    out: Path = out_option()

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.embedding.map import draw_map

        path = self.out / f"map_by_{self.color}.png"
        draw_map(ModelFile.open(self.model), self.color, path)
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

        print(format_outcomes(measure_typed(Recommender.open(self.model, engine="numpy", changes=False))))
        print(f"\n{measure_built_in()}")
