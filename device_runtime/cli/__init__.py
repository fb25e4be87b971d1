"""The command `mignon`."""

from __future__ import annotations

from collections.abc import Sequence

from device_runtime.cli.exit import run


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, 2 for bad usage or input, 1 for a failure, or 130 after Ctrl-C."""

    def body() -> None:
        from device_runtime.cli.parser import parse  # here, so that Ctrl-C ends quietly while numpy is imported

        parse(argv)()

    return run(body, "mignon")


__all__ = ["main"]
