"""Recommenders to compare with, each trained on a matrix of users and items and asked for the scores of any basket.

Libraries run on one thread, so that training repeats itself. The default settings were chosen among a few by how they
did on NHANES dietary recalls, on persons held out of the training persons of split 0.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from device_runtime.format.layout import LARGEST_ENTRY
from training.errors import TrainingError
from training.evaluation.ranking import Scorer, Scores

_MOST_EASE_ITEMS = 30_000
_FEW_ITEMS = 1000
_LONGEST_SENTENCE = 10_000  # gensim drops what is beyond


class BaselineError(TrainingError):
    """A baseline cannot be trained on these interactions, or its library is missing."""


class SizedScorer(Scorer, Protocol):
    """A trained recommender that says what it weighs."""

    @property
    def bytes_per_item(self) -> float:
        """The bytes of what scores are computed from, by the number of items."""


class Model(Protocol):
    """What can be trained and compared."""

    @property
    def name(self) -> str:
        """What it is called; what stands before a comma is shared by those that one curve is drawn through."""

    def fit(self, train: csr_matrix, seed: int) -> SizedScorer:
        """Trains on csr float32 [users, items]."""


@dataclass(frozen=True)
class ConstantScorer:
    """The same scores, float32 [items], whatever is given."""

    values: NDArray[np.float32]

    @property
    def bytes_per_item(self) -> float:
        """See `SizedScorer.bytes_per_item`."""
        return self.values.itemsize

    def scores(self, given: csr_matrix) -> Scores:
        """See `Scorer.scores`."""
        return np.tile(self.values, (given.shape[0], 1))


@dataclass(frozen=True)
class WeightsScorer:
    """The given rows times item-item weights: a dense float32 array or a csr matrix, [items, items]."""

    weights: Any

    @property
    def bytes_per_item(self) -> float:
        """See `SizedScorer.bytes_per_item`."""
        if isinstance(self.weights, csr_matrix):
            return (self.weights.data.nbytes + self.weights.indices.nbytes) / self.weights.shape[0]
        return self.weights.nbytes / len(self.weights)

    def scores(self, given: csr_matrix) -> Scores:
        """See `Scorer.scores`."""
        product = given @ self.weights
        return product.toarray() if isinstance(product, csr_matrix) else product


@dataclass(frozen=True)
class TablesScorer:
    """The sum of the given items' rows of one table, times the rows of another, both float32 [items, dims].

    Attributes:
        bytes_per_item: of the tables as they would be stored, which may be in fewer bits.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    bytes_per_item: float

    def scores(self, given: csr_matrix) -> Scores:
        """See `Scorer.scores`."""
        return (given @ self.inputs) @ self.outputs.T


@dataclass(frozen=True)
class Popularity:
    """Every user is offered what most users had."""

    name: str = "popularity"

    def fit(self, train: csr_matrix, seed: int) -> ConstantScorer:  # noqa: ARG002 - nothing is drawn
        """See `Model.fit`."""
        return ConstantScorer(np.asarray(train.sum(axis=0), np.float32).ravel())


@dataclass(frozen=True)
class ItemNeighbors:
    """Item-based collaborative filtering: the cosines of each item to its nearest others (Sarwar et al., 2001)."""

    neighbors: int = 500
    name: str = "item-CF"

    def fit(self, train: csr_matrix, seed: int) -> WeightsScorer:  # noqa: ARG002 - nothing is drawn
        """See `Model.fit`."""
        library, utilities = _import_library("implicit.nearest_neighbours"), _import_library("implicit.utils")
        model = library.CosineRecommender(K=self.neighbors + 1, num_threads=1)  # an item is its own nearest
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", utilities.ParameterWarning)  # the library's own matrix, not ours
            model.fit(train.astype(np.float64), show_progress=False)
        similarity = model.similarity - diags(model.similarity.diagonal())
        similarity.eliminate_zeros()
        return WeightsScorer(similarity.T.tocsr().astype(np.float32))


@dataclass(frozen=True)
class AlternatingLeastSquares:
    """Matrix factorization of implicit feedback (Hu, Koren and Volinsky, 2008); users are folded in."""

    dims: int = 32
    regularization: float = 100.0
    alpha: float = 10.0
    iterations: int = 15

    @property
    def name(self) -> str:
        """See `Model.name`."""
        return f"ALS, {self.dims} dims"

    def fit(self, train: csr_matrix, seed: int) -> ALSScorer:
        """See `Model.fit`."""
        library, threads = _import_library("implicit.cpu.als"), _import_library("threadpoolctl")
        with threads.threadpool_limits(1, "blas"):  # or the library warns
            model = library.AlternatingLeastSquares(
                factors=self.dims,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=seed,
            )
            model.fit(train, show_progress=False)
        return ALSScorer(model)


@dataclass(frozen=True)
class ALSScorer:
    """A factorization whose users are solved for when asked."""

    model: Any

    @property
    def bytes_per_item(self) -> float:
        """See `SizedScorer.bytes_per_item`."""
        return self.model.item_factors.nbytes / len(self.model.item_factors)

    def scores(self, given: csr_matrix) -> Scores:
        """See `Scorer.scores`."""
        users = self.model.recalculate_user(np.arange(given.shape[0]), given)
        return users @ self.model.item_factors.T


