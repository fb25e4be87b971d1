import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training.errors import CatalogError
from training.inputs import triplets as evaluation
from training.inputs.attribute_features import Features, build_vocabulary, featurize
from training.inputs.catalog import BUILT_IN_CATALOG, Catalog, Item, read_catalog
from training.inputs.triplets import Triplet


def unit(rows):
    table = np.array(rows, np.float32)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def test_triplets_count_right_ones_and_half_of_ties():
    vectors = unit([[1, 0], [0.9, 0.1], [0, 1], [0.9, 0.1]])
    triplets = [Triplet(0, 1, 2, "easy"), Triplet(0, 2, 1, "hard"), Triplet(0, 1, 3, "hard")]
    found = evaluation.triplet_accuracy(vectors, triplets)
    assert found.all == pytest.approx(1.5 / 3)
    assert found.hard == pytest.approx(0.25)
    assert evaluation.triplet_accuracy(csr_matrix(vectors), triplets) == found
    assert evaluation.triplet_accuracy(vectors, triplets[:1]).hard is None


def test_purity_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    vectors, labels = unit(rng.normal(size=(60, 4))), rng.integers(0, 3, 60)
    shares = []
    for i in range(60):
        order = sorted((j for j in range(60) if j != i), key=lambda j, i=i: -float(vectors[i] @ vectors[j]))
        shares.append(np.mean(labels[order[:10]] == labels[i]))
    assert evaluation.purity(vectors, labels) == pytest.approx(np.mean(shares))
    assert evaluation.purity(vectors, labels, np.array([3, 7])) == pytest.approx(np.mean([shares[3], shares[7]]))


def test_hidden_values_are_found_through_neighbors_that_have_them():
    """Two clusters, each with a value of its own, hidden from the first item of each."""
    indices = np.array([[1, 3 + (i >= 30)] for i in range(60)], np.int32)
    features = Features(indices, np.ones(indices.shape, np.float32))
    vectors = unit([[1, 0.01 * i] if i < 30 else [0.01 * i, 1] for i in range(60)])
    hidden = np.zeros(indices.shape, bool)
    hidden[[0, 30], 1] = True
    assert evaluation.hidden_recall(vectors, features, hidden, (3, 40)) == 1.0
    wrong = unit([[1, 0.01 * i] if 0 < i < 31 else [0.01 * i, 1] for i in range(60)])
    wrong[0], wrong[30] = vectors[40], vectors[5]
    assert evaluation.hidden_recall(wrong, features, hidden, (3, 40)) == 1.0  # ten guesses among few values
    assert evaluation.hidden_recall(vectors, features, np.zeros_like(hidden), (3, 40)) != 0.0


def test_tf_idf_weighs_rare_values_more():
    items = tuple(Item(i, str(i), str(i), (), {"a": ("common", "rare") if i == 0 else ("common",)}) for i in range(5))
    vocabulary = build_vocabulary(Catalog(items, ("a",)))
    matrix = evaluation.tf_idf(featurize([item.attributes for item in items], vocabulary), vocabulary).toarray()
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-6)
    assert matrix[0, 2] > matrix[0, 1] > 0


def test_weights_of_columns_change_cosines_as_worked_out_by_hand():
    items = tuple(Item(i, str(i), str(i), (), {"a": ("x",), "b": (v,)}) for i, v in enumerate("pq"))
    vocabulary = build_vocabulary(Catalog(items, ("a", "b")))
    features = featurize([item.attributes for item in items], vocabulary)
    rare = np.log(3 / 2) + 1  # smoothed idf of a value that one of two items has; that of a shared one is 1
    for weight in (1.0, 0.5, 0.0):
        matrix = evaluation.tf_idf(features, vocabulary, {"b": weight}).toarray()
        assert matrix[0] @ matrix[1] == pytest.approx(1 / (1 + (weight * rare) ** 2), abs=1e-6)


def test_svd_keeps_what_fits():
    matrix = csr_matrix(unit([[1, 0, 0], [0, 1, 0], [1, 1, 0]]))
    reduced = evaluation.truncated_svd(matrix, 2)
    np.testing.assert_allclose(reduced @ reduced.T, (matrix @ matrix.T).toarray(), atol=1e-5)


def test_labels_of_items_without_a_value_are_their_own():
    items = tuple(Item(i, str(i), str(i), (), a) for i, a in enumerate([{"f": ("x", "y")}, {"f": ("x",)}, {}, {}]))
    labels = evaluation.labels_of(Catalog(items, ("f",)), "f")
    assert labels[0] == labels[1]
    assert len(set(labels.tolist())) == 3


def test_the_built_in_triplets_are_enough_and_name_meals():
    triplets = evaluation.triplets_of(BUILT_IN_CATALOG, read_catalog(BUILT_IN_CATALOG))
    assert len(triplets) >= 400
    assert sum(t.kind == "hard" for t in triplets) >= len(triplets) / 3
    assert len({(t.item, t.near, t.far) for t in triplets}) == len(triplets)


@pytest.mark.parametrize("text", ["item,near\nA,A\n", "item,near,far,kind\nA,A,Unheard,easy\n"])
def test_bad_triplets_are_one_error(tmp_path, text):
    (tmp_path / "c.triplets.csv").write_text(text)
    catalog = Catalog((Item(2, "a", "A", (), {"f": ("x",)}),), ("f",))
    with pytest.raises(CatalogError, match="neither a column nor a name"):
        evaluation.triplets_of(tmp_path / "c.csv", catalog)


def test_the_unseen_triplets_are_enough_and_repeat_none_of_the_others():
    catalog = read_catalog(BUILT_IN_CATALOG)
    seen = evaluation.triplets_of(BUILT_IN_CATALOG, catalog)
    unseen = evaluation.read_triplets(BUILT_IN_CATALOG.with_name("meals.unseen.triplets.csv"), catalog)
    assert len(unseen) >= 400
    assert sum(t.kind == "hard" for t in unseen) >= len(unseen) / 3
    assert {(t.item, t.near) for t in unseen}.isdisjoint((t.item, t.near) for t in seen)
