"""Results that do not repeat one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_runtime.scoring.integers import Rows

CANDIDATES_FOR_EACH = 5


def diversify(vectors: NDArray[np.float32], scores: NDArray[np.float32], k: int, share: float) -> Rows:
    """The positions of k of the candidates, chosen one by one by maximal marginal relevance.

    Each next one has the greatest `(1 - share) * score - share * likeness` to the most alike of those chosen
    before (Carbonell and Goldstein, 1998). At 0 the order of the scores is kept.

    Args:
        vectors: float32 [candidates, dims], of length about 1, best score first.
        scores: float32 [candidates].
        share: of unlikeness in the choice, from 0 to 1.
    """
    chosen: list[int] = []
    nearest = np.zeros(len(scores), np.float32)
    left = np.ones(len(scores), bool)
    while len(chosen) < min(k, len(scores)):
        gain = np.where(left, (1 - share) * scores - share * nearest, -np.inf)
        best = int(gain.argmax())
        chosen.append(best)
        left[best] = False
        likeness = vectors @ vectors[best]
        nearest = likeness if len(chosen) == 1 else np.maximum(nearest, likeness)
    return np.array(chosen, np.int64)
