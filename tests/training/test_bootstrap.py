import numpy as np
import pytest

from training import bootstrap


def by_hand(values, seed, samples):
    """The same draws, one at a time, in plain Python."""
    drawn = np.random.default_rng(seed).integers(len(values), size=(samples, len(values)))
    means = []
    for users in drawn:
        row = []
        for column in values.T:
            kept = [column[user] for user in users if not np.isnan(column[user])]
            row.append(sum(kept) / len(kept) if kept else np.nan)
        means.append(row)
    return np.array(means)


@pytest.fixture
def values():
    made = np.random.default_rng(0).random((30, 3))
    made[:29, 2] = np.nan
    return made


def test_means_are_those_of_drawn_users_without_the_missing(values):
    found = bootstrap.resample(values, 7, samples=50)
    np.testing.assert_allclose(found.drawn, by_hand(values, 7, 50))
    np.testing.assert_allclose(found.means, [values[:, 0].mean(), values[:, 1].mean(), values[29, 2]])
    assert np.isnan(found.drawn[:, 2]).any()


def test_small_portions_draw_the_same(values, monkeypatch):
    whole = bootstrap.resample(values, 7, samples=50)
    monkeypatch.setattr(bootstrap, "_CELLS_AT_ONCE", 100)
    np.testing.assert_allclose(whole.drawn, bootstrap.resample(values, 7, samples=50).drawn, rtol=1e-12)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(5, 2, (2000, 1))
    [estimate] = bootstrap.mean([bootstrap.resample(values, 0)])
    half = 1.96 * values.std() / np.sqrt(2000)
    assert estimate.value == pytest.approx(values.mean())
    assert (estimate.high - estimate.low) / 2 == pytest.approx(half, rel=0.1)
    four = [bootstrap.resample(values, seed) for seed in range(4)]
    [averaged] = bootstrap.mean(four)
    assert (averaged.high - averaged.low) / 2 == pytest.approx(half / 2, rel=0.1)


def test_ratios_are_paired():
    values = np.random.default_rng(0).random((200, 1))
    same = [bootstrap.resample(values, seed) for seed in range(3)]
    half = [bootstrap.resample(values / 2, seed) for seed in range(3)]
    [estimate] = bootstrap.ratio(half, same)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.5, 0.5, 0.5))


def test_the_ratio_of_several_splits_is_the_mean_of_theirs():
    splits = [np.array([[1.0], [3.0]]), np.array([[4.0], [4.0]])]
    references = [np.array([[4.0], [4.0]]), np.array([[2.0], [2.0]])]
    pairs = [[bootstrap.resample(v, n) for n, v in enumerate(group)] for group in (splits, references)]
    [estimate] = bootstrap.ratio(*pairs)
    assert estimate.value == pytest.approx((2 / 4 + 4 / 2) / 2)
    assert (estimate.low, estimate.high) == pytest.approx(((0.25 + 2) / 2, (0.75 + 2) / 2))


def test_what_says_nothing_has_no_estimate():
    nothing = bootstrap.resample(np.full((4, 1), np.nan), 0)
    zero = bootstrap.resample(np.zeros((4, 1)), 0)
    assert bootstrap.mean([nothing]) == [None]
    assert bootstrap.ratio([zero], [zero]) == [None]
