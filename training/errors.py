"""What can go wrong while training. Each message says what was found, where, and what to do."""

from __future__ import annotations

from device_runtime.errors import MignonError


class TrainingError(MignonError):
    """The base of every error of this package; its cause is the input, not the program."""


class CatalogError(TrainingError):
    """A catalog cannot be read, or what it says cannot be used."""


class RulesError(TrainingError):
    """The rules beside a catalog cannot be read."""


class InteractionsError(TrainingError):
    """A log of interactions cannot be read, or nothing of it can be used."""


class DatasetError(TrainingError):
    """A public data set is not in its publisher's form."""


class TrainedFolderError(TrainingError):
    """A trained folder is missing, incomplete or altered."""


class SettingsError(TrainingError):
    """A setting is out of its range."""


class SplitError(TrainingError):
    """Interactions are too few, or lack what a way to split them needs."""


class ScoresError(TrainingError):
    """A recommender gave scores that cannot be ranked."""


class OutputError(TrainingError):
    """What is to be written would replace something else."""


class MissingLibraryError(TrainingError):
    """This Python lacks a library that the workstation needs."""
