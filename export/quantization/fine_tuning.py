"""Quantization-aware fine-tuning: the rounding is in the loop, so that rows learn to keep their neighbors all the same.

The table becomes the weights of a Keras Embedding wrapped by tensorflow-model-optimization, whose rounding passes
gradients straight through (Jacob et al., 2018). The float table teaches: the softmax of an item's cosines to the others
by rounded rows follows the softmax by float rows (distillation, Hinton et al., 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from tensorflow_model_optimization.python.core.quantization.keras.quantize_wrapper import QuantizeWrapperV2
from tensorflow_model_optimization.quantization.keras import QuantizeConfig
from tensorflow_model_optimization.quantization.keras.quantizers import LastValueQuantizer
from tqdm import tqdm

from export.table import LARGEST_ENTRIES, QuantizedTable, normalize_rows

EPOCHS = 20
_FEWEST_STEPS = 400
_MOST_STEPS = 1000
_BATCH = 250
_MOST_RIVALS = 8192
_TEMPERATURE = 0.03
_LEARNING_RATE = 0.005
_LEARNING_RATE_OF_SMALL_CHANGES = 0.001
_CLIP_IN_DEVIATIONS = 1.4


def fine_tune(
    start: NDArray[np.float32],
    teacher: NDArray[np.float32],
    bits: int,
    *,
    seed: int = 0,
    progress: bool = True,
) -> QuantizedTable:
    """Integer rows that start as unit rows `start` [items, dims] and learn the neighbors of `teacher` [items, width].

    At 4 bits entries are cut off at 1.4 standard deviations, which leaves finer steps to the others. Repeats itself on
    the same machine and versions.
    """
    tuner = _Tuner(normalize_rows(start), normalize_rows(teacher), bits, seed)
    steps = min(_MOST_STEPS, max(_FEWEST_STEPS, EPOCHS * -(-len(start) // _BATCH)))
    tuner.run(steps, progress)
    return QuantizedTable.from_rows(tuner.rounded(), bits)


class _WeightsOnly(QuantizeConfig):
    """Rounds the weights of an Embedding: one symmetric range for the table."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.quantizer = LastValueQuantizer(num_bits=bits, per_axis=False, symmetric=True, narrow_range=True)

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        return [(layer.embeddings, self.quantizer)]

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        layer.embeddings = quantize_weights[0]

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:  # noqa: ARG002 - the interface is the library's
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None: ...

    def get_output_quantizers(self, layer: Any) -> list[Any]:  # noqa: ARG002
        return []

    def get_config(self) -> dict[str, int]:
        return {"bits": self.bits}


class _Tuner:
    def __init__(self, units: NDArray[np.float32], teacher: NDArray[np.float32], bits: int, seed: int) -> None:
        tf_keras.utils.set_random_seed(seed)
        self.bits, self.seed, self.count = bits, seed, len(units)
        small_changes = bits == 8 and units.shape == teacher.shape
        self.learning_rate = _LEARNING_RATE_OF_SMALL_CHANGES if small_changes else _LEARNING_RATE
        greatest = float(np.abs(units).max())
        self.clip = min(greatest, _CLIP_IN_DEVIATIONS / units.shape[1] ** 0.5) if bits == 4 else greatest
        self.layer = QuantizeWrapperV2(tf_keras.layers.Embedding(*units.shape), _WeightsOnly(bits))
        self.layer(tf.zeros((1,), tf.int32))
        (self.weights,) = self.layer.trainable_variables
        self.weights.assign(np.clip(units, -self.clip, self.clip))
        self.teacher = tf.constant(teacher)

    def run(self, steps: int, progress: bool) -> None:
        schedule = tf_keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        optimizer = tf_keras.optimizers.Adam(schedule)
        optimizer.build([self.weights])

        def step(items: tf.Tensor, rivals: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                loss = self._loss(items, rivals)
            gradient = tf.convert_to_tensor(tape.gradient(loss, self.weights))
            optimizer.apply_gradients([(gradient, self.weights)])
            self.weights.assign(tf.clip_by_value(self.weights, -self.clip, self.clip))

        compiled = tf.function(step, reduce_retracing=True, autograph=False)
        rng = np.random.default_rng(self.seed)
        queue = np.empty(0, np.int64)
        for _ in tqdm(range(steps), desc=f"fine-tuning at {self.bits} bits", unit="step", disable=not progress):
            if not len(queue):
                queue = rng.permutation(self.count)
            items, queue = queue[:_BATCH], queue[_BATCH:]
            compiled(tf.constant(items, tf.int32), tf.constant(self._rivals(rng), tf.int32))

    def rounded(self) -> NDArray[np.int8]:
        weights = self.weights.numpy()
        step = np.abs(weights).max() / LARGEST_ENTRIES[self.bits]
        return np.rint(weights / step).astype(np.int8)

    def _rivals(self, rng: np.random.Generator) -> NDArray[np.int64]:
        if self.count <= _MOST_RIVALS:
            return np.arange(self.count)
        return rng.choice(self.count, _MOST_RIVALS, replace=False)

    def _loss(self, items: tf.Tensor, rivals: tf.Tensor) -> tf.Tensor:
        itself = tf.where(items[:, None] == rivals[None], -1e9, 0.0)
        taught = tf.matmul(tf.gather(self.teacher, items), tf.gather(self.teacher, rivals), transpose_b=True)
        rounded = self.layer(tf.concat([items, rivals], 0), training=True)
        count = tf.shape(items)[0]
        scores = tf.matmul(rounded[:count], rounded[count:], transpose_b=True)
        wanted = tf.nn.softmax(taught / _TEMPERATURE + itself)
        return -tf.reduce_mean(tf.reduce_sum(wanted * tf.nn.log_softmax(scores / _TEMPERATURE + itself), axis=1))
