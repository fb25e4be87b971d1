"""What can be changed, and what was: the half of `Recommender` that asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from device_runtime.arguments import Values
from device_runtime.items.items import Items
from device_runtime.ranking.ranker import Ranker

if TYPE_CHECKING:  # a model without changes need not wait for these
    from device_runtime.changes.device_changes import DeviceChanges
    from device_runtime.changes.kinds import Change
    from device_runtime.changes.profile import Profile

_Self = TypeVar("_Self", bound="Changeable")  # typing.Self came with Python 3.11


class Changeable:
    """Items that may be changed on the device, and the profiles of those who like them.

    Args:
        base: the items of the model file.
    """

    def __init__(self, base: Items, ranker: Ranker) -> None:
        self._base = base
        self._ranker = ranker
        self._opened: DeviceChanges | None = None  # until there is an overlay, or changes are asked for

    @property
    def writable(self) -> bool:
        """Whether changes can be made."""
        return self._opened is not None and self._opened.writable

    def profile(self, name: str) -> Profile:
        """What the user `name` likes; kept with the other changes. A profile that is new likes nothing yet."""
        from device_runtime.changes.profile import Profile

        return Profile(name, self._changes, self._ranker)

    @property
    def profiles(self) -> list[str]:
        """The names of the profiles that like or dislike something."""
        return list(self._changes.state.profiles)

    @property
    def dropped(self) -> list[str]:
        """The changes that cannot apply to this model, and why; they are kept for a model that they fit."""
        return list(self._changes.state.dropped)

    @property
    def changes(self) -> list[Change]:
        """All changes in the overlay, oldest first, as `device_runtime.changes.kinds` describes them."""
        return list(self._changes.changes)

    def add(
        self,
        name: str,
        attributes: Mapping[str, Values] | Values | None = None,
        *,
        id: str | None = None,  # noqa: A002 - as a catalog calls it
        neighbors: Values = (),
    ) -> str:
        """Adds an item, which from now on comes back and can be asked for like any other, and returns its id.

        Args:
            attributes: what it is like, which places it among the others, and what `where` filters it by, as
                {attribute: value or values} or as texts such as "diet=vegan". The first value of several counts most.
            id: if none is given, made from the name.
            neighbors: items it is like; then these place it, and attributes may be any.

        Raises:
            ItemExistsError: another item has that id or name.
            UnknownAttributeError: no item has such an attribute, or the model knows no such value of it.
            UnknownItemError: there is no such neighbor.
            InvalidArgumentError: nothing is said of where it belongs, or a text is empty or holds a line break.
            ReadOnlyError: the model was not opened with `writable=True`.
            OverlayWriteError: the disk is full or failing; nothing was changed.
        """
        return self._changes.add(name, () if attributes is None else attributes, id, neighbors)

    def remove(self, item: str) -> str:
        """Removes an item, and all likes of it, and returns its id: it is unknown from now on.

        Raises:
            UnknownItemError: there is no such item.
            ReadOnlyError, OverlayWriteError: see `add`.
        """
        return self._changes.remove(item)

    def rename(self, item: str, name: str) -> str:
        """Gives an item another name instead of the one it has, and returns its id, which stays, as aliases do.

        Raises:
            ItemExistsError: another item has that id or name.
            UnknownItemError: there is no such item.
            ReadOnlyError, OverlayWriteError: see `add`.
        """
        return self._changes.rename(item, name)

    def compact(self) -> None:
        """Shortens the overlay to the changes that still matter; nothing that can be asked changes.

        Raises:
            ReadOnlyError, OverlayWriteError: see `add`.
        """
        self._changes.compact()

    def close(self) -> None:
        """Ends writing, so that another may write; questions are still answered. Closing twice is fine."""
        if self._opened:
            self._opened.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_overlay(self, path: str, *, writable: bool) -> None:
        from device_runtime.changes.device_changes import DeviceChanges

        self._opened = DeviceChanges.open(self._base, path, writable=writable)

    @property
    def _items(self) -> Items:
        return self._base if self._opened is None else self._opened.state.items

    @property
    def _changes(self) -> DeviceChanges:
        """Those of the overlay, or, where none was opened, no changes to what the file holds."""
        if self._opened is None:
            from device_runtime.changes.device_changes import DeviceChanges

            self._opened = DeviceChanges(self._base)
        return self._opened
