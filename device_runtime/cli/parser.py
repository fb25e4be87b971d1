"""The command line of `mignon`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, get_args

from device_runtime.cli import asking, changing
from device_runtime.engines.choice import EngineName


def parse(argv: Sequence[str] | None = None) -> Callable[[], None]:
    """The command in `argv`, or in the arguments of the process. Items may also stand after options.

    Raises:
        SystemExit: of status 2 where that is no command, of 0 where help was asked for.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = _build_parser(serving=argv[:1] == ["serve"])
    namespace, rest = parser.parse_known_args(argv)
    given = vars(namespace)
    if rest and ("items" not in given or any(text.startswith("-") for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        given["items"] = [*given["items"], *rest]
    command: Callable[[], None] = given.pop("command")(**given)
    return command


def _build_parser(*, serving: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mignon", description="Similar items and recommendations from one .tflite file, offline."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _command(commands, "info", asking.Info, "what the file holds and how it was made")
    find = _command(commands, "find", asking.Find, "items by name, alias or something like it")
    find.add_argument("text", help="what to look for")
    find.add_argument("-k", type=int, default=5, help="how many at most (default: %(default)s)")
    similar = _command(commands, "similar", asking.Similar, "items like one item")
    similar.add_argument("item", help="id, name or alias")
    recommend = _command(commands, "recommend", asking.Recommend, "items for somebody who likes these")
    explain = _command(commands, "explain", asking.Explain, "why an item is recommended to somebody who likes these")
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
    _add_repeatable(command, "--dislike", "dislikes", "ITEM", "keep away from this item")


def _add_changes(commands: Any) -> None:
    add = _command(commands, "add", changing.Add, "add an item on this device, in an overlay beside the file")
    add.add_argument("name", help="of the new item")
    _add_repeatable(
        add, "--attribute", "attributes", "ATTRIBUTE=VALUE", "what it is like, the most important value first"
    )
    _add_repeatable(add, "--near", "neighbors", "ITEM", "place it by this item instead")
    add.add_argument("--id", help="made from the name if not given")
    remove = _command(commands, "remove", changing.Remove, "remove items, so that they never come back")
    remove.add_argument("items", nargs="+", metavar="item", help="id, name or alias")
    rename = _command(commands, "rename", changing.Rename, "give an item another name")
    rename.add_argument("item", help="id, name or alias")
    rename.add_argument("name", help="the new name")
    for name, text in (("like", "note what a profile likes"), ("dislike", "note what a profile dislikes")):
        command = _command(commands, name, changing.Like, text)
        command.add_argument("items", nargs="+", metavar="item", help="ids, names or aliases")
        command.add_argument("--weight", type=float, default=1.0, help="how much (default: %(default)s)")
        command.set_defaults(sign=1 if name == "like" else -1)
    forget = _command(commands, "forget", changing.Forget, "take likes and dislikes of a profile back")
    forget.add_argument("items", nargs="*", metavar="item", help="ids, names or aliases; all if none is given")
    for command in (commands.choices["like"], commands.choices["dislike"], forget):
        command.add_argument("--profile", default="me", metavar="NAME", help="whose (default: %(default)s)")
    _command(
        commands, "changes", changing.Changes, "all changes made on this device, and which cannot apply to this file"
    )
    salvage = "cut a damaged overlay before the damage; FILE may be the overlay or the model it lies beside"
    _command(commands, "salvage", changing.Salvage, salvage)
    _command(commands, "compact", changing.Compact, "shorten the overlay to the changes that still matter")


def _add_serve(commands: Any, serving: bool) -> None:
    text = "answer over HTTP for the other devices of a local network"
    command = commands.add_parser("serve", help=text, description=text)
    if serving:  # importing asyncio takes 40 ms, which the other commands need not wait for
        from device_runtime.serve.command import add_arguments

        command.add_argument("file", help="a .tflite file made by mignon")
        add_arguments(command)


def _command(commands: Any, name: str, kind: type[asking.Command], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("file", help="a .tflite file made by mignon")
    command.add_argument("--json", action="store_true", help="print JSON for a program to read")
    command.set_defaults(command=kind)
    return command


def _add_ranking_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("-k", type=int, default=10, help="how many (default: %(default)s)")
    _add_repeatable(command, "--exclude", "exclude", "ITEM", "leave this item out")
    only = "only items with this attribute, or, with !=, without it; of several values of one attribute any will do"
    _add_repeatable(command, "--where", "where", "ATTRIBUTE=VALUE", only)
    command.add_argument(
        "--diversify", type=float, default=0.0, metavar="SHARE", help="from 0 to 1: results less like one another"
    )
    command.add_argument("--engine", choices=get_args(EngineName), default="auto", help="default: %(default)s")


def _add_repeatable(command: argparse.ArgumentParser, option: str, name: str, metavar: str, text: str) -> None:
    command.add_argument(option, dest=name, action="append", default=[], metavar=metavar, help=f"{text}; repeatable")
