"""Searches settings for learning from what people like, by the held-out users, with a study that can be continued.

The tree-structured Parzen estimator (Bergstra et al., 2011) of optuna suggests what to try; the first try is the
settings as given, so that what is found is never worse on those users. What the n-th try suggests hangs only on the
seed and the tries before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.by_interactions.settings import InteractionSettings
from training.errors import SettingsError


@dataclass(frozen=True)
class Range:
    """Where a setting is searched, evenly or by its logarithm."""

    low: float
    high: float
    log: bool = False


RANGES = {
    "learning_rate": Range(3e-3, 3e-2, log=True),
    "dropout": Range(0.1, 0.6),
    "teacher": Range(0.0, 0.8),
    "sharpness": Range(2.0, 10.0, log=True),
    "l2": Range(1e-7, 1e-3, log=True),
    "own_l2": Range(1e-7, 1e-2, log=True),
    "attribute_share": Range(0.1, 1.0, log=True),
}


@dataclass(frozen=True)
class Search:
    """How long to search, and where what was tried is kept.

    Attributes:
        trials: how many in all, those that `study_file` holds already counted.
        study_file: where tries are kept, so that a search can be continued; None to keep them in memory.
        dims: widths to choose among; none to keep that of the settings.
        name: of the study in the file, another for other data.
    """

    trials: int
    study_file: Path | None = None
    dims: tuple[int, ...] = ()
    name: str = "mignon"


@dataclass(frozen=True)
class Tuned:
    """The best settings of so many trials, and their measure."""

    settings: InteractionSettings
    measure: float
    trials: int


def tune(
    measure: Callable[[InteractionSettings], float],
    settings: InteractionSettings,
    search: Search,
    *,
    progress: bool = True,
) -> Tuned:
    """Tries settings until the search is done; what it does not search stays as in `settings`.

    Args:
        measure: trains with settings and says how good they are; greater is better, NaN where it cannot tell.

    Raises:
        SettingsError: the trials are below 1, optuna is missing, or `measure` cannot tell.
    """
    if search.trials < 1:
        raise SettingsError(f"tune is {search.trials}; give 1 or more")
    optuna = _import_optuna()
    study = _open_study(optuna, search)
    if not study.trials:
        study.enqueue_trial(_clip_to_ranges(settings, search.dims))

    def objective(trial: Any) -> float:
        value = measure(_suggest(trial, settings, search.dims))
        if math.isnan(value):
            raise SettingsError("--tune needs held-out users; give a log of more users and leave out --no-validation")
        return value

    with tqdm(
        total=search.trials, initial=_count_done(study), desc="tuning", unit="trial", disable=not progress
    ) as bar:
        while (done := _count_done(study)) < search.trials:
            study.sampler = optuna.samplers.TPESampler(seed=settings.seed * 10_007 + done)
            study.optimize(objective, n_trials=1)
            bar.set_postfix(best=f"{study.best_value:.4f}")
            bar.update()
    return Tuned(replace(settings, **study.best_params), study.best_value, _count_done(study))


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise SettingsError("--tune needs optuna; install it with pip install 'mignon[pipeline]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _open_study(optuna: Any, search: Search) -> Any:
    storage = None
    if search.study_file is not None:
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(search.study_file)))
    return optuna.create_study(storage=storage, study_name=search.name, direction="maximize", load_if_exists=True)


def _count_done(study: Any) -> int:
    return sum(trial.state.name == "COMPLETE" for trial in study.trials)


def _clip_to_ranges(settings: InteractionSettings, dims: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: min(max(getattr(settings, name), each.low), each.high) for name, each in RANGES.items()
    }
    if dims:
        found["dims"] = settings.dims if settings.dims in dims else dims[0]
    return found


def _suggest(trial: Any, settings: InteractionSettings, dims: Sequence[int]) -> InteractionSettings:
    found = {name: trial.suggest_float(name, each.low, each.high, log=each.log) for name, each in RANGES.items()}
    if dims:
        found["dims"] = trial.suggest_categorical("dims", list(dims))
    return replace(settings, **found)
