"""The training loop: two objectives, a held-out measure, early stopping, and a resume after any stop.

The first objective keeps neighbors: the softmax of an item's cosines to the others follows the softmax of its attribute
likeness to them (stochastic neighbor embedding, Hinton and Roweis, 2002, on the sphere). The second predicts hidden
attribute values (see `training.by_attributes.model`).

Every random choice is a function of the seed and the step, never of what ran before, so a resumed run takes the same
steps as an undisturbed one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from tqdm import tqdm

from training.by_attributes.model import AttributeDecoder, ItemEncoder
from training.errors import SettingsError, TrainingError
from training.inputs.attribute_features import Features, Vocabulary
from training.inputs.triplets import tf_idf
from training.loop.checkpoint import Progress, load_checkpoint, save_checkpoint

HELD_OUT_SHARE = 0.1
MOST_RIVALS = 8192
_SHARPNESS = 20.0
_FEWEST_VALUES_TO_HOLD_OUT_FROM = 3


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        dims: numbers in a vector.
        hidden: the share of an item's values hidden at each step.
        temperature: of the softmax over attribute likeness; lower ones look at the nearest neighbors only.
        reconstruction: what predicting hidden values counts beside keeping neighbors.
        own_penalty: what keeps the part of an item's vector that its attributes do not explain small.
        patience: epochs without a better held-out measure before training stops.
    """

    dims: int = 16
    epochs: int = 40
    batch: int = 256
    learning_rate: float = 0.02
    hidden: float = 0.3
    temperature: float = 0.08
    reconstruction: float = 0.1
    own_penalty: float = 0.2
    patience: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("dims", 2, 1024),
            ("epochs", 1, 100_000),
            ("batch", 1, 1 << 20),
            ("patience", 1, 100_000),
            ("seed", 0, 200_000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value}; give a whole number from {low} to {high}")


@dataclass(frozen=True)
class Fitted:
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


@dataclass(frozen=True)
class HeldOut:
    """Values hidden from training: `visible` lacks them, `mask` [items, longest] marks them."""

    visible: Features
    mask: NDArray[np.bool_]


def hold_out(features: Features, seed: int) -> HeldOut:
    """Hides one value of a tenth of the items that have at least three."""
    rng = np.random.default_rng([seed, 1])
    present = features.indices > 0
    enough = present.sum(axis=1) >= _FEWEST_VALUES_TO_HOLD_OUT_FROM
    chosen = np.flatnonzero(enough & (rng.random(len(features)) < HELD_OUT_SHARE))
    mask = np.zeros(present.shape, bool)
    mask[chosen, np.where(present, rng.random(present.shape), -1).argmax(axis=1)[chosen]] = True
    visible = Features(np.where(mask, 0, features.indices), np.where(mask, 0, features.weights).astype(np.float32))
    return HeldOut(visible, mask)


