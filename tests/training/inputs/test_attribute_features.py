import numpy as np

from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import Catalog, Item

ITEMS = (
    Item(2, "a", "A", (), {"form": ("soup",), "with": ("beet", "beef", "dill")}),
    Item(3, "b", "B", (), {"form": ("bread",)}),
)


def test_vocabulary_groups_values_by_column():
    vocabulary = build_vocabulary(Catalog(ITEMS, ("form", "with")))
    assert vocabulary.values == (
        ("form", "bread"),
        ("form", "soup"),
        ("with", "beef"),
        ("with", "beet"),
        ("with", "dill"),
    )
    assert vocabulary.starts == (1, 3, 6)
    assert vocabulary.column_of.tolist() == [0, 0, 0, 1, 1, 1]


def test_weights_of_a_column_sum_to_one_and_fall():
    vocabulary = build_vocabulary(Catalog(ITEMS, ("form", "with")))
    features = featurize([item.attributes for item in ITEMS], vocabulary)
    assert features.indices.tolist() == [[2, 4, 3, 5], [1, 0, 0, 0]]
    shares = np.array([1, 2**-0.5, 3**-0.5])
    np.testing.assert_allclose(features.weights[0], [1, *(shares / shares.sum())], rtol=1e-6)
    assert features.weights[1].tolist() == [1, 0, 0, 0]


def test_unknown_values_are_left_out():
    vocabulary = build_vocabulary(Catalog(ITEMS, ("form", "with")))
    features = featurize([{"form": ("unheard of",), "with": ("dill",)}], vocabulary)
    assert features.indices.tolist() == [[5]]
    assert features.weights.tolist() == [[1.0]]
