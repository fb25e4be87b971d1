"""What training by attributes aims at: likeness by attributes, and values hidden to be predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.by_attributes.baselines import compute_tf_idf
from training.inputs.attribute_features import Features, Vocabulary

HELD_OUT_SHARE = 0.1
MOST_RIVALS = 8192
_FEWEST_VALUES_TO_HOLD_OUT_FROM = 3


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


class LikenessTarget:
    """How alike items are by their attributes: the cosine of their TF-IDF vectors, columns weighted.

    A rare value says more than a common one; `column_weights` says which columns say more to people (1 where absent).
    """

    def __init__(self, features: Features, vocabulary: Vocabulary, column_weights: Mapping[str, float]) -> None:
        self.column_weights = column_weights
        self._vectors = compute_tf_idf(features, vocabulary, column_weights)
        small = len(features) <= MOST_RIVALS
        self._all = (self._vectors @ self._vectors.T).toarray() if small else None

    def between(self, items: NDArray[np.int64], rivals: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosines, float32 [items, rivals]; `rivals` are all items in order where the catalog is small."""
        if self._all is not None:
            return self._all[items]
        return (self._vectors[items] @ self._vectors[rivals].T).toarray()
