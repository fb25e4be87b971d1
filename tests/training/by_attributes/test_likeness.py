import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training.by_attributes import likeness
from training.by_attributes.likeness import Questions
from training.evaluation.triplets import Triplet
from training.inputs.attribute_features import Features, Vocabulary


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


def test_hidden_values_are_ranked_by_what_neighbors_show():
    """Two clusters, each with a value of its own, hidden from the first item of each; a third one item has."""
    vocabulary = Vocabulary(("kind", "mood"), (("kind", "k"), *(("mood", f"m{i}") for i in range(4))), (1, 2, 6))
    indices = np.array([[1, 2 + (i >= 30)] for i in range(60)], np.int32)
    indices[[0, 30], 1] = 0
    indices[59, 1] = 4
    shown = Features(indices, np.ones(indices.shape, np.float32))
    asked = Questions(np.array([0, 30]), np.array([2, 3]))
    near = unit([[1, 0.01 * i] if i < 30 else [0.01 * (60 - i), 1] for i in range(60)])
    assert likeness.rank_hidden(near, shown, vocabulary, asked).tolist() == [1, 1]
    assert likeness.rank_hidden(csr_matrix(near), shown, vocabulary, asked).tolist() == [1, 1]
    far = near.copy()
    far[[0, 30]] = near[[40, 5]]
    assert likeness.rank_hidden(far, shown, vocabulary, asked).tolist() == [1 / 2, 1 / 2]
    # by frequency: 29 items show the first, 28 the second; the last, which nobody has, shares the last rank with none
    assert likeness.rank_hidden(None, shown, vocabulary, asked).tolist() == [1, 1 / 2]
    nobody = Questions(np.array([0]), np.array([5]))
    assert likeness.rank_hidden(near, shown, vocabulary, nobody).tolist() == [1 / 4]


def test_what_an_item_shows_is_no_answer():
    vocabulary = Vocabulary(("mood",), (("mood", "a"), ("mood", "b"), ("mood", "c")), (1, 4))
    shown = Features(np.array([[1], [1], [1], [2]], np.int32), np.ones((4, 1), np.float32))
    asked = Questions(np.array([0]), np.array([2]))
    assert likeness.rank_hidden(None, shown, vocabulary, asked).tolist() == [1]


def test_neighbors_are_the_nearest_others_nearest_first():
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(60, 4)))
    found = likeness.find_neighbors(vectors, np.array([3, 7]), 5)
    for row, nearest in zip((3, 7), found.tolist(), strict=True):
        others = [other for other in range(60) if other != row]
        assert nearest == sorted(others, key=lambda other: -float(vectors[row] @ vectors[other]))[:5]
    assert likeness.find_neighbors(vectors[:3], np.array([0]), 5).shape == (1, 2)
