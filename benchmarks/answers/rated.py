"""A generated log of ratings, in the shape of those of movies: what low ratings say of a person, used or left out.

Items belong to genres and within them to kinds. A person likes some kinds and dislikes others, mostly of genres of
which they like something too, and also rates what is popular whatever its kind. Ratings of 4 and 5 are trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

GENRES, KINDS_OF_A_GENRE, ITEMS_OF_A_KIND = 12, 5, 20
USERS, RATINGS = 4_000, 60
_LIKED, _DISLIKED = 4, 3  # kinds of a person
_SHARES = (0.5, 0.2, 0.3)  # of ratings: of liked kinds, of disliked ones, of anything popular
LEAST_LIKED, MOST_DISLIKED = 4, 2


@dataclass(frozen=True)
class RatedLog:
    """Ratings, 1 to 5, int8 [users, items], 0 where there is none."""

    ratings: NDArray[np.int8]

    @property
    def items(self) -> tuple[str, ...]:
        """The id of each item."""
        return tuple(f"i{item:04}" for item in range(self.ratings.shape[1]))

    def liked(self) -> csr_matrix:
        """The ratings that count as likes: float32 [users, items]."""
        return csr_matrix((self.ratings >= LEAST_LIKED).astype(np.float32))

    def disliked(self, user: int) -> list[str]:
        """The items that a user rated low, the least liked first."""
        of_user = self.ratings[user]
        low = np.flatnonzero((of_user > 0) & (of_user <= MOST_DISLIKED))
        return [self.items[item] for item in low[np.argsort(of_user[low], kind="stable")]]


def generate_ratings(seed: int) -> RatedLog:
    """Ratings of 4,000 persons of 1,200 items."""
    rng = np.random.default_rng(seed)
    kinds = GENRES * KINDS_OF_A_GENRE
    kind_of = np.repeat(np.arange(kinds), ITEMS_OF_A_KIND)
    popularity = 1 / (1 + rng.permutation(len(kind_of))) ** 0.7
    ratings = np.zeros((USERS, len(kind_of)), np.int8)
    for user in range(USERS):
        liked = rng.choice(kinds, _LIKED, replace=False)
        beside = liked // KINDS_OF_A_GENRE * KINDS_OF_A_GENRE + rng.integers(KINDS_OF_A_GENRE, size=_LIKED)
        disliked = np.setdiff1d(beside, liked)[:_DISLIKED]
        chances = popularity * _SHARES[2] / popularity.sum()
        for chosen, share in ((liked, _SHARES[0]), (disliked, _SHARES[1])):
            among = popularity * np.isin(kind_of, chosen)
            chances += share * among / max(among.sum(), 1e-9)
        seen = rng.choice(len(kind_of), RATINGS, replace=False, p=chances / chances.sum())
        taste = np.where(np.isin(kind_of[seen], liked), 4.4, np.where(np.isin(kind_of[seen], disliked), 1.7, 3.2))
        ratings[user, seen] = np.clip(np.rint(rng.normal(taste, 0.8)), 1, 5)
    return RatedLog(ratings)
