"""Training by attributes: three objectives, and held-out values to measure by.

The first objective keeps neighbors: the softmax of an item's cosines to the others follows the softmax of its attribute
likeness to them (stochastic neighbor embedding, Hinton and Roweis, 2002, on the sphere). The second keeps the scale of
all cosines, near and far: the square of what each differs from the likeness by (the stress of metric multidimensional
scaling, Kruskal, 1964), so that items without anything in common have a cosine near 0 in every catalog. The third
predicts hidden attribute values (see `training.by_attributes.model`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from training.by_attributes.model import AttributeDecoder, ItemEncoder
from training.by_attributes.settings import AttributeSettings
from training.by_attributes.targets import MOST_RIVALS, LikenessTarget, hold_out
from training.inputs.attribute_features import Features, Vocabulary
from training.loop.checkpoint import compute_fingerprint
from training.loop.run import TrainingRun

_SHARPNESS = 20.0  # of the cosines at first, before their softmax; it is trained
_SEED_STEP = 7919  # seeds lie so far apart that the steps of two of them draw different numbers
_OWN_DRAW = 1_000_003  # tells the draw of who has an own part from that of hidden values


class AttributeEpoch(NamedTuple):
    """What is known after an epoch; the mean reciprocal rank of held-out values, NaN where there are none."""

    loss: float
    held_out: float


@dataclass(frozen=True)
class FittedAttributes:
    """A trained model.

    Attributes:
        table: float32 [items, dims], unit rows, each made from all values of its item and its own part.
        values: float32 [values + 1, dims]; the sum of those of an item, weighted as `featurize` does, points to it.
        history: held-out mean reciprocal rank after each epoch; empty where too few values could be held out.
    """

    table: NDArray[np.float32]
    values: NDArray[np.float32]
    history: tuple[float, ...]
    best_epoch: int


class AttributeTrainer(TrainingRun[FittedAttributes]):
    """One model in training.

    Args:
        column_weights: what each column counts in the likeness of items, 1 where absent.
    """

    remedy = "check the catalog and its weights"

    def __init__(
        self,
        features: Features,
        vocabulary: Vocabulary,
        settings: AttributeSettings,
        column_weights: Mapping[str, float] | None = None,
    ) -> None:
        tf_keras.utils.set_random_seed(settings.seed)
        self.settings = settings
        self.features = features
        self.vocabulary = vocabulary
        self.held_out = hold_out(features, settings.seed)
        self.encoder = ItemEncoder(len(features), vocabulary, settings.dims, settings.seed)
        self.decoder = AttributeDecoder(vocabulary, settings.dims, settings.seed)
        self.log_sharpness = tf.Variable(np.float32(np.log(_SHARPNESS)), name="neighbor_log_sharpness")
        variables = [*self.encoder.trainable_variables, *self.decoder.trainable_variables, self.log_sharpness]
        steps = settings.epochs * self._steps_per_epoch()
        self.optimizer = tf_keras.optimizers.Adam(
            tf_keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(1, steps))
        )
        self.optimizer.build(variables)
        super().__init__(settings, variables, self.optimizer.variables)
        self._visible = (tf.constant(self.held_out.visible.indices), tf.constant(self.held_out.visible.weights))
        self._likeness = LikenessTarget(self.held_out.visible, vocabulary, column_weights or {})
        self._step = tf.function(self._train_step, reduce_retracing=True, autograph=False)

    def train_epoch(self, epoch: int) -> float:
        """See `TrainingRun.train_epoch`."""
        rng = np.random.default_rng([self.settings.seed, 2, epoch])
        losses = []
        for i, batch in enumerate(np.array_split(rng.permutation(len(self.features)), self._steps_per_epoch())):
            rivals = self._rivals(rng)
            likeness = self._likeness.between(batch, rivals)
            arguments = (tf.constant(part, tf.int32) for part in (batch, rivals, [epoch, i]))
            losses.append(self._step(*arguments, tf.constant(likeness)))
        return float(np.mean(losses))

    def measure(self, loss: float) -> AttributeEpoch:
        """See `TrainingRun.measure`."""
        return AttributeEpoch(loss, self._held_out_rank() if self.held_out.mask.any() else np.nan)

    def result(self) -> FittedAttributes:
        """See `TrainingRun.result`."""
        table = self.encoder(self.features.indices, self.features.weights, np.arange(len(self.features))).numpy()
        gains = np.take(self.encoder.column_gain.numpy(), self.vocabulary.column_of)
        values = self.encoder.values.numpy() * gains[:, None]
        values[0] = 0
        history = tuple(epoch[-1] for epoch in self.progress.history if not np.isnan(epoch[-1]))
        return FittedAttributes(table, values.astype(np.float32), history, self.progress.best_epoch)

    def fingerprint(self) -> str:
        """See `TrainingRun.fingerprint`."""
        weights = sorted(self._likeness.column_weights.items())
        return compute_fingerprint(self.settings, self.vocabulary, weights, self.features.indices)

    def _steps_per_epoch(self) -> int:
        return -(-len(self.features) // self.settings.batch)

    def _rivals(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The items that a step compares its batch with: all of them, or a sample of a large catalog."""
        count = len(self.features)
        return np.arange(count) if count <= MOST_RIVALS else rng.choice(count, MOST_RIVALS, replace=False)

    def _train_step(self, items: tf.Tensor, rivals: tf.Tensor, step: tf.Tensor, likeness: tf.Tensor) -> tf.Tensor:
        indices, weights = (tf.gather(array, items) for array in self._visible)
        shape, seed = tf.shape(indices), step + self.settings.seed * _SEED_STEP
        keep = tf.random.stateless_uniform(shape, seed) >= self.settings.hidden
        owned = tf.random.stateless_uniform(shape[:1], seed + _OWN_DRAW) < 0.5
        with tf.GradientTape() as tape:
            with_own = self.encoder(indices, weights * tf.cast(keep, tf.float32), items)
            without = self.encoder(indices, weights * tf.cast(keep, tf.float32))
            vectors = tf.where(owned[:, None], with_own, without)
            likelihood = tf.reduce_sum(self.decoder(vectors, indices) * weights, axis=1)
            own = tf.gather(self.encoder.own, items)
            loss = (
                self._likeness_loss(items, rivals, likeness)
                - self.settings.reconstruction * tf.reduce_mean(likelihood)
                + self.settings.own_penalty * tf.reduce_mean(tf.reduce_sum(own * own, 1))
            )
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=True))
        return loss

    def _likeness_loss(self, items: tf.Tensor, rivals: tf.Tensor, likeness: tf.Tensor) -> tf.Tensor:
        """Of cosines to rivals: cross-entropy with the softmax of likeness, an item itself left out, and stress."""
        indices, weights = self._visible
        vectors = self.encoder(tf.gather(indices, items), tf.gather(weights, items), items)
        others = self.encoder(tf.gather(indices, rivals), tf.gather(weights, rivals), rivals)
        itself = tf.where(items[:, None] == rivals[None], -1e9, 0.0)
        target = tf.nn.softmax(likeness / self.settings.temperature + itself)
        cosines = tf.matmul(vectors, others, transpose_b=True)
        scores = tf.exp(self.log_sharpness) * cosines + itself
        neighbors = -tf.reduce_mean(tf.reduce_sum(target * tf.nn.log_softmax(scores), axis=1))
        return neighbors + self.settings.stress * tf.reduce_mean(tf.square(cosines - likeness))

    def encode_visible(self) -> NDArray[np.float32]:
        """The vectors of what is not held out: float32 [items, dims]."""
        visible = self.held_out.visible
        return self.encoder(visible.indices, visible.weights, np.arange(len(self.features))).numpy()

    def _held_out_rank(self) -> float:
        """Mean reciprocal rank of held-out values within their column, the visible ones left out."""
        visible = self.held_out.visible
        items, places = np.nonzero(self.held_out.mask)
        scores = self.decoder.scores(self.encode_visible()).numpy()
        np.put_along_axis(scores, visible.indices, -np.inf, axis=1)
        hidden = self.features.indices[items, places]
        columns = self.vocabulary.column_of[hidden]
        better = np.zeros(len(items))
        for column, (start, end) in enumerate(zip(self.vocabulary.starts, self.vocabulary.starts[1:], strict=False)):
            chosen = columns == column
            rivals = scores[items[chosen], start:end]
            better[chosen] = (rivals > scores[items[chosen], hidden[chosen]][:, None]).sum(axis=1)
        return float(np.mean(1 / (1 + better)))
