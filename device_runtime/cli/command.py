"""The `mignon` command: ask one `.tflite` file from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

from device_runtime.engines.choice import EngineName
from device_runtime.errors import MignonError
from device_runtime.format.model_file import ModelFile
from device_runtime.ranking.likes import Favorites
from device_runtime.recommender import Recommender
from device_runtime.results import Match, Neighbor, as_record

if TYPE_CHECKING:
    from device_runtime.changes.kinds import Change


def answer(argv: Sequence[str] | None = None) -> None:
    """Runs the command in `argv`, or in the arguments of the process."""
    arguments = _parsed(sys.argv[1:] if argv is None else argv)
    arguments.run(arguments)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; items may also stand after options, where argparse leaves them over."""
    parser = _parser(serving=argv[:1] == ["serve"])
    arguments, rest = parser.parse_known_args(argv)
    if rest and ("items" not in arguments or any(text.startswith("-") for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.items = [*arguments.items, *rest]
    return arguments


def _parser(*, serving: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mignon", description="Similar items and recommendations from one .tflite file, offline."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _command(commands, "info", _info, "what the file holds and how it was made")
    find = _command(commands, "find", _find, "items by name, alias or something like it")
    find.add_argument("text", help="what to look for")
    find.add_argument("-k", type=int, default=5, help="how many at most (default: %(default)s)")
    similar = _command(commands, "similar", _similar, "items like one item")
    similar.add_argument("item", help="id, name or alias")
    recommend = _command(commands, "recommend", _recommend, "items for somebody who likes these")
    explain = _command(commands, "explain", _explain, "why an item is recommended to somebody who likes these")
    explain.add_argument("result", help="the item to explain, by id, name or alias")
    for command in (recommend, explain):
        _add_favorites(command)
    for command in (similar, recommend):
        _add_ranking_options(command)
    for command in (find, similar, recommend, explain):
        command.add_argument("--ignore-changes", action="store_true", help="answer as if nothing had been changed here")
    _add_changes(commands)
    _add_serve(commands, serving)
    return parser


def _add_favorites(command: argparse.ArgumentParser) -> None:
    command.add_argument("items", nargs="*", metavar="item", help="ids, names or aliases of favorites")
    command.add_argument("--profile", metavar="NAME", help="and what this profile likes; see `mignon like`")
    command.add_argument(
        "--dislike", action="append", default=[], metavar="ITEM", help="keep away from this item; repeatable"
    )


def _add_changes(commands: Any) -> None:
    add = _command(commands, "add", _add, "add an item on this device, in an overlay beside the file")
    add.add_argument("name", help="of the new item")
    add.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="ATTRIBUTE=VALUE",
        help="what it is like, the most important value first; repeatable",
    )
    add.add_argument(
        "--near", action="append", default=[], metavar="ITEM", help="place it by this item instead; repeatable"
    )
    add.add_argument("--id", help="made from the name if not given")
    remove = _command(commands, "remove", _remove, "remove items, so that they never come back")
    remove.add_argument("items", nargs="+", metavar="item", help="id, name or alias")
    rename = _command(commands, "rename", _rename, "give an item another name")
    rename.add_argument("item", help="id, name or alias")
    rename.add_argument("name", help="the new name")
    for name, text in (("like", "note what a profile likes"), ("dislike", "note what a profile dislikes")):
        command = _command(commands, name, _like, text)
        command.add_argument("items", nargs="+", metavar="item", help="ids, names or aliases")
        command.add_argument("--weight", type=float, default=1.0, help="how much (default: %(default)s)")
        command.set_defaults(sign=1 if name == "like" else -1)
    forget = _command(commands, "forget", _forget, "take likes and dislikes of a profile back")
    forget.add_argument("items", nargs="*", metavar="item", help="ids, names or aliases; all if none is given")
    for command in (commands.choices["like"], commands.choices["dislike"], forget):
        command.add_argument("--profile", default="me", metavar="NAME", help="whose (default: %(default)s)")
    _command(commands, "changes", _changes, "all changes made on this device, and which cannot apply to this file")
    _command(commands, "compact", _compact, "shorten the overlay to the changes that still matter")


def _add_serve(commands: Any, serving: bool) -> None:
    text = "answer over HTTP for the other devices of a local network"
    command = commands.add_parser("serve", help=text, description=text)
    if serving:  # importing asyncio takes 40 ms, which the other commands need not wait for
        from device_runtime.serve import api as server

        command.add_argument("file", help="a .tflite file made by mignon")
        server.add_arguments(command)
        command.set_defaults(run=server.run)


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("file", help="a .tflite file made by mignon")
    command.add_argument("--json", action="store_true", help="print JSON for a program to read")
    command.set_defaults(run=run)
    return command


def _add_ranking_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("-k", type=int, default=10, help="how many (default: %(default)s)")
    command.add_argument(
        "--exclude", action="append", default=[], metavar="ITEM", help="leave this item out; repeatable"
    )
    command.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="ATTRIBUTE=VALUE",
        help="only items with this attribute; repeat an attribute to allow several values; != for items without it",
    )
    command.add_argument(
        "--diversify", type=float, default=0.0, metavar="SHARE", help="from 0 to 1: results less like one another"
    )
    command.add_argument("--engine", choices=get_args(EngineName), default="auto", help="default: %(default)s")


def _info(arguments: argparse.Namespace) -> None:
    model = ModelFile.open(arguments.file)
    record = model.manifest.as_record() | {
        "flatbuffer_bytes": model.flatbuffer_size(),
        "entries": dict(model.entries()),
    }
    if arguments.json:
        _print_json(record)
        return
    pairs = _flattened(record)
    width = max(len(key) for key, _ in pairs)
    for key, value in pairs:
        print(f"{key:{width}}  {value}")


def _opened(arguments: argparse.Namespace) -> Recommender:
    engine: EngineName = getattr(arguments, "engine", "numpy")
    return Recommender.open(arguments.file, engine=engine, changes=not arguments.ignore_changes)


def _find(arguments: argparse.Namespace) -> None:
    _print(_opened(arguments).find(arguments.text, arguments.k), arguments.json)


def _similar(arguments: argparse.Namespace) -> None:
    model = _opened(arguments)
    _print(model.similar(arguments.item, arguments.k, **_ranking_options(arguments)), arguments.json)


def _recommend(arguments: argparse.Namespace) -> None:
    model = _opened(arguments)
    found = model.recommend(
        _favorites(model, arguments), arguments.k, dislikes=arguments.dislike, **_ranking_options(arguments)
    )
    _print(found, arguments.json)


def _explain(arguments: argparse.Namespace) -> None:
    model = _opened(arguments)
    why = model.explain(_favorites(model, arguments), arguments.result, dislikes=arguments.dislike)
    if arguments.json:
        _print_json(as_record(why))
        return
    print(f"{why.score:6.3f}  {why.name}  ({why.id})")
    for part in why.contributions:
        print(f"{part.part:+6.3f}  {part.share:+5.0%}  {part.name}  (weight {part.weight:g}, cosine {part.cosine:.3f})")
    for shared in why.shared:
        print(f"{shared.attribute}: {shared.value}, as {', '.join(shared.favorites)}")


def _favorites(model: Recommender, arguments: argparse.Namespace) -> Favorites:
    if arguments.profile is None:
        return list(arguments.items)
    likes = model.profile(arguments.profile).likes
    if not likes:
        raise MignonError(f"the profile {arguments.profile!r} likes nothing yet; `mignon like` notes what it likes")
    return {**likes, **{item: 1.0 for item in arguments.items if item not in likes}}


def _add(arguments: argparse.Namespace) -> None:
    attributes: dict[str, list[str]] = {}
    for text in arguments.attribute:
        attribute, equals, value = text.partition("=")
        if not equals:
            raise MignonError(f"--attribute {text!r} is not ATTRIBUTE=VALUE, such as course=breakfast")
        attributes.setdefault(attribute, []).append(value)
    with _changing(arguments) as model:
        model.add(arguments.name, attributes, id=arguments.id, neighbors=arguments.near)


def _remove(arguments: argparse.Namespace) -> None:
    with _changing(arguments) as model:
        rows = {model.row(item): item for item in arguments.items}  # all are known, or none is removed
        for item in rows.values():
            model.remove(item)


def _rename(arguments: argparse.Namespace) -> None:
    with _changing(arguments) as model:
        model.rename(arguments.item, arguments.name)


def _like(arguments: argparse.Namespace) -> None:
    with _changing(arguments) as model:
        profile = model.profile(arguments.profile)
        for item in arguments.items:
            model.row(item)  # all are known, or none is noted
        for item in arguments.items:
            (profile.like if arguments.sign > 0 else profile.dislike)(item, arguments.weight)


def _forget(arguments: argparse.Namespace) -> None:
    with _changing(arguments) as model:
        profile = model.profile(arguments.profile)
        if not arguments.items:
            profile.forget()
        for item in arguments.items:
            model.row(item)
        for item in arguments.items:
            profile.unlike(item)


@contextmanager
def _changing(arguments: argparse.Namespace) -> Iterator[Recommender]:
    """Opens the model for changes, and prints those that were made."""
    with Recommender.open(arguments.file, engine="numpy", writable=True) as model:
        before = len(model.changes)
        yield model
        made = model.changes[before:]
    if arguments.json:
        _print_json([_record(change) for change in made])
    for change in [] if arguments.json else made:
        print(_told(change))


def _changes(arguments: argparse.Namespace) -> None:
    model = Recommender.open(arguments.file, engine="numpy")
    if arguments.json:
        _print_json({"changes": [_record(change) for change in model.changes], "dropped": model.dropped})
        return
    for change in model.changes:
        print(_told(change))
    for reason in model.dropped:
        print(f"not applied: {reason}")


def _compact(arguments: argparse.Namespace) -> None:
    with Recommender.open(arguments.file, engine="numpy", writable=True) as model:
        before = len(model.changes)
        model.compact()
        after = len(model.changes)
    if arguments.json:
        _print_json({"before": before, "after": after})
    else:
        print(f"{after} of {before} changes still matter")


def _record(change: Change) -> dict[str, Any]:
    from dataclasses import asdict  # which the commands that change nothing need not wait for

    return {"kind": type(change).__name__.lower(), **asdict(change)}


def _told(change: Change) -> str:
    fields = _record(change)
    match fields:
        case {"kind": "added", "id": id_, "name": name}:
            return f"added {name} ({id_})"
        case {"kind": "renamed", "id": id_, "name": name}:
            return f"renamed {id_} to {name}"
        case {"kind": "removed", "id": id_}:
            return f"removed {id_}"
        case {"kind": "liked", "profile": profile, "id": id_, "weight": 0}:
            return f"{profile} forgets {id_}"
        case {"kind": "liked", "profile": profile, "id": id_, "weight": weight}:
            return f"{profile} {'likes' if weight > 0 else 'dislikes'} {id_} ({abs(weight):g})"
    return f"{fields['profile']} forgets all"


def _ranking_options(arguments: argparse.Namespace) -> dict[str, Any]:
    where: dict[str, list[str]] = {}
    unwanted: dict[str, list[str]] = {}
    for condition in arguments.where:
        attribute, equals, value = condition.partition("=")
        if not equals:
            raise MignonError(f"--where {condition!r} is not ATTRIBUTE=VALUE, such as course=breakfast")
        name = attribute.removesuffix("!")
        (where if name == attribute else unwanted).setdefault(name, []).append(value)
    if both := where.keys() & unwanted.keys():
        raise MignonError(f"--where both asks for and forbids values of {min(both)!r}; give one kind for an attribute")
    return {
        "diversify": arguments.diversify,
        "exclude": arguments.exclude,
        "where": where | {name: {"not": values} for name, values in unwanted.items()},
    }


def _print(results: Sequence[Match | Neighbor], as_json: bool) -> None:
    if as_json:
        _print_json([result._asdict() for result in results])
        return
    for result in results:
        print(f"{result.score:6.3f}  {result.name}  ({result.id})")


def _print_json(record: Any) -> None:
    print(json.dumps(record, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))


def _flattened(record: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in record.items():
        if isinstance(value, dict):
            pairs += _flattened(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, value))
    return pairs
