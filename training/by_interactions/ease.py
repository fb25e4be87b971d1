"""Where learning from what people like starts, and its teacher: EASE in closed form (Steck, 2019).

EASE's scores come from a matrix of items x items, which a file for a device has no room for. Brought into symmetric
form it is a matrix of partial correlations, and its eigenvectors of largest and smallest eigenvalues are the best
tied table of so many columns: in the last columns, of negative eigenvalues, likeness speaks against an item, as
between two kinds of milk of which a household buys one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, lapack
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import eigsh

from training.by_interactions.settings import InteractionSettings

MOST_EXACT_ITEMS = 10_000
_FEW_ITEMS = 1000
_TOLERANCE = 1e-2
_RIDGE = 1.0


@dataclass(frozen=True)
class Start:
    """What training starts from.

    Attributes:
        table: float32 [items, dims].
        negative_columns: how many of the last columns have the sign -1.
        bias: float32 [items], the centered logarithm of how many users had each item.
        teacher: EASE's weights, float32 [items, items]; None where there are more than `MOST_EXACT_ITEMS`.
    """

    table: NDArray[np.float32]
    negative_columns: int
    bias: NDArray[np.float32]
    teacher: NDArray[np.float32] | None


def compute_start(matrix: csr_matrix, settings: InteractionSettings) -> Start:
    """The start for users x items, in which stored entries count 1; random where items are too many for EASE."""
    count = np.log1p(np.bincount(matrix.indices, minlength=matrix.shape[1]))
    bias = (count - count.mean()).astype(np.float32)
    negative = settings.dims // 2
    if matrix.shape[1] > MOST_EXACT_ITEMS:
        rng = np.random.default_rng([settings.seed, 0])
        table = rng.normal(0, settings.dims**-0.5, (matrix.shape[1], settings.dims)).astype(np.float32)
        return Start(table, negative, bias, None)
    inverse = invert_gram(matrix, settings.ease_penalty)
    table = settings.gain * compute_signed_eigenvectors(
        compute_partial_correlations(inverse), settings.dims - negative, negative
    )
    return Start(table.astype(np.float32), negative, bias, compute_ease_weights(inverse) if settings.teacher else None)


def invert_gram(matrix: csr_matrix, penalty: float) -> NDArray[np.float64]:
    """float64 [items, items], the inverse of the items' co-occurrence with `penalty` added to the diagonal."""
    present = csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape)
    gram = (present.T @ present).toarray()
    gram[np.diag_indices(len(gram))] += penalty
    lower, _ = lapack.dpotri(cholesky(gram, lower=True, overwrite_a=True, check_finite=False), lower=1)
    lower = np.tril(lower)
    return lower + np.tril(lower, -1).T


def compute_ease_weights(inverse: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 [items, items]; a user's scores are the sum of the rows of the user's items."""
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def compute_partial_correlations(inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 [items, items], symmetric, 0 on the diagonal: of each pair of items, given all others."""
    root = 1 / np.sqrt(np.diag(inverse))
    partial = -inverse * root[:, None] * root
    np.fill_diagonal(partial, 0)
    return partial


def compute_signed_eigenvectors(symmetric: NDArray[np.float64], positive: int, negative: int) -> NDArray[np.float64]:
    """A table [items, positive + negative] with table * signs @ table.T near to `symmetric`; 0 where it lacks rank."""
    return np.hstack([_leading(symmetric, positive), _leading(-symmetric, negative)])


def _leading(symmetric: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Eigenvectors times the roots of their eigenvalues, for the `count` largest of those above 0."""
    items = len(symmetric)
    found = np.zeros((items, count))
    if items <= max(_FEW_ITEMS, 2 * count):
        values, vectors = eigh(symmetric, subset_by_index=(max(0, items - count), items - 1))
    else:
        first = np.ones(items)  # the library would draw one
        values, vectors = eigsh(symmetric, k=count, which="LA", tol=_TOLERANCE, v0=first)
    found[:, : len(values)] = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    return found


def fit_value_vectors(
    table: NDArray[np.float32], attributes: csr_matrix, counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The vectors of attribute values, float32 [values, dims], whose sums fit the rows of a table best.

    Items count by how many users had them, whose rows are the surer (ridge regression, Hoerl and Kennard, 1970).
    """
    from sklearn.linear_model import Ridge

    ridge = Ridge(alpha=_RIDGE, fit_intercept=False, solver="sparse_cg", tol=1e-4)
    ridge.fit(attributes, table, sample_weight=counts / max(1, counts.mean()))
    return ridge.coef_.reshape(table.shape[1], attributes.shape[1]).T.astype(np.float32)
