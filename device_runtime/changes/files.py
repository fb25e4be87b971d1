"""Where files lie; apart, so that a model without changes need not import what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OVERLAY_SUFFIX = ".overlay"


def overlay_path(model_path: str | Path) -> Path:
    """Where the overlay of a model file lives: beside it, with `.overlay` after its name."""
    from pathlib import Path  # only here: it takes long to import

    return Path(f"{model_path}{OVERLAY_SUFFIX}")
