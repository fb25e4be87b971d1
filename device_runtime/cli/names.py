"""What the names in a command mean: what is not sure is asked for, and never taken in silence."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from device_runtime.cli.printing import note
from device_runtime.errors import UnknownItemError
from device_runtime.recommender import Recommender


def settle_names(model: Recommender, texts: Sequence[str], *, unwanted: bool = False) -> list[str]:
    """The id of the item or family that each text means; `unwanted` as in `Recommender.identify`.

    A spelling is told on standard error; where a text is only like some names, a person at a terminal is asked which.

    Raises:
        UnknownItemError: nothing is surely meant, and nobody is there to ask or an empty line was the answer.
    """
    return [_settle(model, text, unwanted) for text in texts]


def settle_items(model: Recommender, texts: Sequence[str]) -> list[str]:
    """The id of the item, no family, that is called just so; where none is, a person at a terminal is asked which.

    Raises:
        UnknownItemError: see `settle_names`.
    """
    return [_settle_item(model, text) for text in texts]


def _settle_item(model: Recommender, text: str) -> str:
    try:
        model.row(text)
    except UnknownItemError as error:
        return _ask(model, error)
    return text


def _settle(model: Recommender, text: str, unwanted: bool) -> str:
    try:
        match = model.identify(text, unwanted=unwanted)
    except UnknownItemError as error:
        return _ask(model, error)
    if match.score < 1:
        note(f"took {text!r} for {match.name}")
    return match.id


def _ask(model: Recommender, error: UnknownItemError) -> str:
    if not (error.suggestions and sys.stdin.isatty() and sys.stderr.isatty()):
        raise error
    choices = dict(enumerate(error.suggestions, start=1))
    listed = "  ".join(f"{number} {name}" for number, name in choices.items())
    note(f"no item is called {error.asked!r}; which is meant?  {listed}  (Enter: none)")
    answer = sys.stdin.readline().strip()
    if answer.isdecimal() and int(answer) in choices:
        return model.identify(choices[int(answer)]).id
    raise error
