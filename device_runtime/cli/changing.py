"""The commands of `mignon` that change what a model holds on this device, in an overlay beside the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from device_runtime.cli.asking import Command
from device_runtime.cli.names import settle_items, settle_names
from device_runtime.cli.printing import change_record, describe_change, note, print_json
from device_runtime.recommender import Recommender


@dataclass(frozen=True, kw_only=True)
class Change(Command):
    """What all changes have in common."""

    def open_unlocked(self) -> Recommender:
        """The model to look names up in, which may take a person's time, before it is opened for changes."""
        return Recommender.open(self.file, engine="numpy")

    @contextmanager
    def changing(self) -> Iterator[Recommender]:
        """Opens the model for changes, and prints those that were made."""
        with Recommender.open(self.file, engine="numpy", writable=True) as model:
            before = len(model.changes)
            yield model
            made = model.changes[before:]
        if self.json:
            print_json([change_record(change) for change in made])
        for change in [] if self.json else made:
            print(describe_change(change))


@dataclass(frozen=True, kw_only=True)
class Add(Change):
    """`mignon add`: adds an item."""

    name: str
    attributes: list[str]
    neighbors: list[str]
    id: str | None

    def __call__(self) -> None:
        neighbors = settle_items(self.open_unlocked(), self.neighbors)
        with self.changing() as model:
            model.add(self.name, self.attributes, id=self.id, neighbors=neighbors)


@dataclass(frozen=True, kw_only=True)
class Remove(Change):
    """`mignon remove`: removes items."""

    items: list[str]

    def __call__(self) -> None:
        items = settle_items(self.open_unlocked(), self.items)
        with self.changing() as model:
            rows = {model.row(item): item for item in items}  # all are known, or none is removed
            for item in rows.values():
                model.remove(item)


@dataclass(frozen=True, kw_only=True)
class Rename(Change):
    """`mignon rename`: gives an item another name."""

    item: str
    name: str

    def __call__(self) -> None:
        (item,) = settle_items(self.open_unlocked(), [self.item])
        with self.changing() as model:
            model.rename(item, self.name)


@dataclass(frozen=True, kw_only=True)
class Like(Change):
    """`mignon like` and, with a sign of -1, `mignon dislike`: notes what a profile likes."""

    items: list[str]
    profile: str
    weight: float
    sign: int

    def __call__(self) -> None:
        items = settle_names(self.open_unlocked(), self.items, unwanted=self.sign < 0)
        with self.changing() as model:
            profile = model.profile(self.profile)
            for item in items:
                (profile.like if self.sign > 0 else profile.dislike)(item, self.weight)


@dataclass(frozen=True, kw_only=True)
class Forget(Change):
    """`mignon forget`: takes likes and dislikes of some items back, or of all."""

    items: list[str]
    profile: str

    def __call__(self) -> None:
        items = settle_names(self.open_unlocked(), self.items)
        with self.changing() as model:
            profile = model.profile(self.profile)
            if not items:
                profile.forget()
            for item in items:
                profile.unlike(item)


@dataclass(frozen=True, kw_only=True)
class Changes(Command):
    """`mignon changes`: all changes, and which cannot apply to this file."""

    def __call__(self) -> None:
        model = Recommender.open(self.file, engine="numpy")
        if self.json:
            print_json({"changes": [change_record(change) for change in model.changes], "dropped": model.dropped})
            return
        for change in model.changes:
            print(describe_change(change))
        for reason in model.dropped:
            print(f"not applied: {reason}")
        if not model.changes:
            note("nothing was changed on this device")


@dataclass(frozen=True, kw_only=True)
class Compact(Command):
    """`mignon compact`: shortens the overlay to the changes that still matter."""

    def __call__(self) -> None:
        with Recommender.open(self.file, engine="numpy", writable=True) as model:
            before = len(model.changes)
            model.compact()
            after = len(model.changes)
        if self.json:
            print_json({"before": before, "after": after})
        else:
            print(f"{after} of {before} changes still matter")


@dataclass(frozen=True, kw_only=True)
class Salvage(Command):
    """`mignon salvage`: keeps what is before the damage; the file is the overlay, or the model beside which it lies."""

    def __call__(self) -> None:
        from device_runtime.changes.overlay import Overlay, overlay_path, salvage

        beside = overlay_path(self.file)
        path = str(beside if beside.exists() else self.file)
        damaged = salvage(path)
        kept = len(Overlay.open(path, read_only=True).changes)
        if self.json:
            print_json({"kept": kept, "damaged": str(damaged)})
        else:
            print(f"kept {kept} changes; the damaged overlay is now {damaged}")
