"""Why an item comes back."""

from __future__ import annotations

import numpy as np

from device_runtime.items.items import Items, names_of
from device_runtime.ranking.likes import Likes, sum_likes
from device_runtime.results import Contribution, Explanation, SharedValue
from device_runtime.scoring.integers import Rows
from device_runtime.scoring.scan import score_rows


def explain(items: Items, likes: Likes, row: int) -> Explanation:
    """What each favorite contributes to the score of `row`, and the attribute values they share.

    A score is the dot product of the row and the weighted sum of the favorites' rows, so it is the sum of one part for
    each favorite; in a model of what people like, and of the bias of the row.
    """
    vector = items.vectors(np.array([row]))
    query = sum_likes(items, likes)
    score = items.objective.cosines(score_rows(vector, query), query)[0]
    return Explanation(
        items.ids[row],
        items.names[row],
        float(score),
        _contributions(items, likes, vector[0].astype(np.int64)),
        _shared(items, row, likes),
    )


def _contributions(items: Items, likes: Likes, vector: Rows) -> tuple[Contribution, ...]:
    scale = items.model.manifest.scale
    favorites = items.objective.parts(likes.vectors(items)).astype(np.float64)
    weights = np.ones(len(favorites)) if likes.weights is None else likes.weights
    relative = weights / np.abs(weights).max()
    products = favorites @ vector
    parts = relative * products * scale / np.linalg.norm(relative @ favorites)
    cosines = products * scale / np.linalg.norm(favorites, axis=1)
    shares = parts / max(np.abs(parts).sum(), np.finfo(float).tiny)
    names = likes.labels(items)
    ids = [*(items.ids[row] for row in likes.rows.tolist()), *(family.id for family in likes.families)]
    found = map(Contribution, ids, names, weights.tolist(), cosines.tolist(), parts.tolist(), shares.tolist())
    return tuple(sorted(found, key=lambda contribution: -contribution.part))


def _shared(items: Items, row: int, likes: Likes) -> tuple[SharedValue, ...]:
    """The values of kinds that are liked, then those in common with items that are."""
    count = len(likes.rows)
    liked = np.ones(count + len(likes.families), bool) if likes.weights is None else likes.weights > 0
    kinds = [family for family, is_liked in zip(likes.families, liked[count:], strict=True) if is_liked]
    own = items.attributes.of(row) if kinds else {}
    found = {(kind.attribute, kind.value): [kind.id] for kind in kinds if kind.value in own.get(kind.attribute, ())}
    for attribute, value, both in items.attributes.shared(row, likes.rows[liked[:count]].tolist()):
        found.setdefault((attribute, value), []).extend(names_of(items, both))
    return tuple(SharedValue(attribute, value, tuple(names)) for (attribute, value), names in found.items())
