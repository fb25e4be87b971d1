"""The commands of `mignon` that ask and change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from device_runtime.cli.names import settle_names
from device_runtime.cli.printing import flatten, print_json, print_results
from device_runtime.engines.choice import EngineName
from device_runtime.format.model_file import ModelFile
from device_runtime.items.attributes import parse_where
from device_runtime.recommender import Recommender
from device_runtime.results import as_record


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
            return
        pairs = flatten(record)
        width = max(len(key) for key, _ in pairs)
        for key, value in pairs:
            print(f"{key:{width}}  {value}")


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
        print_results(self.open_model().find(self.text, self.k), as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class Ranking(Question):
    """What `similar` and `recommend` are given."""

    k: int
    exclude: list[str]
    where: list[str]
    diversify: float
    engine: EngineName

    def options(self) -> dict[str, Any]:
        """As the calls of `Recommender` take them."""
        where = parse_where(self.where)
        return {"k": self.k, "exclude": self.exclude, "where": where, "diversify": self.diversify}


@dataclass(frozen=True, kw_only=True)
class Similar(Ranking):
    """`mignon similar`: items like one item."""

    item: str

    def __call__(self) -> None:
        model = self.open_model(self.engine)
        (item,) = settle_names(model, [self.item])
        print_results(model.similar(item, **self.options()), as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class Recommend(Ranking):
    """`mignon recommend`: items for somebody who likes these, and what a profile likes besides."""

    items: list[str]
    dislikes: list[str]
    profile: str | None

    def __call__(self) -> None:
        model = self.open_model(self.engine)
        items, dislikes = settle_names(model, self.items), settle_names(model, self.dislikes)
        found = model.recommend(items, dislikes=dislikes, profile=self.profile, **self.options())
        print_results(found, as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class Explain(Question):
    """`mignon explain`: why an item is recommended to somebody who likes these."""

    result: str
    items: list[str]
    dislikes: list[str]
    profile: str | None

    def __call__(self) -> None:
        model = self.open_model()
        items, dislikes = settle_names(model, self.items), settle_names(model, self.dislikes)
        why = model.explain(items, self.result, dislikes=dislikes, profile=self.profile)
        if self.json:
            print_json(as_record(why))
            return
        print(f"{why.score:6.3f}  {why.name}  ({why.id})")
        for part in why.contributions:
            weight = f"(weight {part.weight:g}, cosine {part.cosine:.3f})"
            print(f"{part.part:+6.3f}  {part.share:+5.0%}  {part.name}  {weight}")
        for shared in why.shared:
            print(f"{shared.attribute}: {shared.value}, as {', '.join(shared.favorites)}")
