"""What can go wrong while exporting, under one base class."""

from __future__ import annotations

from device_runtime.errors import MignonError


class ExportError(MignonError):
    """The base of every error of this package; its cause is the input or a setting."""


class VerificationError(ExportError):
    """The written file does not do what the Keras model does; it is not kept."""
