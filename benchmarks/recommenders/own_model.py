"""mignon in comparisons: trained by the project's trainer, exported, and asked through the file as a device would."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.recommenders.file_scorer import FileScorer
from export.pipeline import plan_for_interactions
from export.request import Labels
from export.writing.export_file import write_file
from training.by_interactions.settings import InteractionSettings
from training.by_interactions.train import build_trained
from training.by_interactions.trainer import FittedInteractions, InteractionTrainer
from training.inputs.attribute_features import ItemAttributes, make_catalog

WITH_ATTRIBUTES = "mignon with attributes"


@dataclass(frozen=True)
class Mignon:
    """A `baselines.Model`; the time it takes includes the export and its verification on every engine.

    Attributes:
        settings: how to train; the seed is that of the split.
        attributes: csr [items, values], what each attribute value counts for an item.
    """

    settings: InteractionSettings = field(default_factory=InteractionSettings)
    attributes: csr_matrix | None = None

    @property
    def name(self) -> str:
        """See `Model.name`."""
        family = "mignon" if self.attributes is None else WITH_ATTRIBUTES
        return f"{family}, {self.settings.dims + 1} bytes"

    def fit(self, train: csr_matrix, seed: int) -> FileScorer:
        """See `Model.fit`."""
        return self.fit_known(train, seed, np.arange(train.shape[1]))

    def fit_known(self, train: csr_matrix, seed: int, known: NDArray[np.int64]) -> FileScorer:
        """A file of all items, trained on the columns `known`; the others are placed by their attributes alone."""
        settings = replace(self.settings, seed=seed)
        attributes = None if self.attributes is None else self.attributes[known]
        fitted = InteractionTrainer(train[:, known], settings, attributes=attributes).run(progress=False)
        return _exported(fitted, train.shape[1], known, self.attributes)


def make_mignons(dims: Sequence[int], attributes: csr_matrix | None = None) -> list[Mignon]:
    """One model of each width, with the default settings."""
    return [Mignon(InteractionSettings(dims=width, validation=False), attributes) for width in dims]


def _exported(
    fitted: FittedInteractions, items: int, known: NDArray[np.int64], attributes: csr_matrix | None
) -> FileScorer:
    ids = [str(column) for column in range(items)]
    values = [] if attributes is None else [("attribute", str(value)) for value in range(attributes.shape[1])]
    matrix = csr_matrix((items, 0), dtype=np.float32) if attributes is None else attributes
    trained = build_trained(fitted, ItemAttributes(make_catalog(ids), known, tuple(values), matrix), {}, {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "compared.tflite"
        write_file(plan_for_interactions(trained, path, Labels("compared", "")))
        return FileScorer(path, ids, unrounded=fitted.scorer if len(known) == items else None)
