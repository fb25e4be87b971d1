"""Imports TensorFlow without the lines that its libraries write to standard error before they can be configured."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def import_tensorflow() -> None:
    """Imports TensorFlow; an import error is raised as usual, only the chatter of C++ libraries is dropped."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        import tensorflow  # noqa: F401
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)
