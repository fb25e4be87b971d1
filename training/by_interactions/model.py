"""The Keras model of what people like: one table of items, read twice.

A user is the sum of the rows of the user's items, divided by a power of their number; its last columns change their
sign; an item's score is its row times that, and a bias. Where items have attributes, a row is the sum of their vectors
and a part of the item's own, so that rare items lean on their attributes and new ones are placed by them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from device_runtime.format.layout import LARGEST_ENTRY
from training.by_interactions.ease import Start
from training.by_interactions.scorer import signs


def make_sparse_tensor(matrix: csr_matrix) -> tf.SparseTensor:
    """The same as float32, with int64 indices sorted by row and column."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    indices = np.column_stack([rows, matrix.indices]).astype(np.int64)
    return tf.SparseTensor(indices, matrix.data.astype(np.float32), matrix.shape)


class ValueVectors(NamedTuple):
    """Attribute values of items: csr [items, values], what each counts, and float32 [values, dims] to start from."""

    weights: csr_matrix
    vectors: NDArray[np.float32]


class InteractionModel(tf_keras.Model):
    """Scores of items for users.

    Args:
        start: what it starts from.
        power: of the number of a user's items.
        attributes: None for a catalog without any.
    """

    def __init__(self, start: Start, power: float, attributes: ValueVectors | None = None) -> None:
        super().__init__(name="preferences")
        explained = 0.0 if attributes is None else attributes.weights @ attributes.vectors
        self.own = tf.Variable(start.table - explained, name="own", dtype=tf.float32)
        self.values = None if attributes is None else tf.Variable(attributes.vectors, name="values", dtype=tf.float32)
        self.bias = tf.Variable(start.bias, name="bias", dtype=tf.float32)
        self.rounding = tf.Variable([0.0, 0.0], trainable=False, name="rounding")
        self.signs = tf.constant(signs(start.table.shape[1], start.negative_columns))
        self.power = power
        self._weights = None if attributes is None else make_sparse_tensor(attributes.weights)

    def rows(self, items: tf.Tensor | None = None, attributes: tf.SparseTensor | None = None) -> tf.Tensor:
        """Rows of all items, or of some with their attributes: float32 [items, dims]."""
        own = self.own_parts(items)
        if self.values is None:
            return own
        weights = self._weights if attributes is None else attributes
        return own + tf.sparse.sparse_dense_matmul(weights, self.values)

    def own_parts(self, items: tf.Tensor | None = None) -> tf.Tensor:
        """What the attributes do not explain of the rows of all items, or of some: float32 [items, dims]."""
        return tf.convert_to_tensor(self.own) if items is None else tf.gather(self.own, items)

    def call(self, favorites: tf.SparseTensor, rows: tf.Tensor, items: tf.Tensor | None = None) -> tf.Tensor:
        """Scores, float32 [users, items], by the rows of `items`; `favorites` holds ones, [users, items]."""
        bias = tf.convert_to_tensor(self.bias) if items is None else tf.gather(self.bias, items)
        table = _rounded(rows, self.rounding[0])
        number = tf.maximum(tf.sparse.reduce_sum(favorites, 1, keepdims=True), 1.0)
        queries = tf.sparse.sparse_dense_matmul(favorites, table) * self.signs / number**self.power
        return tf.matmul(queries, table, transpose_b=True) + _rounded(bias, self.rounding[1])

    def round_from_now(self) -> None:
        """Makes `call` see table and bias as 8 bits hold them, in steps by what is largest in each now."""
        largest = [np.abs(weights.numpy()).max(initial=0) for weights in (self.rows(), self.bias)]
        self.rounding.assign(np.array(largest, np.float32) / LARGEST_ENTRY)


def _rounded(weights: tf.Tensor, step: tf.Tensor) -> Any:
    """The nearest multiples of `step`, gradients passing as if not rounded (Bengio et al., 2013); itself at step 0."""
    nearest = tf.round(tf.math.divide_no_nan(weights, step)) * step
    return tf.cond(step > 0, lambda: weights + tf.stop_gradient(nearest - weights), lambda: weights)
