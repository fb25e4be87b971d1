"""The steps of an epoch: whose items are seen, which of them are hidden to be predicted, and among which others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.by_interactions.model import make_sparse_tensor
from training.by_interactions.settings import InteractionSettings
from training.loop.workers import Worker

MOST_SOFTMAX_ITEMS = 30_000
_MOST_KEPT_SCORES = 250_000_000


class Batch(NamedTuple):
    """A step's users: which of their items are seen and which wanted, by the places of `items` (None: all items).

    Attributes:
        teacher: float32 [users, items], its scores.
        items: int64, ascending, the items of the step; `chance` float32, of each to be there; `attributes`, theirs.
    """

    favorites: tf.SparseTensor
    wanted: tf.SparseTensor
    teacher: NDArray[np.float32] | None = None
    items: tf.Tensor | None = None
    chance: tf.Tensor | None = None
    attributes: tf.SparseTensor | None = None


class Batches:
    """Makes the steps.

    Args:
        targets: csr float32 [users, items], what each interaction counts as a target.
        attributes: csr [items, values]; None without.
        teacher: float32 [items, items]; its scores are kept where there is room, as they are always the same.
    """

    def __init__(
        self,
        targets: csr_matrix,
        settings: InteractionSettings,
        attributes: csr_matrix | None,
        teacher: NDArray[np.float32] | None,
        worker: Worker,
    ) -> None:
        self.targets = targets
        self._settings = settings
        self._attributes = attributes
        self._shares = np.bincount(targets.indices, minlength=targets.shape[1]) / targets.shape[0]
        self._worker = worker
        keep = teacher is not None and np.prod(targets.shape) <= _MOST_KEPT_SCORES
        self._teacher = None if keep else teacher
        self._teacher_scores = present(targets) @ teacher if keep else None

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-self.targets.shape[0] // self._settings.batch)

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Every user once, in an order that hangs on the seed and the epoch alone."""
        rng = np.random.default_rng([self._settings.seed, 2, epoch])
        for users in np.array_split(rng.permutation(self.targets.shape[0]), self.steps):
            yield self.of(users, rng)

    def of(self, users: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        """One step of these users; a worker draws what all draw and takes its part."""
        part = self.targets[users]
        hidden = rng.random(part.nnz, np.float32) < self._settings.dropout
        items = None if part.shape[1] <= MOST_SOFTMAX_ITEMS else self._sample(part, rng)
        if items is not None:
            columns, shape = np.searchsorted(items, part.indices), (len(users), len(items))
            part = csr_matrix((part.data, columns, part.indptr), shape)
        mine = slice(self._worker.number, None, self._worker.count)
        seen, wanted = _where(present(part), ~hidden)[mine], _where(part, hidden)[mine]
        if items is None:
            return Batch(make_sparse_tensor(seen), make_sparse_tensor(wanted), self._teacher_scores_of(users[mine]))
        return Batch(
            make_sparse_tensor(seen),
            make_sparse_tensor(wanted),
            items=tf.constant(items),
            chance=tf.constant(self._chances(items, len(users)), tf.float32),
            attributes=None if self._attributes is None else make_sparse_tensor(self._attributes[items]),
        )

    def _teacher_scores_of(self, users: NDArray[np.int64]) -> NDArray[np.float32] | None:
        if self._teacher_scores is not None:
            return self._teacher_scores[users]
        return None if self._teacher is None else present(self.targets[users]) @ self._teacher

    def _sample(self, part: csr_matrix, rng: np.random.Generator) -> NDArray[np.int64]:
        """The items of a step, ascending: those of its users, and some drawn evenly."""
        drawn = rng.choice(part.shape[1], min(self._settings.negatives, part.shape[1]), replace=False)
        return np.union1d(part.indices, drawn)

    def _chances(self, items: NDArray[np.int64], users: int) -> NDArray[np.float64]:
        """The chance of each item to be in a step, as seen from one of its users: drawn, or had by another."""
        drawn = min(1.0, self._settings.negatives / self.targets.shape[1])
        return 1 - (1 - drawn) * (1 - self._shares[items]) ** (users - 1)


def present(matrix: csr_matrix) -> csr_matrix:
    """1 for every stored entry."""
    return csr_matrix((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)


def _where(matrix: csr_matrix, mask: NDArray[np.bool_]) -> csr_matrix:
    """The stored entries that `mask`, aligned with them, marks."""
    indptr = np.concatenate([[0], np.cumsum(mask)])[matrix.indptr]
    return csr_matrix((matrix.data[mask], matrix.indices[mask], indptr), matrix.shape)
