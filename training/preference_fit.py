"""Learns from what people like: some items of each user are hidden and must be predicted from the others.

The loss is the cross-entropy of the softmax over the catalog (as Liang et al., 2018, for a variational autoencoder)
with the hidden items, mixed with the scores of EASE as a teacher (distillation, Hinton et al., 2015). Of a catalog of
more than `MOST_SOFTMAX_ITEMS`, a step sees the items of its users and a sample of the others, each counting by the
inverse of its chance to be among them.

Every random choice is a function of the seed and the epoch, never of what ran before, so a resumed run takes the same
steps as an undisturbed one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from tqdm import tqdm

from training.checkpoint import Progress, load_checkpoint, save_checkpoint
from training.errors import SettingsError, TrainingError
from training.preference_model import PreferenceModel, ValueVectors, sparse_tensor
from training.preference_scorer import PreferenceScorer
from training.preference_settings import PreferenceSettings
from training.preference_start import Start, start_of, value_vectors
from training.ranking import evaluate
from training.splits import Split, Timestamps, strong_generalization
from training.trained import Preference

MOST_SOFTMAX_ITEMS = 30_000
HELD_OUT_SHARE = 0.05
MOST_HELD_OUT = 2000
_MOST_HELD_OUT_SCORES = 100_000_000
_MOST_KEPT_SCORES = 250_000_000
_WARM_UP = 20
_DAY = 86_400
_NEVER = -1e9


class Epoch(NamedTuple):
    """What is known after an epoch; recall@10 and NDCG@10 of held-out users in 8 bits, NaN where there are none."""

    loss: float
    recall: float
    ndcg: float


@dataclass(frozen=True)
class PreferenceFitted:
    """A trained model.

    Attributes:
        table: float32 [items, dims].
        values: float32 [values, dims], whose sum by an item's attributes is the part of its row they explain.
    """

    table: NDArray[np.float32]
    preference: Preference
    values: NDArray[np.float32]
    history: tuple[Epoch, ...]
    best_epoch: int

    @property
    def scorer(self) -> PreferenceScorer:
        """What ranks items for users."""
        return PreferenceScorer(self.table, self.preference)


class _Batch(NamedTuple):
    """A step's users: which of their items are seen and which wanted, by the places of `items` (None: all items)."""

    favorites: tf.SparseTensor
    wanted: tf.SparseTensor
    teacher: tf.Tensor | None = None
    items: tf.Tensor | None = None
    chance: tf.Tensor | None = None
    attributes: tf.SparseTensor | None = None


