"""python -m benchmarks interactions: recommenders on a log of what people like, mignon through its exported file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, get_args

from benchmarks.base import WritingBenchmark, option, positive
from benchmarks.recommenders import SplitName
from training.by_interactions.settings import InteractionSettings
from training.console.quiet_tensorflow import import_tensorflow
from training.errors import DatasetError, SettingsError
from training.inputs.bounds import MAX_USER, MIN_ITEM, MIN_USER, check_bounds, check_log
from training.inputs.catalog import Catalog, read_catalog
from training.inputs.rules import read_rules

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from benchmarks.recommenders.baselines import Model
    from training.evaluation.splits import Timestamps
    from training.inputs.interactions import Interactions

NHANES = {"nhanes": False, "nhanes-dishes": True}
"""What stands for a log, and whether it is of dishes only."""
NHANES_VARIABLE = "MIGNON_NHANES"


@dataclass(frozen=True)
class InteractionsBenchmark(WritingBenchmark):
    """Recommenders on a log of what people like, on held-out users, mignon through its exported file."""

    name: ClassVar[str] = "interactions"
    writes: ClassVar[tuple[str, ...]] = ("interactions.json", "interactions.png", "new_items.json")

    log: str = option(
        f"of user_id, item_id, see docs/interactions.md; or one of {', '.join(NHANES)}: dietary recalls in the folder "
        f"that ${NHANES_VARIABLE} names",
        "log",
    )
    catalog: Path | None = option("of the items; rows of others are left out", default=None, type=Path)
    attributes: bool = option(
        "also train with attributes, and place new items by them, which writes new_items.json too",
        default=False,
        action="store_true",
    )
    dims: Sequence[int] = option(
        "widths of mignon (default: 4 8 16 32 64 128)", default=(4, 8, 16, 32, 64, 128), type=int, nargs="+"
    )
    min_user: int = option("least items of a user (default: %(default)s)", default=MIN_USER, type=int)
    min_item: int = option("least users of an item (default: %(default)s)", default=MIN_ITEM, type=int)
    max_user: int = option("most items of a user (default: %(default)s)", default=MAX_USER, type=int)
    split: SplitName = option("default: %(default)s", default="strong", choices=get_args(SplitName))
    splits: int = option("how many, but for `time` (default: %(default)s)", default=5, type=positive)
    models: Sequence[str] | None = option("such as EASE, ALS or 'ALS, 16 dims' (default: all)", default=None, nargs="+")
    k: int = option("length of a list (default: %(default)s)", "-k", default=10, type=positive)
    weights: bool = option("train on weights; without it, on who had what at all", default=False, action="store_true")
    json: bool = option("print JSON", default=False, action="store_true")

    def check(self) -> None:
        """See `Benchmark.check`."""
        super().check()
        for dims in self.dims:
            InteractionSettings(dims=dims)
        check_bounds(self.min_user, self.min_item, self.max_user)
        if self.log not in NHANES:
            check_log(Path(self.log))
            self._read_catalog()
        elif self.catalog is not None:
            raise SettingsError(f"{self.log} has a catalog of its own; leave out --catalog")
        else:
            _find_nhanes_folder()

    def run(self) -> None:
        """See `Benchmark.run`."""
        import_tensorflow()
        from benchmarks.output import write_json
        from benchmarks.recommenders import compare, new_items
        from benchmarks.recommenders.own_model import make_mignons
        from training.inputs.attribute_features import index_attributes

        log, catalog = self._read()
        self._print(f"{log.report}\n")
        attributes = None
        if self.attributes:
            if catalog is None or not catalog.columns:
                raise SettingsError("--attributes needs a --catalog with attributes")
            attributes = index_attributes(catalog, log.items).known
        joined = [] if attributes is None else make_mignons(self.dims, attributes)
        self.compare(log.matrix, log.timestamps, [*compare.BASELINES, *make_mignons(self.dims), *joined])
        if joined:
            placed = new_items.measure(log.matrix, joined, self.splits, self.k)
            write_json(placed, self.out / "new_items.json")
            self._print(f"\n{new_items.format_placed(placed, self.k)}")

    def compare(self, matrix: csr_matrix, timestamps: Timestamps | None, models: Sequence[Model]) -> None:
        """Runs those models that were asked for on users x items, prints tables or JSON, writes JSON and a drawing."""
        import numpy as np
        from scipy.sparse import csr_matrix

        from benchmarks.output import to_json, write_json
        from benchmarks.recommenders import compare, report

        chosen = compare.choose_models(models, self.models)
        if not self.weights:
            matrix = csr_matrix((np.ones_like(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
        results = compare.run(chosen, compare.make_splits(matrix, timestamps, self.split, self.splits), self.k)
        write_json(results, self.out / "interactions.json")
        if any(r.recall_ratio for r in results):
            report.draw(results, self.out / "interactions.png", self.k)
        print(to_json(results) if self.json else report.format_results(results, self.k))

    def _print(self, text: str) -> None:
        if not self.json:
            print(text, flush=True)

    def _read(self) -> tuple[Interactions, Catalog | None]:
        if self.log not in NHANES:
            return self._read_log(Path(self.log), self._read_catalog())
        from training.datasets.nhanes import read_nhanes
        from training.datasets.write_dataset import write_dataset

        with tempfile.TemporaryDirectory() as folder:
            write_dataset(read_nhanes([_find_nhanes_folder()], NHANES[self.log]), Path(folder))
            catalog = read_catalog(Path(folder, "catalog.csv"), needs_attributes=False)
            return self._read_log(Path(folder, "interactions.csv"), catalog)

    def _read_catalog(self) -> Catalog | None:
        if self.catalog is None:
            return None
        popularity = read_rules(self.catalog).popularity
        return read_catalog(self.catalog, needs_attributes=False, popularity=popularity)

    def _read_log(self, path: Path, known: Catalog | None) -> tuple[Interactions, Catalog | None]:
        from training.inputs.interactions import read_interactions

        bounds = {"min_user": self.min_user, "min_item": self.min_item, "max_user": self.max_user}
        return read_interactions(path, catalog=known, **bounds), known


def _find_nhanes_folder() -> Path:
    folder = Path(os.environ.get(NHANES_VARIABLE, ""))
    if not os.environ.get(NHANES_VARIABLE) or not folder.is_dir():
        found = f"{folder} is no folder" if os.environ.get(NHANES_VARIABLE) else "it names none"
        raise DatasetError(
            f"set {NHANES_VARIABLE} to a folder that holds dietary recalls of NHANES ({found}); docs/interactions.md "
            "says which files"
        )
    return folder
