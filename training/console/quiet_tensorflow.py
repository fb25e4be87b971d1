"""Imports TensorFlow and loads interpreters without the lines that their libraries write to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130


def import_tensorflow() -> None:
    """Imports TensorFlow; an import error is raised as usual, only the chatter of C++ libraries is dropped."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with without_chatter():
            import tensorflow  # noqa: F401
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def without_chatter() -> Iterator[None]:
    """Drops what C++ libraries write to standard error, past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)
