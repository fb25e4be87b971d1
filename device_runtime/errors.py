"""What can go wrong, under one base class. Each message says what was found, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable


class MignonError(Exception):
    """The base of every error of this package."""


class ModelFileError(MignonError):
    """The model file is missing, cannot be read, or is not what it should be."""


class DamagedFileError(ModelFileError):
    """The file was cut short or altered: its digest does not fit its bytes.

    Attributes:
        part: the first one that was altered: `table`, `graph` (the rest of the flatbuffer), an entry of the archive
            such as `names.txt`, `directory` (of the archive) or `digest`; None where bytes are missing or too many.
    """

    def __init__(self, message: str, part: str | None = None) -> None:
        self.part = part
        super().__init__(message)


class FileFormatError(ModelFileError):
    """The file is whole, but its parts do not fit together, or it was not made by mignon."""


class FutureVersionError(FileFormatError):
    """The file was made by a later mignon, in a format that is not known here."""


def unreadable(path: str, error: OSError) -> ModelFileError:
    """A model file that cannot be opened."""
    reason = error.strerror or error
    return ModelFileError(f"{path}: cannot be opened ({reason}); give the path of a .tflite file made by mignon")


class InvalidArgumentError(MignonError, ValueError):
    """An argument is out of its range: k below 1, a vector of the wrong length, no favorites."""


class InvalidCountError(InvalidArgumentError):
    """How many results to give is not a whole number from 1."""


class InvalidVectorError(InvalidArgumentError):
    """A vector has another length than those of the model, is zero, or holds what is not finite or no number."""


class InvalidWeightError(InvalidArgumentError):
    """A weight is not a finite number, or is not above 0 where it has to be."""


class NoFavoritesError(InvalidArgumentError):
    """Nothing that is liked was given, so there is nothing to go by."""


class ContradictoryLikesError(InvalidArgumentError):
    """An item is liked and disliked, or has two weights, or all weights cancel out.

    Attributes:
        items: the names of the items that contradict themselves or one another.
    """

    def __init__(self, message: str, items: Iterable[str]) -> None:
        self.items = tuple(items)
        super().__init__(message)


class ItemExistsError(InvalidArgumentError):
    """An item is to be added under an id that another has."""


class UnknownItemError(MignonError, KeyError):
    """No item has this id, name or alias."""

    def __init__(self, asked: str, suggestions: Iterable[str]) -> None:
        self.asked = asked
        self.suggestions = tuple(suggestions)
        super().__init__(asked)

    def __str__(self) -> str:
        if not self.suggestions:
            return f"no item is called {self.asked!r}; `mignon find` searches the names"
        return f"no item is called {self.asked!r}; did you mean {', '.join(self.suggestions)}?"


class UnknownAttributeError(MignonError, KeyError):
    """A filter names an attribute, or a value of it, that no item has."""

    def __str__(self) -> str:
        return str(self.args[0])


class MissingEngineError(MignonError, ImportError):
    """What the engine asked for needs is not installed, cannot be imported, or does not load the file."""


class OverlayError(MignonError):
    """The overlay is missing, cannot be read or written here, or is closed."""


class ReadOnlyError(OverlayError):
    """A change was asked for, and the model was not opened with `writable=True`."""


class DamagedOverlayError(OverlayError):
    """A line other than the last was altered, or a sealed line holds no change.

    Attributes:
        line: its number, counted from 1.
        offset: where it starts, in bytes; everything before it is intact.
    """

    def __init__(self, message: str, line: int, offset: int) -> None:
        super().__init__(message, line, offset)
        self.line = line
        self.offset = offset

    def __str__(self) -> str:
        return str(self.args[0])


class OverlayVersionError(OverlayError):
    """The overlay was written by a mignon whose format this one does not know."""


class OverlayLockedError(OverlayError):
    """Another process, or another `Overlay` of this one, has the overlay open for writing."""


class OverlayWriteError(OverlayError):
    """A change could not be written, as on a full disk; the overlay is as it was before."""
