"""Answers "you like pancakes, so you may like ..." from one `.tflite` file, offline. Needs numpy alone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from device_runtime.errors import (
    ContradictoryLikesError,
    DamagedFileError,
    DamagedOverlayError,
    FileFormatError,
    FutureVersionError,
    InvalidArgumentError,
    InvalidCountError,
    InvalidVectorError,
    InvalidWeightError,
    ItemExistsError,
    MignonError,
    MissingEngineError,
    ModelFileError,
    NoFavoritesError,
    OverlayError,
    OverlayLockedError,
    OverlayVersionError,
    OverlayWriteError,
    ReadOnlyError,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.results import Contribution, Explanation, Match, Neighbor, SharedValue

if TYPE_CHECKING:
    from device_runtime.recommender import Recommender

__version__ = "0.1.0"

__all__ = [
    "ContradictoryLikesError",
    "Contribution",
    "DamagedFileError",
    "DamagedOverlayError",
    "Explanation",
    "FileFormatError",
    "FutureVersionError",
    "InvalidArgumentError",
    "InvalidCountError",
    "InvalidVectorError",
    "InvalidWeightError",
    "ItemExistsError",
    "Match",
    "MignonError",
    "MissingEngineError",
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
    "UnknownAttributeError",
    "UnknownItemError",
]

_FORMER_NAMES: dict[str, type[MignonError]] = {
    "ChecksumError": DamagedFileError,
    "DamagedCatalogError": DamagedFileError,
    "DamagedFlatbufferError": DamagedFileError,
    "DamagedManifestError": DamagedFileError,
    "DamagedTableError": DamagedFileError,
    "MissingInterpreterError": MissingEngineError,
    "MissingLibraryError": MissingEngineError,
    "TruncatedFileError": DamagedFileError,
}


def __getattr__(name: str) -> Any:
    if name in _FORMER_NAMES:
        now = _FORMER_NAMES[name]
        warnings.warn(f"{__name__}.{name} is now {now.__name__}", DeprecationWarning, stacklevel=2)
        return now
    if name != "Recommender":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from device_runtime.recommender import Recommender  # here, so that commands may begin before numpy is imported

    return Recommender
