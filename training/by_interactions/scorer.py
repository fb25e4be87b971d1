"""Scores of a model of what people like, as a device computes them, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from device_runtime.format.layout import LARGEST_ENTRY
from training.evaluation.ranking import Scores
from training.trained import Preference


def signs(dims: int, negative_columns: int) -> NDArray[np.float32]:
    """float32 [dims]: 1, and -1 for the last columns."""
    return np.where(np.arange(dims) < dims - negative_columns, 1, -1).astype(np.float32)


def rounded(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The nearest multiples of what 8 bits with one scale can hold."""
    step = np.abs(weights).max(initial=0) / LARGEST_ENTRY
    return np.rint(weights / step) * step if step else weights


@dataclass(frozen=True)
class InteractionScorer:
    """A `training.evaluation.ranking.Scorer`; `table` is float32 [items, dims]."""

    table: NDArray[np.float32]
    preference: Preference

    def in_8_bits(self) -> InteractionScorer:
        """The same, table and bias rounded as in the exported file."""
        kept = self.preference
        return InteractionScorer(rounded(self.table), Preference(rounded(kept.bias), kept.negative_columns, kept.power))

    @property
    def bytes_per_item(self) -> float:
        """Of a row and its bias, in 8 bits each."""
        return self.table.shape[1] + 1

    def scores(self, given: csr_matrix) -> Scores:
        """float32 [users, items]; weights of the given items do not count."""
        kept = self.preference
        present = csr_matrix((np.ones(given.nnz, np.float32), given.indices, given.indptr), given.shape)
        number = np.maximum(np.diff(given.indptr), 1).astype(np.float32)[:, None]
        queries = present @ self.table * signs(self.table.shape[1], kept.negative_columns) / number**kept.power
        return queries @ self.table.T + kept.bias
