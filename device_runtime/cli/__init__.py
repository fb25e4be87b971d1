"""The command `mignon`."""

from __future__ import annotations

from collections.abc import Sequence

from device_runtime.cli.exit import run
from device_runtime.errors import OverlayLockedError, OverlayWriteError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, 2 for bad usage or input, 1 for a failure, or 130 after Ctrl-C.

    A failure is what may go well another time, or by another user: a full disk, a missing right, a lock.
    """

    def body() -> None:
        from device_runtime.cli.parser import parse  # here, so that Ctrl-C ends quietly meanwhile

        parse(argv)()

    return run(body, "mignon", failures=(OverlayLockedError, OverlayWriteError))


__all__ = ["main"]
