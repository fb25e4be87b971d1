"""Says which Python to take where the one that runs lacks a library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from training.errors import MissingLibraryError

Result = TypeVar("Result")


def name_missing_libraries(body: Callable[[], Result]) -> Result:
    """Runs a command.

    Raises:
        MissingLibraryError: it imports a library that is not installed.
    """
    try:
        return body()
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            f"{sys.executable} has no {error.name}; run the command by .venv/bin/python, which `make demo` sets up, or "
            "install what it needs with pip install -e '.[pipeline]'"
        ) from error
