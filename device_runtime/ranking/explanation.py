"""Why an item comes back."""

from __future__ import annotations

import numpy as np

from device_runtime.errors import NoFavoritesError
from device_runtime.items.items import Items, names_of
from device_runtime.ranking.dislikes import compute_loss
from device_runtime.ranking.likes import Likes
from device_runtime.ranking.question import Question
from device_runtime.results import Contribution, Explanation, SharedValue


def explain(items: Items, question: Question, row: int) -> Explanation:
    """What each favorite contributes to the score of `row`, and the attribute values they share.

    A score is the dot product of the row and the weighted sum of the favorites of the taste that it answers best, so it
    is the sum of one part for each of these, less what dislikes take away; and in a model of what people like, of the
    bias of the row.

    Raises:
        NoFavoritesError: nothing is liked.
    """
    if not question.tastes:
        raise NoFavoritesError("no favorites were given; name at least one item that is liked, with a weight above 0")
    likes = question.likes
    scores = question.score(items, np.array([row]))[:, 0]
    best = int(scores.argmax())
    return Explanation(
        items.ids[row],
        items.names[row],
        float(scores[best]),
        _contributions(items, question, best, row),
        _shared(items, row, likes),
    )


def _contributions(items: Items, question: Question, best: int, row: int) -> tuple[Contribution, ...]:
    likes, scale, taste = question.likes, items.model.manifest.scale, question.tastes[best]
    vector, vectors = items.vectors(np.array([row])), likes.vectors(items)
    weights = np.ones(len(vectors)) if likes.weights is None else likes.weights
    directions = items.objective.parts(vectors).astype(np.float64)
    products = directions @ vector[0].astype(np.float64)
    of_taste = np.isin(np.arange(len(vectors)), taste.members)
    parts = np.where(of_taste, weights / weights.max() * products, 0.0)
    parts *= scale / np.linalg.norm((weights / weights.max())[of_taste] @ directions[of_taste])
    if question.dislikes:
        loss = compute_loss(items, question.dislikes, vector)[:, 0]
        parts[weights < 0] = -loss * scale / np.linalg.norm(taste.query[: directions.shape[1]].astype(np.float64))
    cosines = products * scale / np.linalg.norm(directions, axis=1)
    shares = parts / max(np.abs(parts).sum(), np.finfo(float).tiny)
    ids = [*(items.ids[row] for row in likes.rows.tolist()), *(family.id for family in likes.families)]
    columns = (weights.tolist(), cosines.tolist(), parts.tolist(), shares.tolist())
    found = map(Contribution, ids, likes.labels(items), *columns)
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
