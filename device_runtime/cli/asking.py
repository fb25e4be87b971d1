"""The commands of `mignon` that ask and change nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from device_runtime.arguments import Blend, EngineName
from device_runtime.cli.names import settle_items, settle_names
from device_runtime.cli.parser import ME
from device_runtime.cli.printing import (
    LIKING,
    note,
    print_attributes,
    print_info,
    print_json,
    print_results,
    print_values,
)
from device_runtime.format.model_file import ModelFile
from device_runtime.recommender import Recommender
from device_runtime.results import Neighbor, as_record, attribute_records


@dataclass(frozen=True, kw_only=True)
class Command:
    """What all commands are given: the model file, and whether to print JSON."""

    file: str
    json: bool


@dataclass(frozen=True, kw_only=True)
class Info(Command):
    """`mignon info`: what the file holds and how it was made."""

    def __call__(self) -> None:
        model = ModelFile.open(self.file)
        record = model.manifest.as_record()
        record |= {"flatbuffer_bytes": model.flatbuffer_size(), "entries": dict(model.entries())}
        if self.json:
            print_json(record)
        else:
            print_info(record, os.path.getsize(self.file))  # noqa: PTH202 - pathlib takes longer to import


@dataclass(frozen=True, kw_only=True)
class Question(Command):
    """What all questions are given, but `info`."""

    ignore_changes: bool

    def open_model(self, engine: EngineName = "numpy") -> Recommender:
        """The model, with the changes made on the device unless they are to be ignored."""
        return Recommender.open(self.file, engine=engine, changes=not self.ignore_changes)


@dataclass(frozen=True, kw_only=True)
class Find(Question):
    """`mignon find`: items by name, alias or something like it."""

    text: str
    k: int

    def __call__(self) -> None:
        found = self.open_model().find(self.text, self.k)
        print_results(found, as_json=self.json)
        if not found:
            note(f"nothing is like {self.text!r}")


@dataclass(frozen=True, kw_only=True)
class Attributes(Question):
    """`mignon attributes`: what items are like, as `--where` can ask it."""

    attribute: str | None
    k: int

    def __call__(self) -> None:
        counts = self.open_model().attributes(self.attribute)
        if self.json:
            print_json(attribute_records(counts, self.k))
        elif self.attribute is None:
            print_attributes(counts)
        else:
            for values in counts.values():
                print_values(values, self.k)


@dataclass(frozen=True, kw_only=True)
class Ranking(Question):
    """What `similar` and `recommend` are given."""

    k: int
    exclude: list[str]
    where: list[str]
    diversify: float
    engine: EngineName

    def options(self, model: Recommender) -> dict[str, Any]:
        """As the calls of `Recommender` take them."""
        exclude = settle_names(model, self.exclude, unwanted=True)
        return {"k": self.k, "exclude": exclude, "where": self.where, "diversify": self.diversify}

    def print_found(self, found: list[Neighbor]) -> None:
        """Prints the answer; that there is none is said."""
        print_results(found, as_json=self.json)
        if not found:
            note("no item is left to answer with; ask for less by --where and --exclude")


@dataclass(frozen=True, kw_only=True)
class Similar(Ranking):
    """`mignon similar`: items like one item."""

    item: str

    def __call__(self) -> None:
        model = self.open_model(self.engine)
        (item,) = settle_names(model, [self.item])
        self.print_found(model.similar(item, **self.options(model)))


@dataclass(frozen=True, kw_only=True)
class Liking(Question):
    """What `recommend` and `explain` are given: somebody's likes. Whoever names no profile is `me`."""

    items: list[str]
    dislikes: list[str]
    profile: str | None
    no_profile: bool
    blend: Blend | None

    def likes(self, model: Recommender) -> dict[str, Any]:
        """As the calls of `Recommender` take them."""
        items, dislikes = settle_names(model, self.items), settle_names(model, self.dislikes, unwanted=True)
        return {"items": items, "dislikes": dislikes, "profile": self._profile_of(model), "blend": self.blend}

    def _profile_of(self, model: Recommender) -> str | None:
        if self.no_profile or self.profile is not None:
            return self.profile
        likes = len(model.profile(ME).likes)
        if likes and self.items:
            note(f"counts what the profile {ME!r} likes, too ({likes}); --no-profile leaves it out")
        return ME if likes or not self.items else None


@dataclass(frozen=True, kw_only=True)
class Recommend(Liking, Ranking):
    """`mignon recommend`: items for somebody who likes these, and what a profile likes besides."""

    def __call__(self) -> None:
        model = self.open_model(self.engine)
        likes = self.likes(model)
        profile = likes["profile"]
        if not self.items and not (profile and any(weight > 0 for weight in model.profile(profile).likes.values())):
            note("no favorites were given: these are the best known")
        self.print_found(model.recommend(**likes, **self.options(model)))
        if model.manifest.preference and not self.json:
            note(LIKING)


@dataclass(frozen=True, kw_only=True)
class Explain(Liking):
    """`mignon explain`: why an item is recommended to somebody who likes these."""

    result: str

    def __call__(self) -> None:
        model = self.open_model()
        (result,) = settle_items(model, [self.result])
        why = model.explain(result=result, **self.likes(model))
        if self.json:
            print_json(as_record(why))
            return
        print(f"{why.score:6.3f}  {why.name}  ({why.id})")
        for part in why.contributions:
            weight = f"(weight {part.weight:g}, cosine {part.cosine:.3f})"
            print(f"{part.part:+6.3f}  {part.share:+5.0%}  {part.name}  {weight}")
        for shared in why.shared:
            print(f"{shared.attribute}: {shared.value}, as {', '.join(shared.favorites)}")
