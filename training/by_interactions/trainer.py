"""Learns from what people like: some items of each user are hidden and must be predicted from the others.

The loss is the cross-entropy of the softmax over the catalog with the hidden items (as Liang et al., 2018, for a
variational autoencoder), mixed with the scores of EASE as a teacher (distillation, Hinton et al., 2015). Of a large
catalog (`training.by_interactions.batches.MOST_SOFTMAX_ITEMS`), a step sees the items of its users and a sample of the
others, each counting by the inverse of its chance to be among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.by_interactions.batches import Batch, Batches
from training.by_interactions.ease import Start, compute_start, fit_value_vectors
from training.by_interactions.model import InteractionModel, ValueVectors
from training.by_interactions.scorer import InteractionScorer
from training.by_interactions.settings import InteractionSettings
from training.errors import SettingsError
from training.evaluation.ranking import evaluate
from training.evaluation.splits import Split, Timestamps, hold_out_users
from training.loop.checkpoint import compute_fingerprint
from training.loop.run import TrainingRun
from training.loop.workers import get_worker
from training.trained import Preference

HELD_OUT_SHARE = 0.05
MOST_HELD_OUT = 2000
_MOST_HELD_OUT_SCORES = 100_000_000
_WARM_UP = 20  # steps in which the learning rate rises to its highest
_DAY = 86_400
_NEVER = -1e9  # as a logit; infinity would make gradients of 0 into NaN


class InteractionEpoch(NamedTuple):
    """What is known after an epoch; recall@10 and NDCG@10 of held-out users in 8 bits, NaN where there are none."""

    loss: float
    recall: float
    ndcg: float


@dataclass(frozen=True)
class FittedInteractions:
    """A trained model.

    Attributes:
        table: float32 [items, dims].
        values: float32 [values, dims], whose sum by an item's attributes is the part of its row they explain.
    """

    table: NDArray[np.float32]
    preference: Preference
    values: NDArray[np.float32]
    history: tuple[InteractionEpoch, ...]
    best_epoch: int

    @property
    def scorer(self) -> InteractionScorer:
        """What ranks items for users."""
        return InteractionScorer(self.table, self.preference)


class InteractionTrainer(TrainingRun[FittedInteractions]):
    """One model in training; the measure is NDCG@10 of held-out users in 8 bits.

    Args:
        matrix: csr [users, items]; stored entries are what a user likes, their values weights.
        timestamps: int64 in seconds, aligned with `matrix.data`.
        attributes: csr [items, values], what each value counts.
        strategy: how to share the work (see `training.loop.workers`); each worker is given the same data.
    """

    remedy = "give a lower --learning-rate"

    def __init__(
        self,
        matrix: csr_matrix,
        settings: InteractionSettings,
        *,
        timestamps: Timestamps | None = None,
        attributes: csr_matrix | None = None,
        strategy: tf.distribute.Strategy | None = None,
    ) -> None:
        tf_keras.utils.set_random_seed(settings.seed)
        self.settings = settings
        self.held_out = _hold_out(matrix, settings, timestamps)
        train, times = matrix, timestamps
        if self.held_out is not None:
            train, times = self.held_out.train, self.held_out.train_timestamps
        start = compute_start(train, settings)
        self._negative_columns = start.negative_columns
        attributes = None if attributes is None else csr_matrix(attributes * np.float32(settings.attribute_share))
        self._attributes = attributes
        strategy = strategy or tf.distribute.get_strategy()
        targets = weigh_targets(train, settings, times)
        self.batches = Batches(targets, settings, attributes, start.teacher, get_worker(strategy))
        with strategy.scope():
            self.model = InteractionModel(start, settings.power, _vectors(start, train, attributes))
            variables = self.model.trainable_variables
            self.optimizer = tf_keras.optimizers.Adam(_schedule(settings, self.batches.steps))
            self.optimizer.build(variables)
        super().__init__(settings, variables, [*self.optimizer.variables, self.model.rounding], strategy)
        self.step = tf.function(self._run_step, reduce_retracing=True, autograph=False)

    def train_epoch(self, epoch: int) -> float:
        """See `TrainingRun.train_epoch`."""
        if epoch >= self.settings.epochs - self.settings.aware_epochs:
            self.model.round_from_now()
        return float(np.mean([self.step(batch) for batch in self.batches.of_epoch(epoch)]))

    def measure(self, loss: float) -> InteractionEpoch:
        """See `TrainingRun.measure`."""
        if self.held_out is None:
            return InteractionEpoch(loss, np.nan, np.nan)
        users = evaluate(self._scorer().in_8_bits(), self.held_out).users
        return InteractionEpoch(loss, float(users.recall.mean()), float(users.ndcg.mean()))

    def result(self) -> FittedInteractions:
        """See `TrainingRun.result`."""
        scorer = self._scorer()
        values = np.zeros((0, scorer.table.shape[1]), np.float32)
        if self.model.values is not None:
            values = self.model.values.numpy() * np.float32(self.settings.attribute_share)
        history = tuple(InteractionEpoch(*epoch) for epoch in self.progress.history)
        return FittedInteractions(scorer.table, scorer.preference, values, history, self.progress.best_epoch)

    def fingerprint(self) -> str:
        """See `TrainingRun.fingerprint`."""
        return compute_fingerprint(self.settings, self.batches.targets, self._attributes)

    def _run_step(self, batch: Batch) -> tf.Tensor:
        return self._strategy.reduce("sum", self._strategy.run(self._train_step, (batch,)), axis=None)

    def _train_step(self, batch: Batch) -> tf.Tensor:
        """One step of this worker's users; gives its part of the loss."""
        replica = tf.distribute.get_replica_context()
        hidden = tf.sparse.to_dense(batch.favorites, validate_indices=False) * _NEVER
        wanted = tf.sparse.to_dense(batch.wanted, validate_indices=False)
        if batch.chance is not None:  # a user's own items are always there
            hidden -= tf.where(wanted > 0, 0.0, tf.math.log(batch.chance))
        many = tf.reduce_sum(wanted, 1)
        all_wanted = replica.all_reduce("sum", tf.reduce_sum(many))
        target = tf.math.divide_no_nan(wanted, many[:, None])
        if batch.teacher is not None:
            taught = tf.nn.softmax(batch.teacher * self.settings.sharpness + hidden)
            target = (1 - self.settings.teacher) * target + self.settings.teacher * taught
        with tf.GradientTape() as tape:
            rows = self.model.rows(batch.items, batch.attributes)
            logits = self.model(batch.favorites, rows=rows, items=batch.items) + hidden
            each = tf.nn.softmax_cross_entropy_with_logits(target, logits)
            loss = tf.math.divide_no_nan(tf.reduce_sum(each * many), all_wanted)
            total = loss + self._penalty(batch, rows) / replica.num_replicas_in_sync
        self.optimizer.apply_gradients(zip(tape.gradient(total, self.variables), self.variables, strict=True))
        return loss

    def _penalty(self, batch: Batch, rows: tf.Tensor) -> tf.Tensor:
        penalty = self.settings.l2 / 2 * tf.reduce_sum(rows * rows)
        if self.model.values is not None:
            own = self.model.own_parts(batch.items)
            penalty += self.settings.own_l2 / 2 * tf.reduce_sum(own * own)
        return penalty

    def _scorer(self) -> InteractionScorer:
        preference = Preference(self.model.bias.numpy(), self._negative_columns, self.settings.power)
        return InteractionScorer(self.model.rows().numpy(), preference)


