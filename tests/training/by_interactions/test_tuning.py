import pytest

from training.by_interactions.settings import InteractionSettings
from training.by_interactions.tuning import RANGES, Search, tune
from training.errors import SettingsError

SETTINGS = InteractionSettings(dims=8)


def peak(settings):
    """Greatest at dropout 0.5 and 16 dims."""
    return -abs(settings.dropout - 0.5) - (settings.dims != 16)


def test_the_search_starts_from_the_settings_and_finds_better_ones(tmp_path):
    tried = []

    def measure(settings):
        tried.append(settings)
        return peak(settings)

    tuned = tune(measure, SETTINGS, Search(25, tmp_path / "study.log", (8, 16, 32)), progress=False)
    assert tried[0] == SETTINGS
    assert tuned.trials == len(tried) == 25
    assert tuned.settings == max(tried, key=peak)
    assert tuned.measure == peak(tuned.settings)
    assert abs(tuned.settings.dropout - 0.5) < 0.1
    assert tuned.settings.dims == 16
    for settings in tried:
        assert all(each.low <= getattr(settings, name) <= each.high for name, each in RANGES.items())


def test_a_stopped_search_is_continued_as_if_it_had_not_been(tmp_path):
    undisturbed, stopped = [], []

    def measure_into(tried, most):
        def measure(settings):
            if len(tried) == most:
                raise KeyboardInterrupt
            tried.append(settings)
            return peak(settings)

        return measure

    tune(measure_into(undisturbed, 99), SETTINGS, Search(14, tmp_path / "whole.log"), progress=False)
    with pytest.raises(KeyboardInterrupt):
        tune(measure_into(stopped, 12), SETTINGS, Search(14, tmp_path / "study.log"), progress=False)
    tuned = tune(measure_into(stopped, 99), SETTINGS, Search(14, tmp_path / "study.log"), progress=False)
    assert stopped == undisturbed
    assert tuned.trials == 14


def test_what_cannot_be_tuned_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="tune is 0"):
        tune(peak, SETTINGS, Search(0, tmp_path / "study.log"))
    with pytest.raises(SettingsError, match="needs held-out users"):
        tune(lambda _: float("nan"), SETTINGS, Search(2, tmp_path / "study.log"), progress=False)
