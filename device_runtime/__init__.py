"""Answers "you like pancakes, so you may like ..." from one `.tflite` file, offline. Needs numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from device_runtime.errors import (
    ChecksumError,
    ContradictoryLikesError,
    DamagedCatalogError,
    DamagedFileError,
    DamagedFlatbufferError,
    DamagedIndexError,
    DamagedManifestError,
    DamagedOverlayError,
    DamagedTableError,
    FileFormatError,
    FutureVersionError,
    IndexFileError,
    InvalidArgumentError,
    InvalidCountError,
    InvalidVectorError,
    InvalidWeightError,
    ItemExistsError,
    MignonError,
    MissingInterpreterError,
    MissingLibraryError,
    ModelFileError,
    NoFavoritesError,
    OverlayError,
    OverlayLockedError,
    OverlayVersionError,
    OverlayWriteError,
    ReadOnlyError,
    TruncatedFileError,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.results import Contribution, Explanation, Match, Neighbor, SharedValue

if TYPE_CHECKING:
    from device_runtime.recommender import Recommender

__version__ = "0.1.0"

__all__ = [
    "ChecksumError",
    "ContradictoryLikesError",
    "Contribution",
    "DamagedCatalogError",
    "DamagedFileError",
    "DamagedFlatbufferError",
    "DamagedIndexError",
    "DamagedManifestError",
    "DamagedOverlayError",
    "DamagedTableError",
    "Explanation",
    "FileFormatError",
    "FutureVersionError",
    "IndexFileError",
    "InvalidArgumentError",
    "InvalidCountError",
    "InvalidVectorError",
    "InvalidWeightError",
    "ItemExistsError",
    "Match",
    "MignonError",
    "MissingInterpreterError",
    "MissingLibraryError",
    "ModelFileError",
    "Neighbor",
    "NoFavoritesError",
    "OverlayError",
    "OverlayLockedError",
    "OverlayVersionError",
    "OverlayWriteError",
    "ReadOnlyError",
    "Recommender",
    "SharedValue",
    "TruncatedFileError",
    "UnknownAttributeError",
    "UnknownItemError",
]


def __getattr__(name: str) -> Any:
    if name != "Recommender":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from device_runtime.recommender import Recommender  # here, so that commands may begin before numpy is imported

    return Recommender