def weigh_targets(matrix: csr_matrix, settings: InteractionSettings, timestamps: Timestamps | None) -> csr_matrix:
    """What each interaction counts as a target: csr float32 [users, items]."""
    weights = np.log1p(matrix.data) if settings.weights == "log" else np.ones(matrix.nnz)
    if settings.half_life:
        if timestamps is None:
            raise SettingsError(
                "--half-life needs timestamps, which the log lacks; add a column timestamp or leave it out"
            )
        weights *= 0.5 ** ((timestamps.max() - timestamps) / (_DAY * settings.half_life))
    return csr_matrix((weights.astype(np.float32), matrix.indices, matrix.indptr), matrix.shape)


def _hold_out(matrix: csr_matrix, settings: InteractionSettings, timestamps: Timestamps | None) -> Split | None:
    """A split to choose the best epoch by; None where not wanted or where users are too few."""
    users, items = matrix.shape
    count = min(int(users * HELD_OUT_SHARE), MOST_HELD_OUT, _MOST_HELD_OUT_SCORES // items)
    if not settings.validation or count < 1:
        return None
    share = (count + 0.5) / users
    return hold_out_users(matrix, settings.seed, timestamps=timestamps, users_share=share)


def _vectors(start: Start, matrix: csr_matrix, attributes: csr_matrix | None) -> ValueVectors | None:
    if attributes is None:
        return None
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return ValueVectors(attributes, fit_value_vectors(start.table, attributes, counts))


def _schedule(settings: InteractionSettings, steps_per_epoch: int) -> Any:
    steps = settings.epochs * steps_per_epoch
    warm_up = min(_WARM_UP, steps // 2)
    return tf_keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else settings.learning_rate,
        steps - warm_up,
        warmup_target=settings.learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )
