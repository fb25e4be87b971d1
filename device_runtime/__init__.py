"""Answers "you like pancakes, so you may like ..." from one `.tflite` file, offline. Needs numpy alone."""

from device_runtime.datatypes import Contribution, Explanation, Match, Neighbor, SharedValue
from device_runtime.errors import (
    ContradictoryLikesError,
    DamagedFileError,
    DamagedOverlayError,
    FileFormatError,
    InvalidArgumentError,
    InvalidCountError,
    InvalidVectorError,
    InvalidWeightError,
    ItemExistsError,
    MignonError,
    MissingInterpreterError,
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
from device_runtime.recommender import Recommender

__version__ = "0.1.0"

__all__ = [
    "ContradictoryLikesError",
    "Contribution",
    "DamagedFileError",
    "DamagedOverlayError",
    "Explanation",
    "FileFormatError",
    "InvalidArgumentError",
    "InvalidCountError",
    "InvalidVectorError",
    "InvalidWeightError",
    "ItemExistsError",
    "Match",
    "MignonError",
    "MissingInterpreterError",
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
