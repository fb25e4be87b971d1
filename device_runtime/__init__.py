"""Answers "you like pancakes, so you may like ..." from one `.tflite` file, offline. Needs numpy alone."""

from device_runtime.datatypes import Match, Neighbor
from device_runtime.errors import (
    ChecksumError,
    DamagedCatalogError,
    DamagedFileError,
    DamagedFlatbufferError,
    DamagedManifestError,
    DamagedTableError,
    FileFormatError,
    FutureVersionError,
    InvalidArgumentError,
    MignonError,
    MissingInterpreterError,
    ModelFileError,
    TruncatedFileError,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.recommender import Recommender

__version__ = "0.1.0"

__all__ = [
    "ChecksumError",
    "DamagedCatalogError",
    "DamagedFileError",
    "DamagedFlatbufferError",
    "DamagedManifestError",
    "DamagedTableError",
    "FileFormatError",
    "FutureVersionError",
    "InvalidArgumentError",
    "Match",
    "MignonError",
    "MissingInterpreterError",
    "ModelFileError",
    "Neighbor",
    "Recommender",
    "TruncatedFileError",
    "UnknownAttributeError",
    "UnknownItemError",
]
