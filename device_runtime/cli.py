"""The `mignon` command: ask one `.tflite` file from a terminal."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, get_args

from device_runtime.datatypes import Match, Neighbor
from device_runtime.engines import EngineName
from device_runtime.errors import MignonError
from device_runtime.model_file import ModelFile
from device_runtime.recommender import Recommender

BAD_INPUT = 2
FAILURE = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, or 2 for bad usage or input, or 1 for a failure."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser(serving=argv[:1] == ["serve"]).parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a name's letters still shows the rest
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except MignonError as error:
        print(f"mignon: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read the output has gone
        return FAILURE
    except OSError as error:
        print(f"mignon: {error}", file=sys.stderr)
        return FAILURE
    return 0


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
    recommend.add_argument("items", nargs="+", metavar="item", help="ids, names or aliases of favorites")
    for command in (similar, recommend):
        _add_ranking_options(command)
    _add_serve(commands, serving)
    return parser


def _add_serve(commands: Any, serving: bool) -> None:
    text = "answer over HTTP for the other devices of a local network"
    command = commands.add_parser("serve", help=text, description=text)
    if serving:  # importing asyncio takes 40 ms, which the other commands need not wait for
        from device_runtime import server

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
    record = model.manifest._asdict() | {
        "flatbuffer_bytes": model.flatbuffer_size(),
        "entries": dict(model.entries()),
    }
    if arguments.json:
        print(json.dumps(record, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))
        return
    pairs = _flattened(record)
    width = max(len(key) for key, _ in pairs)
    for key, value in pairs:
        print(f"{key:{width}}  {value}")


def _find(arguments: argparse.Namespace) -> None:
    _print(Recommender.open(arguments.file, engine="numpy").find(arguments.text, arguments.k), arguments.json)


def _similar(arguments: argparse.Namespace) -> None:
    model = Recommender.open(arguments.file, engine=arguments.engine)
    _print(model.similar(arguments.item, arguments.k, **_ranking_options(arguments)), arguments.json)


def _recommend(arguments: argparse.Namespace) -> None:
    model = Recommender.open(arguments.file, engine=arguments.engine)
    _print(model.recommend(arguments.items, arguments.k, **_ranking_options(arguments)), arguments.json)


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
        print(json.dumps([result._asdict() for result in results], ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))
        return
    for result in results:
        print(f"{result.score:6.3f}  {result.name}  ({result.id})")


def _flattened(record: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in record.items():
        if isinstance(value, dict):
            pairs += _flattened(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, value))
    return pairs


if __name__ == "__main__":
    raise SystemExit(main())
