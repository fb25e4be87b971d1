"""The one-hot encoding of a catalog: what an app without an embedding would store and compute with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_LAYER_UNITS = 64


@dataclass(frozen=True)
class Encoding:
    """What one way of encoding items costs.

    Attributes:
        bytes_stored: all vectors that similarity is computed with.
        bytes_per_input: one item as the input of a model.
        first_layer_weights: of a dense layer of FIRST_LAYER_UNITS units on one item, with the table where there is one.
        first_layer_multiplications: for one item through that layer.
    """

    name: str
    bytes_stored: int
    bytes_per_input: int
    first_layer_weights: int
    first_layer_multiplications: int


def encode_one_hot(rows: int, bits: int, name: str) -> Encoding:
    """One-hot vectors with `bits` bits a number: 32 for float32, 8 for int8, 1 for packed bits."""
    width = -(-rows * bits // 8)
    layer = rows * FIRST_LAYER_UNITS
    return Encoding(name, rows * width, width, layer, layer)


def encode_embedding(rows: int, dims: int, columns: int) -> Encoding:
    """An int8 table of `columns` bytes a row; an input is an int32 index."""
    layer = dims * FIRST_LAYER_UNITS
    return Encoding(f"embedding int8 x {dims}", rows * columns, 4, rows * dims + layer, layer)


class OneHotRanker:
    """Similarity by one-hot vectors: the dense product that a lookup avoids, over float32 [rows, rows]."""

    def __init__(self, rows: int) -> None:
        self.vectors = np.eye(rows, dtype=np.float32)

    def recommend(self, favorites: NDArray[np.int64], k: int) -> NDArray[np.int64]:
        """The k rows nearest to the mean of the favorites' vectors, without the favorites: all tie at cosine 0."""
        query = self.vectors[favorites].mean(axis=0)
        scores = self.vectors @ (query / np.linalg.norm(query))
        scores[favorites] = -np.inf
        best = np.argpartition(-scores, k)[:k]
        return best[np.argsort(-scores[best], kind="stable")]
