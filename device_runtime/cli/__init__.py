"""The command `mignon`."""

from __future__ import annotations

from collections.abc import Sequence

from device_runtime.cli.exit import run


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, 2 for bad usage or input, 1 for a failure, or 130 after Ctrl-C."""

    def answer() -> None:
        from device_runtime.cli.command import answer  # here, so that Ctrl-C ends quietly while numpy is imported

        answer(argv)

    return run(answer, "mignon")


__all__ = ["main"]
