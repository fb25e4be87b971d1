"""Answers "you like pancakes, so you may like ..." from one `.tflite` file, offline. Needs numpy alone."""

from device_runtime.datatypes import Match, Neighbor
from device_runtime.errors import (
    DamagedFileError,
    DamagedIndexError,
    FileFormatError,
    IndexFileError,
    InvalidArgumentError,
    MignonError,
    MissingInterpreterError,
    MissingLibraryError,
    ModelFileError,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.recommender import Recommender

__version__ = "0.1.0"

__all__ = [
    "DamagedFileError",
    "DamagedIndexError",
    "FileFormatError",
    "IndexFileError",
    "InvalidArgumentError",
    "Match",
    "MignonError",
    "MissingInterpreterError",
    "MissingLibraryError",
    "ModelFileError",
    "Neighbor",
    "Recommender",
    "UnknownAttributeError",
    "UnknownItemError",
]