class AttributeLikeness:
    """How alike items are by their attributes: the cosine of their TF-IDF vectors, columns weighted.

    A rare value says more than a common one; `column_weights` says which columns say more to people (1 where absent).
    """

    def __init__(self, features: Features, vocabulary: Vocabulary, column_weights: Mapping[str, float]) -> None:
        self.column_weights = column_weights
        self._vectors = tf_idf(features, vocabulary, column_weights)
        small = len(features) <= MOST_RIVALS
        self._all = (self._vectors @ self._vectors.T).toarray() if small else None

    def between(self, items: NDArray[np.int64], rivals: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosines, float32 [items, rivals]; `rivals` are all items in order where the catalog is small."""
        if self._all is not None:
            return self._all[items]
        return (self._vectors[items] @ self._vectors[rivals].T).toarray()


class Trainer:
    """One model in training. `run` trains and gives the model of the best held-out measure."""

    def __init__(
        self,
        features: Features,
        vocabulary: Vocabulary,
        settings: Settings,
        column_weights: Mapping[str, float] | None = None,
    ) -> None:
        tf_keras.utils.set_random_seed(settings.seed)
        self.settings = settings
        self.features = features
        self.vocabulary = vocabulary
        self.held_out = hold_out(features, settings.seed)
        self.encoder = ItemEncoder(len(features), vocabulary, settings.dims, settings.seed)
        self.decoder = AttributeDecoder(vocabulary, settings.dims, settings.seed)
        self.variables = [*self.encoder.trainable_variables, *self.decoder.trainable_variables]
        self.log_sharpness = tf.Variable(np.float32(np.log(_SHARPNESS)), name="neighbor_log_sharpness")
        self.variables.append(self.log_sharpness)
        steps = settings.epochs * self._steps_per_epoch()
        self.optimizer = tf_keras.optimizers.Adam(
            tf_keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(1, steps))
        )
        self.optimizer.build(self.variables)
        self.progress = Progress(best=[v.numpy() for v in self.variables])
        self._visible = (tf.constant(self.held_out.visible.indices), tf.constant(self.held_out.visible.weights))
        self._likeness = AttributeLikeness(self.held_out.visible, vocabulary, column_weights or {})
        self._step = tf.function(self._train_step, reduce_retracing=True, autograph=False)

    def run(self, checkpoint: Path | None = None, *, progress: bool = True) -> Fitted:
        """Trains until the held-out measure no longer improves, saving to `checkpoint` after each epoch."""
        with tqdm(
            total=self.settings.epochs,
            initial=self.progress.epochs_done,
            desc="training",
            unit="epoch",
            disable=not progress,
        ) as bar:
            while self.progress.epochs_done < self.settings.epochs and not self._is_stale():
                loss = self._epoch(self.progress.epochs_done)
                self.progress.epochs_done += 1
                self._measure()
                bar.set_postfix(
                    loss=f"{loss:.3f}", held_out=f"{self.progress.history[-1]:.3f}" if self.progress.history else "-"
                )
                bar.update()
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

    def _epoch(self, epoch: int) -> float:
        rng = np.random.default_rng([self.settings.seed, 2, epoch])
        losses = []
        for i, batch in enumerate(np.array_split(rng.permutation(len(self.features)), self._steps_per_epoch())):
            rivals = self._rivals(rng)
            likeness = self._likeness.between(batch, rivals)
            arguments = (tf.constant(part, tf.int32) for part in (batch, rivals, [epoch, i]))
            losses.append(self._step(*arguments, tf.constant(likeness)))
        loss = float(np.mean(losses))
        if not np.isfinite(loss):
            raise TrainingError(f"the loss became {loss} in epoch {epoch + 1}; check the catalog and its weights")
        return loss

    def _steps_per_epoch(self) -> int:
        return -(-len(self.features) // self.settings.batch)

    def _rivals(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The items that a step compares its batch with: all of them, or a sample of a large catalog."""
        count = len(self.features)
        return np.arange(count) if count <= MOST_RIVALS else rng.choice(count, MOST_RIVALS, replace=False)

    def _train_step(self, items: tf.Tensor, rivals: tf.Tensor, step: tf.Tensor, likeness: tf.Tensor) -> tf.Tensor:
        indices, weights = (tf.gather(array, items) for array in self._visible)
        shape = tf.shape(indices)
        keep = tf.random.stateless_uniform(shape, step + self.settings.seed * 7919) >= self.settings.hidden
        owned = tf.random.stateless_uniform(shape[:1], step + self.settings.seed * 7919 + 1_000_003) < 0.5
        with tf.GradientTape() as tape:
            with_own = self.encoder(indices, weights * tf.cast(keep, tf.float32), items)
            without = self.encoder(indices, weights * tf.cast(keep, tf.float32))
            vectors = tf.where(owned[:, None], with_own, without)
            likelihood = tf.reduce_sum(self.decoder(vectors, indices) * weights, axis=1)
            own = tf.gather(self.encoder.own, items)
            loss = (
                self._neighbor_loss(items, rivals, likeness)
                - self.settings.reconstruction * tf.reduce_mean(likelihood)
                + self.settings.own_penalty * tf.reduce_mean(tf.reduce_sum(own * own, 1))
            )
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=True))
        return loss

    def _neighbor_loss(self, items: tf.Tensor, rivals: tf.Tensor, likeness: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of the softmax over rivals by attribute likeness and by cosine, an item itself left out."""
        indices, weights = self._visible
        vectors = self.encoder(tf.gather(indices, items), tf.gather(weights, items), items)
        others = self.encoder(tf.gather(indices, rivals), tf.gather(weights, rivals), rivals)
        itself = tf.where(items[:, None] == rivals[None], -1e9, 0.0)
        wanted = tf.nn.softmax(likeness / self.settings.temperature + itself)
        scores = tf.exp(self.log_sharpness) * tf.matmul(vectors, others, transpose_b=True) + itself
        return -tf.reduce_mean(tf.reduce_sum(wanted * tf.nn.log_softmax(scores), axis=1))

    def _measure(self) -> None:
        if not self.held_out.mask.any():
            self.progress.best, self.progress.best_epoch = (
                [v.numpy() for v in self.variables],
                self.progress.epochs_done,
            )
            return
        self.progress.history.append(self._held_out_rank())
        if self.progress.history[-1] >= max(self.progress.history):
            self.progress.best, self.progress.best_epoch = (
                [v.numpy() for v in self.variables],
                self.progress.epochs_done,
            )

    def _held_out_rank(self) -> float:
        """Mean reciprocal rank of held-out values within their column, the visible ones left out."""
        visible = self.held_out.visible
        items, places = np.nonzero(self.held_out.mask)
        scores = self.decoder.scores(
            self.encoder(visible.indices, visible.weights, np.arange(len(self.features)))
        ).numpy()
        np.put_along_axis(scores, visible.indices, -np.inf, axis=1)
        wanted = self.features.indices[items, places]
        columns = self.vocabulary.column_of[wanted]
        better = np.zeros(len(items))
        for column, (start, end) in enumerate(zip(self.vocabulary.starts, self.vocabulary.starts[1:], strict=False)):
            chosen = columns == column
            rivals = scores[items[chosen], start:end]
            better[chosen] = (rivals > scores[items[chosen], wanted[chosen]][:, None]).sum(axis=1)
        return float(np.mean(1 / (1 + better)))

    def _is_stale(self) -> bool:
        return (
            bool(self.progress.history)
            and self.progress.epochs_done - self.progress.best_epoch >= self.settings.patience
        )

    def _fitted(self) -> Fitted:
        for variable, value in zip(self.variables, self.progress.best, strict=True):
            variable.assign(value)
        table = self.encoder(self.features.indices, self.features.weights, np.arange(len(self.features))).numpy()
        gains = np.take(self.encoder.column_gain.numpy(), self.vocabulary.column_of)
        values = self.encoder.values.numpy() * gains[:, None]
        values[0] = 0
        return Fitted(table, values.astype(np.float32), tuple(self.progress.history), self.progress.best_epoch)

    def _all_variables(self) -> Sequence[tf.Variable]:
        return [*self.variables, *self.optimizer.variables]

    def _fingerprint(self) -> str:
        weights = self._likeness.column_weights
        digest = hashlib.sha256(repr((asdict(self.settings), self.vocabulary, sorted(weights.items()))).encode())
        digest.update(self.features.indices.tobytes())
        return digest.hexdigest()
