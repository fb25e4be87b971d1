import numpy as np
import pytest

from training.evaluation import bootstrap


def by_hand(values, drawn):
    """Every user as often as drawn, in plain Python."""
    for counts in drawn.tolist():
        row = []
        for column in values.T.tolist():
            kept = [
                value for value, count in zip(column, counts, strict=True) for _ in range(count) if not np.isnan(value)
            ]
            row.append(sum(kept) / len(kept) if kept else np.nan)
        yield row


@pytest.fixture
def values():
    made = np.random.default_rng(0).random((30, 3))
    made[:29, 2] = np.nan
    return made


def test_as_many_users_are_drawn_as_there_are_each_as_likely():
    drawn = bootstrap.draws(50, 7)
    assert (drawn.sum(axis=1) == 50).all()
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=5 / np.sqrt(len(drawn)))
    assert drawn.var() == pytest.approx(1 - 1 / 50, rel=0.05)
    np.testing.assert_array_equal(drawn, bootstrap.draws(50, 7))
    assert (drawn != bootstrap.draws(50, 8)).any()


def test_means_are_those_of_drawn_users_without_the_missing(values):
    drawn = bootstrap.draws(30, 7, samples=50)
    found = bootstrap.resample(values, drawn)
    np.testing.assert_allclose(found.drawn, list(by_hand(values, drawn)))
    np.testing.assert_allclose(found.means, [values[:, 0].mean(), values[:, 1].mean(), values[29, 2]])
    assert np.isnan(found.drawn[:, 2]).any()


def test_small_portions_give_the_same(values, monkeypatch):
    drawn = bootstrap.draws(30, 7, samples=50)
    whole = bootstrap.resample(values, drawn)
    monkeypatch.setattr(bootstrap, "_CELLS_AT_ONCE", 100)
    np.testing.assert_allclose(whole.drawn, bootstrap.resample(values, drawn).drawn, rtol=1e-12)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(5, 2, (2000, 1))
    drawn = bootstrap.draws(2000)
    [estimate] = bootstrap.mean([bootstrap.resample(values, drawn)])
    half = 1.96 * values.std() / np.sqrt(2000)
    assert estimate.value == pytest.approx(values.mean())
    assert (estimate.high - estimate.low) / 2 == pytest.approx(half, rel=0.1)


def test_more_splits_narrow_the_interval_only_by_other_users():
    values = np.random.default_rng(0).normal(5, 2, (2000, 1))
    drawn = bootstrap.draws(2000)
    parts = [bootstrap.resample(values[rows], drawn[:, rows]) for rows in np.split(np.arange(2000), 4)]
    [one], [four], [repeated] = bootstrap.mean(parts[:1]), bootstrap.mean(parts), bootstrap.mean(parts[:1] * 4)
    assert repeated == one
    assert four.high - four.low == pytest.approx((one.high - one.low) / 2, rel=0.15)


def test_ratios_are_paired():
    values, drawn = np.random.default_rng(0).random((200, 1)), bootstrap.draws(200)
    [estimate] = bootstrap.ratio([bootstrap.resample(values / 2, drawn)], [bootstrap.resample(values, drawn)])
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.5, 0.5, 0.5))


def test_the_ratio_of_several_splits_is_the_mean_of_theirs():
    drawn = np.array([[2, 0], [1, 1], [0, 2]], np.uint8)
    splits, references = [[1.0, 3.0], [4.0, 4.0]], [[4.0, 4.0], [2.0, 2.0]]
    pairs = [[bootstrap.resample(np.array([v]).T, drawn) for v in group] for group in (splits, references)]
    [estimate] = bootstrap.ratio(*pairs)
    ratios = [(1 / 4 + 2) / 2, (2 / 4 + 2) / 2, (3 / 4 + 2) / 2]
    assert estimate.value == pytest.approx(ratios[1])
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.percentile(ratios, [2.5, 97.5])))


def test_what_says_nothing_has_no_estimate():
    drawn = bootstrap.draws(4)
    nothing, zero = (bootstrap.resample(np.full((4, 1), value), drawn) for value in (np.nan, 0.0))
    assert bootstrap.mean([nothing]) == [None]
    assert bootstrap.ratio([zero], [zero]) == [None]
