import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.recommenders import new_items
from benchmarks.recommenders.own_model import Mignon
from training.by_interactions.settings import InteractionSettings
from training.evaluation.splits import hold_out_users

ITEMS = 80


@pytest.fixture(scope="module")
def kinds():
    return np.arange(ITEMS) % 4


@pytest.fixture(scope="module")
def matrix(kinds):
    rng = np.random.default_rng(0)
    likely = np.where(kinds == rng.integers(4, size=400)[:, None], 0.6, 0.05)
    return csr_matrix((rng.random((400, ITEMS)) < likely).astype(np.float32))


def test_new_items_are_known_to_nobody_and_all_wanted(matrix):
    split, new = new_items.hold_out(hold_out_users(matrix, 3), 3)
    assert len(new) == ITEMS // 10
    dense = matrix.toarray()
    assert not split.train.toarray()[:, new].any()
    for given, wanted, user in zip(split.given.toarray(), split.wanted.toarray(), split.users, strict=True):
        expected = np.zeros(ITEMS)
        expected[new] = dense[user, new]
        assert wanted.tolist() == expected.tolist()
        assert (given + wanted).tolist() == dense[user].tolist()
        assert given.any()
        assert wanted.any()
    assert not set(split.users) & {user for user in range(400) if not dense[user, new].any()}
    again = new_items.hold_out(hold_out_users(matrix, 3), 3)[1]
    assert again.tolist() == new.tolist()


def test_position_by_counting(matrix):
    split, _ = new_items.hold_out(hold_out_users(matrix, 0), 0)

    class Coarse:
        def scores(self, given):
            return np.tile(np.arange(ITEMS) // 7, (given.shape[0], 1)).astype(np.float32)

    shares = []
    for given, wanted in zip(split.given.toarray(), split.wanted.toarray(), strict=True):
        others = [column // 7 for column in range(ITEMS) if not given[column] and not wanted[column]]
        of_user = [
            sum((score < item // 7) + (score == item // 7) / 2 for score in others) / len(others)
            for item in np.flatnonzero(wanted)
        ]
        shares.append(np.mean(of_user))
    assert new_items.measure_position(Coarse(), split) == pytest.approx(np.mean(shares))


def test_attributes_place_new_items_better_than_chance_and_popularity(matrix, kinds):
    attributes = csr_matrix(np.eye(4, dtype=np.float32)[kinds])
    model = Mignon(InteractionSettings(dims=8, batch=32), attributes)
    placed = new_items.measure(matrix, [model], splits=2, k=2)
    chance, popularity, mignon = placed
    assert mignon.model == "mignon with attributes, 9 bytes"
    assert abs(chance.position - 0.5) < 0.1
    assert mignon.among_new > max(chance.among_new, popularity.among_new)
    assert mignon.position > popularity.position
    assert new_items.format_placed(placed, 2).splitlines()[4].split()[-1] == f"{mignon.position:.3f}"