class PreferenceTrainer:
    """One model in training. `run` trains and gives the model of the best held-out measure.

    Args:
        matrix: csr [users, items]; stored entries are what a user likes, their values weights.
        timestamps: int64 in seconds, aligned with `matrix.data`.
        attributes: csr [items, values], what each value counts.
    """

    def __init__(
        self,
        matrix: csr_matrix,
        settings: PreferenceSettings,
        *,
        timestamps: Timestamps | None = None,
        attributes: csr_matrix | None = None,
    ) -> None:
        tf_keras.utils.set_random_seed(settings.seed)
        self.settings = settings
        self.held_out = _hold_out(matrix, settings, timestamps)
        train, times = matrix, timestamps
        if self.held_out is not None:
            train, times = self.held_out.train, self.held_out.train_timestamps
        self._targets = target_weights(train, settings, times)
        self._attributes = attributes
        start = start_of(train, settings)
        self._negative_columns = start.negative_columns
        self.model = PreferenceModel(start, settings.power, _vectors(start, train, attributes))
        self.variables = self.model.trainable_variables
        self._set_teacher(start)
        self._shares = np.bincount(train.indices, minlength=train.shape[1]) / train.shape[0]
        self.optimizer = tf_keras.optimizers.Adam(_schedule(settings, self._steps_per_epoch()))
        self.optimizer.build(self.variables)
        self.progress = Progress(best=[v.numpy() for v in self.variables])
        self._step = tf.function(self._train_step, reduce_retracing=True, autograph=False)

    def run(
        self, checkpoint: Path | None = None, *, progress: bool = True, tensorboard: Path | None = None
    ) -> PreferenceFitted:
        """Trains until the held-out measure no longer improves, saving to `checkpoint` after each epoch."""
        writer = tf.summary.create_file_writer(str(tensorboard)) if tensorboard else None
        done, total = self.progress.epochs_done, self.settings.epochs
        with tqdm(total=total, initial=done, desc="training", unit="epoch", disable=not progress) as bar:
            while self.progress.epochs_done < total and not self._is_stale():
                loss = self._epoch(self.progress.epochs_done)
                self.progress.epochs_done += 1
                measured = self._measure(loss)
                bar.set_postfix({name: f"{value:.4f}" for name, value in measured._asdict().items()})
                bar.update()
                if writer is not None:
                    _log(writer, self.progress.epochs_done, measured)
                if checkpoint is not None:
                    values = [v.numpy() for v in self._all_variables()]
                    save_checkpoint(checkpoint, self._fingerprint(), self.progress, values)
        return self._fitted()

    def restore(self, checkpoint: Path) -> None:
        """Continues from a checkpoint of the same data and settings.

        Raises:
            TrainingError: it cannot be read or belongs to other data or settings.
        """
        everything = self._all_variables()
        self.progress, values = load_checkpoint(checkpoint, self._fingerprint(), len(everything), len(self.variables))
        for variable, value in zip(everything, values, strict=True):
            variable.assign(value)

    def _set_teacher(self, start: Start) -> None:
        """Keeps the teacher's scores where there is room; they are the same in every epoch."""
        self._teacher, self._teacher_scores = start.teacher, None
        if start.teacher is not None and np.prod(self._targets.shape) <= _MOST_KEPT_SCORES:
            self._teacher, self._teacher_scores = None, _present(self._targets) @ start.teacher

    def _epoch(self, epoch: int) -> float:
        if epoch >= self.settings.epochs - self.settings.aware_epochs:
            self.model.round_from_now()
        rng = np.random.default_rng([self.settings.seed, 2, epoch])
        order = np.array_split(rng.permutation(self._targets.shape[0]), self._steps_per_epoch())
        loss = float(np.mean([self._step(self._batch(users, rng)) for users in order]))
        if not np.isfinite(loss):
            raise TrainingError(f"the loss became {loss} in epoch {epoch + 1}; give a lower --learning-rate")
        return loss

    def _steps_per_epoch(self) -> int:
        return -(-self._targets.shape[0] // self.settings.batch)

    def _batch(self, users: NDArray[np.int64], rng: np.random.Generator) -> _Batch:
        part = self._targets[users]
        hidden = rng.random(part.nnz, np.float32) < self.settings.dropout
        if part.shape[1] <= MOST_SOFTMAX_ITEMS:
            seen, wanted = _where(_present(part), ~hidden), _where(part, hidden)
            return _Batch(sparse_tensor(seen), sparse_tensor(wanted), self._teacher_scores_of(users, part))
        items = self._sample(part, rng)
        part = csr_matrix((part.data, np.searchsorted(items, part.indices), part.indptr), (len(users), len(items)))
        return _Batch(
            sparse_tensor(_where(_present(part), ~hidden)),
            sparse_tensor(_where(part, hidden)),
            items=tf.constant(items),
            chance=tf.constant(self._chances(items, len(users)), tf.float32),
            attributes=None if self._attributes is None else sparse_tensor(self._attributes[items]),
        )

    def _teacher_scores_of(self, users: NDArray[np.int64], part: csr_matrix) -> NDArray[np.float32] | None:
        if self._teacher_scores is not None:
            return self._teacher_scores[users]
        return None if self._teacher is None else _present(part) @ self._teacher

    def _sample(self, part: csr_matrix, rng: np.random.Generator) -> NDArray[np.int64]:
        """The items of a step, ascending: those of its users, and some drawn evenly."""
        drawn = rng.choice(part.shape[1], min(self.settings.negatives, part.shape[1]), replace=False)
        return np.union1d(part.indices, drawn)

    def _chances(self, items: NDArray[np.int64], users: int) -> NDArray[np.float64]:
        """The chance of each item to be in a step, as seen from one of its users: drawn, or had by another."""
        drawn = min(1.0, self.settings.negatives / self._targets.shape[1])
        return 1 - (1 - drawn) * (1 - self._shares[items]) ** (users - 1)

    def _train_step(self, batch: _Batch) -> tf.Tensor:
        hidden = tf.sparse.to_dense(batch.favorites, validate_indices=False) * _NEVER
        wanted = tf.sparse.to_dense(batch.wanted, validate_indices=False)
        if batch.chance is not None:  # a user's own items are always there
            hidden -= tf.where(wanted > 0, 0.0, tf.math.log(batch.chance))
        many = tf.reduce_sum(wanted, 1)
        target = tf.math.divide_no_nan(wanted, many[:, None])
        if batch.teacher is not None:
            taught = tf.nn.softmax(batch.teacher * self.settings.sharpness + hidden)
            target = (1 - self.settings.teacher) * target + self.settings.teacher * taught
        with tf.GradientTape() as tape:
            rows = self.model.rows(batch.items, batch.attributes)
            logits = self.model(batch.favorites, rows=rows, items=batch.items) + hidden
            each = tf.nn.softmax_cross_entropy_with_logits(target, logits)
            loss = tf.math.divide_no_nan(tf.reduce_sum(each * many), tf.reduce_sum(many))
            total = loss + self._penalty(batch, rows)
        self.optimizer.apply_gradients(zip(tape.gradient(total, self.variables), self.variables, strict=True))
        return loss

    def _penalty(self, batch: _Batch, rows: tf.Tensor) -> tf.Tensor:
        penalty = self.settings.l2 / 2 * tf.reduce_sum(rows * rows)
        if self.model.values is not None:
            own = self.model.own_parts(batch.items)
            penalty += self.settings.own_l2 / 2 * tf.reduce_sum(own * own)
        return penalty

    def _measure(self, loss: float) -> Epoch:
        measured = Epoch(loss, np.nan, np.nan)
        if self.held_out is not None:
            table, preference = self._table_and_preference()
            users = evaluate(PreferenceScorer(table, preference).in_8_bits(), self.held_out).users
            measured = Epoch(loss, float(users.recall.mean()), float(users.ndcg.mean()))
        best = max((epoch[-1] for epoch in self.progress.history), default=-np.inf)
        self.progress.history.append(list(measured))
        if not measured.ndcg < best:
            self.progress.best = [v.numpy() for v in self.variables]
            self.progress.best_epoch = self.progress.epochs_done
        return measured

    def _is_stale(self) -> bool:
        return self.progress.epochs_done - self.progress.best_epoch >= self.settings.patience

    def _fitted(self) -> PreferenceFitted:
        for variable, value in zip(self.variables, self.progress.best, strict=True):
            variable.assign(value)
        table, preference = self._table_and_preference()
        values = np.zeros((0, table.shape[1]), np.float32) if self.model.values is None else self.model.values.numpy()
        history = tuple(Epoch(*epoch) for epoch in self.progress.history)
        return PreferenceFitted(table, preference, values, history, self.progress.best_epoch)

    def _table_and_preference(self) -> tuple[NDArray[np.float32], Preference]:
        preference = Preference(self.model.bias.numpy(), self._negative_columns, self.settings.power)
        return self.model.rows().numpy(), preference

    def _all_variables(self) -> Sequence[tf.Variable]:
        return [*self.variables, *self.optimizer.variables, self.model.rounding]

    def _fingerprint(self) -> str:
        return fingerprint(self.settings, self._targets, self._attributes)


def fingerprint(settings: PreferenceSettings, *matrices: csr_matrix | None) -> str:
    """Another text for other settings or data."""
    digest = hashlib.sha256(repr(asdict(settings)).encode())
    for matrix in matrices:
        if matrix is not None:
            for part in (matrix.indptr, matrix.indices, matrix.data):
                digest.update(part.tobytes())
    return digest.hexdigest()


def target_weights(matrix: csr_matrix, settings: PreferenceSettings, timestamps: Timestamps | None) -> csr_matrix:
    """What each interaction counts as a target: csr float32 [users, items]."""
    weights = np.log1p(matrix.data) if settings.weights == "log" else np.ones(matrix.nnz)
    if settings.half_life:
        if timestamps is None:
            raise SettingsError(
                "--half-life needs timestamps, which the log lacks; add a column timestamp or leave it out"
            )
        weights *= 0.5 ** ((timestamps.max() - timestamps) / (_DAY * settings.half_life))
    return csr_matrix((weights.astype(np.float32), matrix.indices, matrix.indptr), matrix.shape)


def _hold_out(matrix: csr_matrix, settings: PreferenceSettings, timestamps: Timestamps | None) -> Split | None:
    """A split to choose the best epoch by; None where not wanted or where users are too few."""
    users, items = matrix.shape
    count = min(int(users * HELD_OUT_SHARE), MOST_HELD_OUT, _MOST_HELD_OUT_SCORES // items)
    if not settings.validation or count < 1:
        return None
    share = (count + 0.5) / users
    return strong_generalization(matrix, settings.seed, timestamps=timestamps, users_share=share)


def _vectors(start: Start, matrix: csr_matrix, attributes: csr_matrix | None) -> ValueVectors | None:
    if attributes is None:
        return None
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return ValueVectors(attributes, value_vectors(start.table, attributes, counts))


def _schedule(settings: PreferenceSettings, steps_per_epoch: int) -> Any:
    steps = settings.epochs * steps_per_epoch
    warm_up = min(_WARM_UP, steps // 2)
    return tf_keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else settings.learning_rate,
        steps - warm_up,
        warmup_target=settings.learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )


def _present(matrix: csr_matrix) -> csr_matrix:
    return csr_matrix((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)


def _where(matrix: csr_matrix, mask: NDArray[np.bool_]) -> csr_matrix:
    """The stored entries that `mask`, aligned with them, marks."""
    indptr = np.concatenate([[0], np.cumsum(mask)])[matrix.indptr]
    return csr_matrix((matrix.data[mask], matrix.indices[mask], indptr), matrix.shape)


def _log(writer: Any, epoch: int, measured: Epoch) -> None:
    with writer.as_default(step=epoch):
        for name, value in measured._asdict().items():
            tf.summary.scalar(name, value)
    writer.flush()
