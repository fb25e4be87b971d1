"""The Keras model: an item's vector is made from its attributes and a part of its own, and must predict hidden ones.

A denoising autoencoder (Vincent et al., 2008) over sets of attribute values. Some values of each item are hidden; the
vector made from the others has to make them likely again, each among the values of its column. The encoder is a sum of
vectors, so that all of it folds into one table at the end, and a new item is placed by its attributes alone.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from training.inputs.attribute_features import Vocabulary


class ItemEncoder(tf_keras.layers.Layer):
    """Unit vectors from attribute values and, where items are known, a part of their own."""

    def __init__(self, items: int, vocabulary: Vocabulary, dims: int, seed: int) -> None:
        super().__init__(name="item_encoder")
        spread = tf_keras.initializers.RandomNormal(stddev=dims**-0.5, seed=seed)
        self.values = self.add_weight("values", (len(vocabulary), dims), initializer=spread)
        self.own = self.add_weight("own", (items, dims), initializer="zeros")
        self.column_gain = self.add_weight("column_gain", (len(vocabulary.columns),), initializer="ones")
        self.column_of = tf.constant(vocabulary.column_of)

    def call(self, indices: tf.Tensor, weights: tf.Tensor, items: tf.Tensor | None = None) -> tf.Tensor:
        """Unit vectors, float32 [batch, dims], from `indices`, `weights` [batch, longest] and item numbers [batch]."""
        gains = tf.gather(self.column_gain, tf.gather(self.column_of, indices)) * weights
        total = tf.reduce_sum(tf.gather(self.values, indices) * gains[..., None], axis=1)
        if items is not None:
            total += tf.gather(self.own, items)
        return tf.math.l2_normalize(total, axis=1)


class AttributeDecoder(tf_keras.layers.Layer):
    """Log-probabilities of attribute values, each within its column."""

    def __init__(self, vocabulary: Vocabulary, dims: int, seed: int) -> None:
        super().__init__(name="attribute_decoder")
        spread = tf_keras.initializers.RandomNormal(stddev=dims**-0.5, seed=seed + 1)
        self.directions = self.add_weight("directions", (len(vocabulary), dims), initializer=spread)
        self.bias = self.add_weight("bias", (len(vocabulary),), initializer="zeros")
        self.log_sharpness = self.add_weight("log_sharpness", (), initializer=tf.constant_initializer(np.log(8.0)))
        self.starts = vocabulary.starts
        self.column_of = tf.constant(vocabulary.column_of)

    def scores(self, vectors: tf.Tensor) -> tf.Tensor:
        """Unnormalized log-probabilities, float32 [batch, values]."""
        return tf.exp(self.log_sharpness) * tf.matmul(vectors, self.directions, transpose_b=True) + self.bias

    def call(self, vectors: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """The log-probability of each value in `indices`, float32 [batch, longest]."""
        scores = self.scores(vectors)
        ends = zip(self.starts, self.starts[1:], strict=False)
        totals = tf.stack([tf.reduce_logsumexp(scores[:, a:b], axis=1) for a, b in ends], axis=1)
        columns = tf.gather(self.column_of, indices)
        return tf.gather(scores, indices, batch_dims=1) - tf.gather(totals, columns, batch_dims=1)
