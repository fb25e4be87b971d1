import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tests import nhanes
from training.errors import SplitError
from training.evaluation.splits import hold_out_users, leave_one_out, split_by_time

USERS, ITEMS = 60, 25


@pytest.fixture
def matrix():
    rng = np.random.default_rng(0)
    chosen = rng.random((USERS, ITEMS)) < 0.3
    chosen[0] = np.arange(ITEMS) == 7  # a user with one item
    return csr_matrix(np.where(chosen, rng.random((USERS, ITEMS)) + 1, 0).astype(np.float32))


@pytest.fixture
def timestamps(matrix):
    return np.random.default_rng(1).integers(0, 40, matrix.nnz)


def pairs(matrix, users):
    """Every stored (user, item, weight), the rows named by `users`."""
    rows = matrix.tocoo()
    return {(int(users[i]), int(j), float(w)) for i, j, w in zip(rows.row, rows.col, rows.data, strict=True)}


def everything(matrix):
    return pairs(matrix, np.arange(matrix.shape[0]))


def times_of(matrix, timestamps):
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return dict(zip(zip(rows.tolist(), matrix.indices.tolist(), strict=True), timestamps.tolist(), strict=True))


def test_held_out_users_are_not_trained_on_and_a_fifth_of_their_items_is_wanted(matrix):
    split = hold_out_users(matrix, seed=3)
    rest = np.random.default_rng(3).permutation(USERS)[USERS // 5 :]
    assert sorted([*split.users, *rest]) == list(range(USERS))
    trained, given, wanted = (
        pairs(split.train, rest),
        pairs(split.given, split.users),
        pairs(split.wanted, split.users),
    )
    assert trained | given | wanted == everything(matrix)
    assert len(trained) + len(given) + len(wanted) == matrix.nnz
    for user, count in zip(split.users, np.diff(split.wanted.indptr), strict=True):
        assert count == max(1, matrix[user].nnz // 5)


def test_draws_are_those_of_the_protocol_whatever_the_order_of_columns(matrix):
    protocol = nhanes.protocol()
    shuffled = matrix[:, ::-1][:, ::-1]  # columns of a row in descending order
    shuffled.has_sorted_indices = 0
    for seed in range(5):
        rows, cases, held = protocol.split(matrix, seed)
        for given_matrix in (matrix, shuffled):
            split = hold_out_users(given_matrix, seed)
            assert split.users.tolist() == held.tolist()
            assert (split.train != matrix[rows]).nnz == 0
            for row, (given, wanted) in enumerate(cases):
                assert set(split.given[row].indices) == set(given)
                assert set(split.wanted[row].indices) == set(wanted)


def test_shares_count_as_whole_divisions_do():
    for count in (5, 9, 10, 35, 26756, 99999):
        assert int(count * 0.2) == count // 5


def test_of_a_user_with_one_item_that_is_wanted_and_of_one_with_none_nothing_is_asked():
    matrix = csr_matrix(np.diag([1.0] * 9 + [0.0]).astype(np.float32))
    matrix.eliminate_zeros()
    split = hold_out_users(matrix, 0, users_share=0.9)
    held = np.random.default_rng(0).permutation(10)[:9].tolist()
    assert 9 in held
    assert split.users.tolist() == [user for user in held if user != 9]
    assert split.given.nnz == 0
    assert np.diff(split.wanted.indptr).tolist() == [1] * 8


@pytest.mark.parametrize(("users", "share", "message"), [(4, 0.2, "nobody to ask"), (4, 1.0, "nobody to train on")])
def test_too_few_users_are_one_clear_error(users, share, message):
    with pytest.raises(SplitError, match=message):
        hold_out_users(csr_matrix(np.ones((users, 3), np.float32)), 0, users_share=share)


def test_the_last_item_of_each_user_is_left_out(matrix, timestamps):
    split = leave_one_out(matrix, 0, timestamps=timestamps)
    time_of = times_of(matrix, timestamps)
    assert split.users.tolist() == [user for user in range(USERS) if matrix[user].nnz > 1]
    assert np.diff(split.wanted.indptr).tolist() == [1] * len(split.users)
    for row, user in enumerate(split.users):
        [last] = split.wanted[row].indices
        assert all(time_of[user, last] >= time_of[user, item] for item in split.given[row].indices)
    assert pairs(split.train, np.arange(USERS)) | pairs(split.wanted, split.users) == everything(matrix)
    assert pairs(split.given, split.users) <= pairs(split.train, np.arange(USERS))


def test_without_timestamps_and_among_equal_ones_the_seed_draws():
    matrix = csr_matrix(np.ones((300, 4), np.float32))
    free = [leave_one_out(matrix, seed).wanted.indices.tolist() for seed in (0, 0, 1)]
    assert free[0] == free[1] != free[2]
    assert np.bincount(free[0]).min() > 40
    latest = np.tile([1, 9, 9, 2], 300)
    assert set(leave_one_out(matrix, 0, timestamps=latest).wanted.indices) == {1, 2}


def test_users_of_one_item_cannot_be_left_without():
    with pytest.raises(SplitError, match="none of 3 users has two items"):
        leave_one_out(csr_matrix(np.eye(3, dtype=np.float32)), 0)


def test_a_cut_in_time_parts_before_from_after(matrix, timestamps):
    split = split_by_time(matrix, timestamps, cut=30)
    time_of = times_of(matrix, timestamps)
    before = {pair for pair in everything(matrix) if time_of[pair[:2]] < 30}
    after = everything(matrix) - before
    asked = {pair[0] for pair in before} & {pair[0] for pair in after}
    assert split.users.tolist() == sorted(asked)
    assert pairs(split.wanted, split.users) == {pair for pair in after if pair[0] in asked}
    assert pairs(split.given, split.users) == {pair for pair in before if pair[0] in asked}
    assert pairs(split.train, np.array(sorted({pair[0] for pair in before}))) == before
    assert split.skipped == USERS - len({pair[0] for pair in before})


def test_the_default_cut_leaves_a_fifth_to_be_found(matrix):
    split = split_by_time(matrix, np.random.default_rng(0).permutation(matrix.nnz))
    assert matrix.nnz - split.train.nnz == pytest.approx(0.2 * matrix.nnz, abs=1)


def test_no_timestamps_or_no_user_on_both_sides_is_an_error(matrix, timestamps):
    with pytest.raises(SplitError, match="no timestamps"):
        split_by_time(matrix, None)
    with pytest.raises(SplitError, match="before timestamp 0"):
        split_by_time(matrix, timestamps, cut=0)


def test_timestamps_stay_with_their_interactions(matrix, timestamps):
    time_of = times_of(matrix, timestamps)
    for split in (
        hold_out_users(matrix, 0, timestamps=timestamps),
        leave_one_out(matrix, 0, timestamps=timestamps),
        split_by_time(matrix, timestamps),
    ):
        rows = split.users[np.repeat(np.arange(len(split.users)), np.diff(split.given.indptr))]
        expected = [time_of[pair] for pair in zip(rows.tolist(), split.given.indices.tolist(), strict=True)]
        assert split.given_timestamps.tolist() == expected
        assert len(split.train_timestamps) == split.train.nnz
