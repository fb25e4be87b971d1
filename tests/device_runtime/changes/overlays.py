"""Overlays written and read, and processes that write them, shared by the tests of this folder."""

import hashlib
import os
import subprocess
import sys

from device_runtime.changes.kinds import Added, Forgotten, Liked, Removed, Renamed
from device_runtime.changes.overlay import Overlay
from tests.conftest import ROOT

SOUP = Added("my-soup", "Grandma's soup", {"course": ("soup", "main"), "diet": ()}, (12, -128, 127), ("shchi",), "5f")
CHANGES = (SOUP, Renamed("borscht", "Борщ"), Liked("anna", "my-soup", 0.1), Removed("crepes"), Forgotten("bob"))
WITHOUT_NUMPY = """
import sys, types
package = sys.modules["device_runtime"] = types.ModuleType("device_runtime")
package.__path__ = ["device_runtime"]
"""


def write(path, changes):
    with Overlay.open(path) as overlay:
        for change in changes:
            overlay.append(change)
    return path


def read(path):
    return Overlay.open(path, read_only=True).changes


def sealed(lines):
    """The bytes of an overlay with these JSON lines, by the words of docs/overlay.md."""
    above, parts = "", []
    for line in ('{"format":"mignon overlay","format_version":1}', *lines):
        above = hashlib.sha256((above + line).encode()).hexdigest()[:16]
        parts.append(f"{line}\t{above}\n")
    return "".join(parts).encode()


def python(code, *arguments, **options):
    """Runs `code` in a process of its own; it starts ten times as fast without what else is in the package."""
    command = [sys.executable, "-c", WITHOUT_NUMPY + code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)


def count_flushes(monkeypatch):
    """From now on nothing is flushed, but the size is noted that a file has when it should be."""
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(os.fstat(file).st_size))
    return flushed
