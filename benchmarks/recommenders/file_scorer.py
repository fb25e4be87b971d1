"""A recommender that is an exported file, asked as a device asks it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from device_runtime.format.layout import IDS, LARGEST_ENTRY
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import EXACT_IN_FLOAT32
from device_runtime.scoring.objectives import objective_of
from training.evaluation.ranking import Scorer, Scores


class FileScorer:
    """Scores by the integers of an exported file, as every device computes them.

    Args:
        path: of the `.tflite` file.
        items: the id of each column; columns that the file does not hold are never recommended and add nothing.
        unrounded: the model that the file was made from.

    Attributes:
        bytes_per_item: of a row of the table.
    """

    def __init__(self, path: Path, items: Sequence[str], unrounded: Scorer | None = None) -> None:
        self.unrounded = unrounded
        file = ModelFile.open(path)
        row_of = {name: row for row, name in enumerate(file.lines(IDS))}
        self._rows = np.array([row_of.get(item, -1) for item in items], np.int64)
        self._missing = self._rows < 0
        self._table = file.table[self._rows].astype(np.int32)
        self._objective = objective_of(file)
        self.bytes_per_item = file.manifest.columns * file.manifest.bits / 8

    def scores(self, given: csr_matrix) -> Scores:
        """Integers, as float32 where it holds them exactly and float64 otherwise; -inf where the file has no row."""
        queries = np.array([self._query(columns) for columns in np.split(given.indices, given.indptr[1:-1])])
        exact = LARGEST_ENTRY * int(np.abs(queries).sum(axis=1).max(initial=0)) < EXACT_IN_FLOAT32
        dtype = np.float32 if exact else np.float64
        scores: Scores = queries.astype(dtype) @ self._table.T.astype(dtype)
        scores[:, self._missing] = -np.inf
        return scores

    def _query(self, columns: NDArray[np.int32]) -> NDArray[np.int64]:
        rows = self._rows[columns]
        return self._objective.query_of_rows(rows[rows >= 0])
