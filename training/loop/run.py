"""A training run: epochs with a measure after each, early stopping, and a resume after any stop.

Every random choice of a model in training is a function of the seed, the epoch and the step, never of what ran before,
so a resumed run takes the same steps as an undisturbed one.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from training.errors import TrainingError
from training.loop.checkpoint import Progress, check_writable, load_checkpoint, save_checkpoint
from training.loop.options import RunOptions
from training.loop.workers import is_chief

Result = TypeVar("Result")


class TrainingRun(ABC, Generic[Result]):
    """One model in training. `run` trains and gives what was best by the measure after each epoch.

    Args:
        settings: its `epochs` are the most to train, `patience` those without a better measure before it stops.
        variables: of the model, those of the best epoch are kept.
        state: further variables that the next epoch depends on, such as the optimizer's.
    """

    remedy = "check the data and the settings"

    def __init__(
        self,
        settings: Any,
        variables: Sequence[tf.Variable],
        state: Sequence[tf.Variable],
        strategy: Any = None,
    ) -> None:
        self._limits = settings
        self._strategy = strategy or tf.distribute.get_strategy()
        self.variables = list(variables)
        self._all_variables = [*variables, *state]
        self.progress = Progress(best=_values(self.variables))

    @abstractmethod
    def train_epoch(self, epoch: int) -> float:
        """Trains one epoch, counted from 0; returns the mean loss."""

    @abstractmethod
    def measure(self, loss: float) -> Any:
        """What is known after an epoch: a named tuple of floats, the last of which decides; NaN where unknown."""

    @abstractmethod
    def result(self) -> Result:
        """What was trained, with the variables as they are."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Another text for other data or settings."""

    def run(self, checkpoint: Path | None = None, *, progress: bool = True, tensorboard: Path | None = None) -> Result:
        """Trains until the measure no longer improves, saving to `checkpoint` after each epoch.

        Raises:
            TrainingError: the loss is no longer a finite number.
        """
        chief, done, total = is_chief(self._strategy), self.progress.epochs_done, self._limits.epochs
        writer = tf.summary.create_file_writer(str(tensorboard)) if tensorboard and chief else None
        with tqdm(total=total, initial=done, desc="training", unit="epoch", disable=not progress) as bar:
            while self.progress.epochs_done < total and not self._is_stale():
                measured = self._advance()
                bar.set_postfix({name: f"{value:.4f}" for name, value in measured._asdict().items()})
                bar.update()
                if writer is not None:
                    _log(writer, self.progress.epochs_done, measured)
                if checkpoint is not None and chief:
                    save_checkpoint(checkpoint, self.fingerprint(), self.progress, _values(self._all_variables))
        _assign(self.variables, self.progress.best)
        return self.result()

    def restore(self, checkpoint: Path) -> None:
        """Continues from a checkpoint of the same data and settings.

        Raises:
            TrainingError: it cannot be read or belongs to other data or settings.
        """
        counts = len(self._all_variables), len(self.variables)
        self.progress, values = load_checkpoint(checkpoint, self.fingerprint(), *counts)
        _assign(self._all_variables, values)

    def _advance(self) -> Any:
        loss = self.train_epoch(self.progress.epochs_done)
        self.progress.epochs_done += 1
        if not math.isfinite(loss):
            raise TrainingError(f"the loss became {loss} in epoch {self.progress.epochs_done}; {self.remedy}")
        measured = self.measure(loss)
        best = max((epoch[-1] for epoch in self.progress.history), default=-np.inf)
        self.progress.history.append(list(measured))
        if not measured[-1] < best:  # NaN too: without a measure the last epoch is the best
            self.progress.best = _values(self.variables)
            self.progress.best_epoch = self.progress.epochs_done
        return measured

    def _is_stale(self) -> bool:
        return self.progress.epochs_done - self.progress.best_epoch >= self._limits.patience


def run_timed(run: TrainingRun[Result], options: RunOptions, tensorboard: Path | None = None) -> tuple[Result, float]:
    """Runs to the end, from the checkpoint if there is one; returns the result and the seconds it took.

    Raises:
        TrainingError: the checkpoint belongs to another run, or the loss is no longer a finite number.
    """
    checkpoint = options.checkpoint
    if checkpoint is not None:
        check_writable(checkpoint.parent)
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
        if options.on_resume is not None:
            options.on_resume(run.progress.epochs_done)
    start = time.monotonic()
    result = run.run(checkpoint, progress=options.progress, tensorboard=tensorboard)
    return result, time.monotonic() - start


def _values(variables: Sequence[tf.Variable]) -> list[Any]:
    return [variable.numpy() for variable in variables]


def _assign(variables: Sequence[tf.Variable], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _log(writer: Any, epoch: int, measured: Any) -> None:
    with writer.as_default(step=epoch):
        for name, value in measured._asdict().items():
            tf.summary.scalar(name, value)
    writer.flush()
