import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training.by_attributes import likeness
from training.evaluation.triplets import Triplet
from training.inputs.attribute_features import Features
from training.inputs.catalog import Catalog, Item


def unit(rows):
    table = np.array(rows, np.float32)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def test_triplets_count_right_ones_and_half_of_ties():
    vectors = unit([[1, 0], [0.9, 0.1], [0, 1], [0.9, 0.1]])
    triplets = [Triplet(0, 1, 2, "easy"), Triplet(0, 2, 1, "hard"), Triplet(0, 1, 3, "hard")]
    found = likeness.measure_triplets(vectors, triplets)
    assert found.all == pytest.approx(1.5 / 3)
    assert found.hard == pytest.approx(0.25)
    assert likeness.measure_triplets(csr_matrix(vectors), triplets) == found
    assert likeness.measure_triplets(vectors, triplets[:1]).hard is None


def test_purity_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    vectors, labels = unit(rng.normal(size=(60, 4))), rng.integers(0, 3, 60)
    shares = []
    for i in range(60):
        order = sorted((j for j in range(60) if j != i), key=lambda j, i=i: -float(vectors[i] @ vectors[j]))
        shares.append(np.mean(labels[order[:10]] == labels[i]))
    assert likeness.measure_purity(vectors, labels) == pytest.approx(np.mean(shares))
    assert likeness.measure_purity(vectors, labels, np.array([3, 7])) == pytest.approx(np.mean([shares[3], shares[7]]))


def test_hidden_values_are_found_through_neighbors_that_have_them():
    """Two clusters, each with a value of its own, hidden from the first item of each."""
    indices = np.array([[1, 3 + (i >= 30)] for i in range(60)], np.int32)
    features = Features(indices, np.ones(indices.shape, np.float32))
    vectors = unit([[1, 0.01 * i] if i < 30 else [0.01 * i, 1] for i in range(60)])
    hidden = np.zeros(indices.shape, bool)
    hidden[[0, 30], 1] = True
    assert likeness.measure_hidden_recall(vectors, features, hidden, (3, 40)) == 1.0
    wrong = unit([[1, 0.01 * i] if 0 < i < 31 else [0.01 * i, 1] for i in range(60)])
    wrong[0], wrong[30] = vectors[40], vectors[5]
    assert likeness.measure_hidden_recall(wrong, features, hidden, (3, 40)) == 1.0  # ten guesses among few values
    assert likeness.measure_hidden_recall(vectors, features, np.zeros_like(hidden), (3, 40)) != 0.0


def test_labels_of_items_without_a_value_are_their_own():
    items = tuple(Item(i, str(i), str(i), (), a) for i, a in enumerate([{"f": ("x", "y")}, {"f": ("x",)}, {}, {}]))
    labels = likeness.number_labels(Catalog(items, ("f",)), "f")
    assert labels[0] == labels[1]
    assert len(set(labels.tolist())) == 3
