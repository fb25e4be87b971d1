import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

from training.by_attributes import baselines
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import Catalog, Item


def test_tf_idf_weighs_rare_values_more():
    items = tuple(Item(i, str(i), str(i), (), {"a": ("common", "rare") if i == 0 else ("common",)}) for i in range(5))
    vocabulary = build_vocabulary(Catalog(items, ("a",)))
    matrix = baselines.compute_tf_idf(featurize([item.attributes for item in items], vocabulary), vocabulary).toarray()
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-6)
    assert matrix[0, 2] > matrix[0, 1] > 0


def test_weights_of_columns_change_cosines_as_worked_out_by_hand():
    items = tuple(Item(i, str(i), str(i), (), {"a": ("x",), "b": (v,)}) for i, v in enumerate("pq"))
    vocabulary = build_vocabulary(Catalog(items, ("a", "b")))
    features = featurize([item.attributes for item in items], vocabulary)
    rare = np.log(3 / 2) + 1  # smoothed idf of a value that one of two items has; that of a shared one is 1
    for weight in (1.0, 0.5, 0.0):
        matrix = baselines.compute_tf_idf(features, vocabulary, {"b": weight}).toarray()
        assert matrix[0] @ matrix[1] == pytest.approx(1 / (1 + (weight * rare) ** 2), abs=1e-6)


def test_svd_keeps_what_fits():
    matrix = csr_matrix(normalize([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]))
    reduced = baselines.compute_svd(matrix, 2)
    np.testing.assert_allclose(reduced @ reduced.T, (matrix @ matrix.T).toarray(), atol=1e-5)
