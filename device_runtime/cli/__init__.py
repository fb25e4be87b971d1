"""The command `mignon`."""

from device_runtime.cli.command import main

__all__ = ["main"]
