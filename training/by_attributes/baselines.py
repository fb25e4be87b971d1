"""What an embedding by attributes must beat: TF-IDF over all attribute values, and its truncated SVD."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from training.inputs.attribute_features import Features, Vocabulary


def compute_tf_idf(
    features: Features, vocabulary: Vocabulary, column_weights: Mapping[str, float] | None = None
) -> csr_matrix:
    """Every attribute value as a term: sparse unit rows, the full-width baseline; columns weigh 1 where not given."""
    rows, places = np.nonzero(features.indices)
    counts = csr_matrix(
        (np.ones(len(rows), np.float32), (rows, features.indices[rows, places])), (len(features), len(vocabulary))
    )
    by_column = np.array([(column_weights or {}).get(column, 1.0) for column in vocabulary.columns], np.float32)
    weighted = TfidfTransformer().fit_transform(counts) @ diags(by_column[vocabulary.column_of])
    return normalize(weighted).astype(np.float32)


def compute_svd(matrix: csr_matrix, dims: int, seed: int = 0) -> NDArray[np.float32]:
    """The best linear compression of TF-IDF to `dims` numbers: unit rows, the baseline of the same width."""
    reduced = TruncatedSVD(min(dims, matrix.shape[1] - 1), n_iter=10, random_state=seed).fit_transform(matrix)
    unit: NDArray[np.float32] = normalize(reduced).astype(np.float32)
    return unit
