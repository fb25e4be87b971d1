"""How to learn from what people like: what is asked, and the numbers, what each means and where it may lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from training.errors import SettingsError
from training.inputs.bounds import check_bounds, check_log
from training.inputs.catalog import Catalog, read_catalog
from training.inputs.rules import read_rules
from training.loop.options import RunOptions
from training.loop.settings import check_settings, choice, setting

if TYPE_CHECKING:
    from training.inputs.interactions import Report

Weights = Literal["ignore", "log"]


@dataclass(frozen=True)
class InteractionSettings:
    """How to learn from what people like; each field's metadata says in words what it is, and its range.

    The defaults were chosen on users held out of the training users of one split of NHANES dietary recalls.

    Raises:
        SettingsError: one is out of its range.
    """

    dims: int = setting(32, 2, 1024, "numbers in a vector")
    epochs: int = setting(10, 1, 100_000, "epochs at most")
    batch: int = setting(256, 1, 1 << 20, "users in a step")
    learning_rate: float = setting(1e-2, 1e-6, 10, "of Adam, at its highest")
    dropout: float = setting(0.4, 0.01, 0.99, "share of a user's items hidden at each step, to be predicted")
    power: float = setting(0.5, 0, 1, "a sum of n items is divided by n to this power")
    teacher: float = setting(0.5, 0, 1, "what imitating the closed form counts, the hidden items counting the rest")
    sharpness: float = setting(5.0, 0.01, 1000, "of the closed form's scores, before their softmax")
    gain: float = setting(2.0, 0.01, 100, "of the first table over the closed form's")
    l2: float = setting(1e-5, 0, 10, "penalty on the squares of the table")
    own_l2: float = setting(1e-6, 0, 1000, "penalty on the part of an item's row that its attributes do not explain")
    attribute_share: float = setting(0.5, 0.001, 10, "what attributes count in a row; the less, the slower they learn")
    ease_penalty: float = setting(100.0, 1e-3, 1e9, "penalty of the closed form")
    negatives: int = setting(4096, 1, 1 << 20, "other items drawn for a step, where the catalog is too large for all")
    aware_epochs: int = setting(2, 0, 100_000, "last epochs, in which the table is rounded to 8 bits as in the file")
    half_life: float = setting(0.0, 0, 1e6, "days by which an interaction counts half as a target; 0: all count alike")
    weights: Weights = choice("ignore", "what a weight w counts as a target: 1, or log(1 + w)")  # noqa: RUF009 - a field
    patience: int = setting(5, 1, 100_000, "epochs without a better held-out measure before training stops")
    seed: int = setting(0, 0, 200_000, "of every random choice")
    validation: bool = choice(True, "hold a few users out of training to find the best epoch")

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, kw_only=True)
class InteractionsRequest(RunOptions):
    """The arguments of `training.train_interactions`."""

    log: Path
    catalog: Path | None
    bounds: Mapping[str, int]
    evaluate: bool
    tune: int | None
    tune_dims: tuple[int, ...]
    tensorboard: Path | None
    on_read: Callable[[Report], None] | None
    settings: InteractionSettings

    def read_catalog(self) -> Catalog | None:
        """Checks what can be checked before anything heavy is imported, and reads the catalog, if there is one.

        Raises:
            TrainingError: an argument or the catalog cannot be used, or the log is not there.
        """
        if self.tune_dims and self.tune is None:
            raise SettingsError("--tune-dims says what --tune may choose; give --tune N as well")
        if self.tune is not None and self.tune < 1:
            raise SettingsError(f"tune is {self.tune}; give 1 or more")
        check_bounds(**self.bounds)
        self.check()
        check_log(self.log)
        catalog = None
        if self.catalog is not None:  # its popularity is no attribute; the bias says what the log says of it
            popularity = read_rules(self.catalog).popularity
            catalog = read_catalog(self.catalog, needs_attributes=False, popularity=popularity)
        self.forget_if_restarted()
        return catalog
