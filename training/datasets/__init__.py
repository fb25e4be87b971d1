"""Public data sets, as their publishers ship them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.errors import DatasetError

MIN_RATINGS = {"foodcom": 4.0, "movielens": 3.5}
"""What counts as liked, of the data sets that have ratings."""


def check_sources(sources: Sequence[Path]) -> None:
    """Refuses files and folders that are not there.

    Raises:
        DatasetError: naming the first.
    """
    for source in sources:
        if not source.exists():
            raise DatasetError(f"{source}: does not exist; give the downloaded files or their folder")
