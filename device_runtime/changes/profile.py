"""What one user likes, kept in the overlay and updated one like at a time."""

from __future__ import annotations

from device_runtime.arguments import Blend, Values, check_weight_of_like
from device_runtime.changes.device_changes import DeviceChanges
from device_runtime.items.attributes import Filter
from device_runtime.ranking.likes import resolve_likes
from device_runtime.ranking.ranker import Ranker, RankingOptions
from device_runtime.results import Neighbor


class Profile:
    """The likes and dislikes of one user, by `Recommender.profile`. Each change is on the disk when its call returns.

    Example:
        >>> with Recommender.open("build/meals.tflite", writable=True) as meals:
        ...     anna = meals.profile("anna")
        ...     anna.like("borscht")
        ...     anna.recommend(k=3)
    """

    def __init__(self, name: str, changes: DeviceChanges, ranker: Ranker) -> None:
        self.name = name
        self._changes = changes
        self._ranker = ranker

    def __repr__(self) -> str:
        return f"<Profile {self.name!r}: {self.likes}>"

    @property
    def likes(self) -> dict[str, float]:
        """The weight of each item by its id, in the order of the likes; a negative one is a dislike."""
        return dict(self._changes.state.profiles.get(self.name, {}))

    def like(self, item: str, weight: float = 1.0) -> str:
        """Likes `item` this much, instead of any earlier weight of it, and returns its id.

        Raises:
            InvalidWeightError: the weight is not a number above 0 that float32 holds.
            UnknownItemError: there is no such item.
            ReadOnlyError: the model was not opened with `writable=True`.
            OverlayWriteError: the disk is full or failing.
        """
        return self._changes.like(self.name, item, check_weight_of_like(weight))

    def dislike(self, item: str, weight: float = 1.0) -> str:
        """Dislikes `item` this much; returns and errors are those of `like`."""
        return self._changes.like(self.name, item, -check_weight_of_like(weight))

    def unlike(self, item: str) -> str:
        """Takes a like or dislike of `item` back; returns and errors are those of `like`."""
        return self._changes.like(self.name, item, 0.0)

    def forget(self) -> None:
        """Takes all likes and dislikes back."""
        self._changes.forget(self.name)

    def recommend(
        self,
        k: int = 10,
        *,
        exclude: Values = (),
        where: Filter | None = None,
        diversify: float = 0.0,
        blend: Blend | None = None,
    ) -> list[Neighbor]:
        """What `Recommender.recommend` gives for all that is liked and disliked."""
        options = RankingOptions(k, exclude, where, diversify, blend)
        state = self._changes.state
        likes = resolve_likes(state.items, state.profiles.get(self.name, {}))
        return self._ranker.rank(state.items, likes, options)
