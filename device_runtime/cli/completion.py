"""`mignon completion`: what a shell has to know to complete commands, options and files; shtab writes it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from device_runtime.errors import MissingEngineError


@dataclass(frozen=True, kw_only=True)
class Completion:
    """`mignon completion`: prints a script for a shell.

    Attributes:
        parser: of all commands.
    """

    parser: argparse.ArgumentParser
    shell: str

    def __call__(self) -> None:
        try:
            import shtab
        except ImportError:
            raise MissingEngineError("completion is written by shtab: pip install 'mignon[completion]'") from None
        for action in _actions(self.parser):
            if action.dest == "file":
                action.complete = shtab.FILE  # type: ignore[attr-defined] # where shtab looks for it
        print(shtab.complete(self.parser, self.shell))


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [inner for command in action.choices.values() for inner in _actions(command)]
    return found
