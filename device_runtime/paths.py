"""Where files lie; apart, so that a model without changes need not import what reads them."""

from __future__ import annotations

from pathlib import Path


def overlay_path(model_path: str | Path) -> Path:
    """Where the overlay of a model file lives: beside it, with `.overlay` after its name."""
    path = Path(model_path)
    return path.with_name(f"{path.name}.overlay")