@dataclass(frozen=True)
class Ease:
    """EASE: item-item weights in closed form, no item weighing itself (Steck, 2019)."""

    penalty: float = 100.0
    name: str = "EASE"

    def fit(self, train: csr_matrix, seed: int) -> WeightsScorer:  # noqa: ARG002 - nothing is drawn
        """See `Model.fit`."""
        return WeightsScorer(compute_ease_weights(train, self.penalty)[0].astype(np.float32))


@dataclass(frozen=True)
class ReducedEase:
    """Two tables whose product fits EASE's scores of the training users best, in float32 or int8.

    Of all of that rank they are nearest to the weights as the regularized Gram matrix weighs errors (Steck, 2019, gives
    that matrix; Eckart and Young, 1936, the fit).
    """

    rank: int = 32
    bits: int = 8
    penalty: float = 100.0

    @property
    def name(self) -> str:
        """See `Model.name`."""
        return f"EASE {'int8' if self.bits == 8 else 'float32'}, rank {self.rank}"

    def fit(self, train: csr_matrix, seed: int) -> TablesScorer:  # noqa: ARG002 - nothing is drawn
        """See `Model.fit`."""
        tables = reduced_tables(*compute_ease_weights(train, self.penalty), self.rank)
        inputs, outputs = ((_in_steps(t) if self.bits == 8 else t).astype(np.float32) for t in tables)
        return TablesScorer(inputs, outputs, 2 * inputs.shape[1] * self.bits / 8)


@dataclass(frozen=True)
class Item2Vec:
    """Skip-gram with negative sampling over the items of each user (Barkan and Koenigstein, 2016).

    A user's items are a sentence whose order counts for nothing: the window takes all of it. Scores are what training
    makes great, the products of the given items' input vectors with output vectors; cosines of input vectors, as the
    paper has them, rank popular items too low to be compared. Negative items are drawn evenly (Caselles-Dupré et al.,
    2018, found the exponent to matter most).
    """

    dims: int = 32
    epochs: int = 10
    negative: int = 5
    ns_exponent: float = 0.0
    sample: float = 1e-3
    window: int = 100

    @property
    def name(self) -> str:
        """See `Model.name`."""
        return f"item2vec, {self.dims} dims"

    def fit(self, train: csr_matrix, seed: int) -> TablesScorer:
        """See `Model.fit`."""
        model = _import_library("gensim.models").Word2Vec(
            list(_sentences(train)),
            vector_size=self.dims,
            window=self.window,
            shrink_windows=False,
            min_count=1,
            sg=1,
            negative=self.negative,
            ns_exponent=self.ns_exponent,
            sample=self.sample,
            epochs=self.epochs,
            workers=1,
            seed=seed,
        )
        inputs, outputs = np.zeros((2, train.shape[1], self.dims), np.float32)
        known = np.array(model.wv.index_to_key, np.int64)
        inputs[known], outputs[known] = model.wv.vectors, model.syn1neg
        return TablesScorer(inputs, outputs, 2 * inputs.itemsize * self.dims)


def compute_ease_weights(
    train: csr_matrix, penalty: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """EASE's weights, and the inverse and the regularized Gram matrix they come from: float64 [items, items] each.

    Raises:
        BaselineError: so many items that the matrices would take more than 20 GB.
    """
    count = train.shape[1]
    if count > _MOST_EASE_ITEMS:
        raise BaselineError(
            f"EASE holds items x items numbers: of {count:,} items, {3 * 8 * count**2 / 1e9:,.0f} GB; leave it out or "
            f"drop rare items until at most {_MOST_EASE_ITEMS:,} are left"
        )
    gram = (train.T @ train).toarray().astype(np.float64)
    gram[np.diag_indices(count)] += penalty
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights, inverse, gram


def reduced_tables(
    weights: NDArray[np.float64], inverse: NDArray[np.float64], gram: NDArray[np.float64], rank: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The tables [items, rank] whose product fits users' scores best: weights V and V.

    V holds the leading eigenvectors of weights' gram weights, the leading right singular vectors of users' scores.
    As weights = 1 - inverse D with D = 1 / diag(inverse), that matrix is gram - 2 D + D inverse D.
    """
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    count, diagonal = len(weights), 1 / np.diag(inverse)
    fitted = gram + diagonal[:, None] * inverse * diagonal
    fitted[np.diag_indices(count)] -= 2 * diagonal
    if count <= max(_FEW_ITEMS, 2 * rank):
        _, vectors = eigh(fitted, subset_by_index=(max(0, count - rank), count - 1))
    else:
        _, vectors = eigsh(fitted, k=rank, which="LA", v0=np.ones(count))  # the library would draw a start
    return weights @ vectors, vectors


def _import_library(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BaselineError(
            f"{module.partition('.')[0]} cannot be imported ({error}); run `.venv/bin/pip install -e '.[benchmarks]'`"
        ) from error


def _in_steps(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The table as int8 holds it, with one scale a column, which costs an item nothing."""
    scales = np.abs(table).max(axis=0, keepdims=True) / LARGEST_ENTRY
    scales[scales == 0] = 1
    return np.rint(table / scales) * scales


def _sentences(train: csr_matrix) -> Iterator[list[str]]:
    for start, end in zip(train.indptr[:-1], train.indptr[1:], strict=True):
        words = [str(column) for column in train.indices[start:end]]
        yield from (words[i : i + _LONGEST_SENTENCE] for i in range(0, len(words), _LONGEST_SENTENCE))
