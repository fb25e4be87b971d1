"""The command line of `mignon`, without what takes long to import: only a command that can run waits for that."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, get_args

from device_runtime import __version__
from device_runtime.arguments import Blend, EngineName, check_count, check_share, check_weight_of_like, parse_bytes
from device_runtime.errors import unreadable

ME = "me"  # whose likes count where nobody is named: a terminal is one person's


def parse(argv: Sequence[str] | None = None) -> Callable[[], None]:
    """The command in `argv`, or in the arguments of the process. Items may also stand after options.

    Raises:
        SystemExit: of status 2 where that is no command, of 0 where help was asked for.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = _build_parser()
    namespace, rest = parser.parse_known_args(argv)
    given = vars(namespace)
    if rest and ("items" not in given or any(text.startswith("-") for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        given["items"] = [*given["items"], *rest]
    _check(given)
    module, _, name = given.pop("command").rpartition(".")
    command: Callable[[], None] = getattr(import_module(f"device_runtime.{module}"), name)(**given)
    return command


def _check(given: dict[str, Any]) -> None:
    """Refuses at once what would be refused after all is imported and opened."""
    checks: dict[str, Callable[[Any], Any]] = {
        "k": partial(check_count, "-k"),
        "diversify": partial(check_share, "--diversify"),
        "weight": check_weight_of_like,
        "max_body": parse_bytes,
        "file": _check_file,
    }
    for name in checks.keys() & given.keys():
        checks[name](given[name])


def _check_file(path: str) -> None:
    try:
        open(path, "rb").close()  # noqa: PTH123 - pathlib takes longer to import
    except OSError as error:
        raise unreadable(path, error) from None


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mignon",
        description="Similar items and recommendations from one .tflite file, offline.",
        epilog="`mignon COMMAND --help` has examples",
    )
    parser.add_argument("--version", action="version", version=f"mignon {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _command(commands, "info", "cli.asking.Info", "what the file holds and how it was made")
    _add_questions(commands)
    _add_changes(commands)
    _add_serve(commands)
    text = "print a script that completes commands, options and files in a shell"
    example = 'eval "$(mignon completion bash)"    in ~/.bashrc'
    completion = commands.add_parser("completion", help=text, description=text, **_examples(example))
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    completion.set_defaults(command="cli.completion.Completion", parser=parser)
    return parser


def _add_questions(commands: Any) -> None:
    attributes = _command(
        commands,
        "attributes",
        "cli.asking.Attributes",
        "what --where can ask: attributes, their values, and how many items have them",
        "mignon attributes meals.tflite",
        "mignon attributes meals.tflite course",
    )
    attributes.add_argument("attribute", nargs="?", help="only this one, with more of its values")
    attributes.add_argument("-k", type=int, default=20, help="how many values at most (default: %(default)s)")
    text = "items by name, alias or something like it"
    find = _command(commands, "find", "cli.asking.Find", text, "mignon find meals.tflite crepe")
    find.add_argument("text", help="what to look for")
    find.add_argument("-k", type=int, default=5, help="how many at most (default: %(default)s)")
    example = 'mignon similar meals.tflite "hot dog" -k 5 --where diet=vegetarian --where "course!=soup"'
    similar = _command(commands, "similar", "cli.asking.Similar", "items like one item", example)
    similar.add_argument("item", help="id, name or alias")
    recommend = _command(
        commands,
        "recommend",
        "cli.asking.Recommend",
        "items for somebody who likes these",
        "mignon recommend meals.tflite pancakes borscht --dislike tiramisu -k 5",
        "mignon recommend meals.tflite --profile anna --json",
    )
    text = "why an item is recommended to somebody who likes these"
    explain = _command(
        commands, "explain", "cli.asking.Explain", text, "mignon explain meals.tflite blini pancakes borscht"
    )
    explain.add_argument("result", help="the item to explain, by id, name or alias")
    for command in (recommend, explain):
        _add_likes(command)
    for command in (similar, recommend):
        _add_ranking_options(command)
    for command in (attributes, find, similar, recommend, explain):
        command.add_argument("--ignore-changes", action="store_true", help="answer as if nothing had been changed here")


def _add_likes(command: argparse.ArgumentParser) -> None:
    command.add_argument("items", nargs="*", metavar="item", help="ids, names or aliases of favorites")
    profile = command.add_mutually_exclusive_group()
    text = f"count what this profile likes, too, as `mignon like` noted it (default: {ME})"
    profile.add_argument("--profile", metavar="NAME", help=text)
    profile.add_argument("--no-profile", action="store_true", help="count the given items alone")
    text = "serve each taste in its share, or what is near all favorites together (default: what suits the model)"
    command.add_argument("--blend", choices=get_args(Blend), help=text)
    _add_repeatable(command, "--dislike", "dislikes", "ITEM", "keep away from this item")


def _add_changes(commands: Any) -> None:
    add = _command(
        commands,
        "add",
        "cli.changing.Add",
        "add an item on this device, in an overlay beside the file",
        'mignon add meals.tflite "Sunday soup" --attribute "form=creamy soup" --attribute ingredients=tomato',
        'mignon add meals.tflite "Sunday pancakes" --near pancakes --near tiramisu',
    )
    add.add_argument("name", help="of the new item")
    _add_repeatable(
        add, "--attribute", "attributes", "ATTRIBUTE=VALUE", "what it is like, the most important value first"
    )
    _add_repeatable(add, "--near", "neighbors", "ITEM", "a neighbor that places it instead")
    add.add_argument("--id", help="made from the name if not given")
    remove = _command(commands, "remove", "cli.changing.Remove", "remove items, so that they never come back")
    remove.add_argument("items", nargs="+", metavar="item", help="id, name or alias")
    rename = _command(commands, "rename", "cli.changing.Rename", "give an item another name")
    rename.add_argument("item", help="id, name or alias")
    rename.add_argument("name", help="the new name")
    for name, text in (("like", "note what a profile likes"), ("dislike", "note what a profile dislikes")):
        command = _command(
            commands, name, "cli.changing.Like", text, f"mignon {name} meals.tflite borscht --profile anna"
        )
        command.add_argument("items", nargs="+", metavar="item", help="ids, names or aliases")
        command.add_argument("--weight", type=float, default=1.0, help="how much (default: %(default)s)")
        command.set_defaults(sign=1 if name == "like" else -1)
    forget = _command(commands, "forget", "cli.changing.Forget", "take likes and dislikes of a profile back")
    forget.add_argument("items", nargs="*", metavar="item", help="ids, names or aliases; all if none is given")
    for command in (commands.choices["like"], commands.choices["dislike"], forget):
        command.add_argument("--profile", default=ME, metavar="NAME", help="whose (default: %(default)s)")
    _command(
        commands,
        "changes",
        "cli.changing.Changes",
        "all changes made on this device, and which cannot apply to this file",
    )
    salvage = "cut a damaged overlay before the damage; FILE may be the overlay or the model it lies beside"
    _command(commands, "salvage", "cli.changing.Salvage", salvage)
    _command(commands, "compact", "cli.changing.Compact", "shorten the overlay to the changes that still matter")


def _add_serve(commands: Any) -> None:
    text = "answer over HTTP for the other devices of a local network"
    examples = _examples("mignon serve meals.tflite", "mignon serve meals.tflite --host 0.0.0.0 --writable")
    command = commands.add_parser("serve", help=text, description=text, **examples)
    command.add_argument("file", help="a .tflite file made by mignon")
    command.add_argument("--host", default="127.0.0.1", help="0.0.0.0 for all of the network (default: %(default)s)")
    command.add_argument("--port", type=int, default=8080, help="0 for any that is free (default: %(default)s)")
    command.add_argument("--engine", choices=get_args(EngineName), default="auto", help="default: %(default)s")
    command.add_argument("--max-body", default="64KB", metavar="SIZE", help="of a request (default: %(default)s)")
    command.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help="for a request to arrive (default: %(default)s)"
    )
    command.add_argument("--allow-origin", metavar="ORIGIN", help="pages from there may ask too; '*' for all")
    command.add_argument(
        "--writable", action="store_true", help="let everybody who can reach it add, remove, rename and like items"
    )
    command.add_argument("--verbose", action="store_true", help="log one line for each request")
    command.set_defaults(command="serve.command.Serve")


def _command(commands: Any, name: str, kind: str, text: str, *examples: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, **_examples(*examples))
    command.add_argument("file", help="a .tflite file made by mignon")
    command.add_argument("--json", action="store_true", help="print JSON for a program to read")
    command.set_defaults(command=kind)
    return command


def _examples(*commands: str) -> dict[str, Any]:
    """What shows some commands at the end of a help, each on a line of its own."""
    lines = "\n".join(f"  {command}" for command in commands)
    return {"epilog": f"examples:\n{lines}", "formatter_class": argparse.RawDescriptionHelpFormatter} if lines else {}


def _add_ranking_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("-k", type=int, default=10, help="how many (default: %(default)s)")
    _add_repeatable(command, "--exclude", "exclude", "ITEM", "leave this item out")
    only = (
        "only items with this attribute, or, with !=, without it; of several values of one attribute any will do; "
        "`mignon attributes FILE` lists them"
    )
    _add_repeatable(command, "--where", "where", "ATTRIBUTE=VALUE", only)
    command.add_argument(
        "--diversify", type=float, default=0.0, metavar="SHARE", help="from 0 to 1: results less like one another"
    )
    command.add_argument("--engine", choices=get_args(EngineName), default="auto", help="default: %(default)s")


def _add_repeatable(command: argparse.ArgumentParser, option: str, name: str, metavar: str, text: str) -> None:
    command.add_argument(option, dest=name, action="append", default=[], metavar=metavar, help=f"{text}; repeatable")
