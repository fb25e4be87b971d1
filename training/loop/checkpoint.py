"""A run that can be stopped at any moment: where it stands, written whole or not at all after each epoch."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.console.files import replacing
from training.errors import TrainingError


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        history: what was measured after each epoch, all of one length.
        best: the weights after the best epoch.
    """

    history: list[Any] = field(default_factory=list)
    epochs_done: int = 0
    best_epoch: int = 0
    best: Sequence[NDArray[Any]] = ()


def compute_fingerprint(settings: Any, *parts: Any) -> str:
    """A text that is another for other settings or other data: sparse matrices, arrays or plain values."""
    digest = hashlib.sha256(repr(asdict(settings)).encode())
    for part in parts:
        arrays = (part.indptr, part.indices, part.data) if isinstance(part, csr_matrix) else (part,)
        for array in arrays:
            digest.update(array.tobytes() if isinstance(array, np.ndarray) else repr(array).encode())
    return digest.hexdigest()


def check_writable(folder: Path) -> None:
    """Makes a folder for checkpoints and tries to write there, so that a long run does not fail at its end.

    Raises:
        OSError: it cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


def save_checkpoint(path: Path, fingerprint: str, progress: Progress, variables: Sequence[NDArray[Any]]) -> None:
    """Replaces the checkpoint at `path`; `fingerprint` says what data and settings it belongs to."""
    arrays: dict[str, Any] = {
        "fingerprint": fingerprint,
        "history": np.array(progress.history),
        "epochs_done": progress.epochs_done,
        "best_epoch": progress.best_epoch,
    }
    arrays |= {f"variable_{i}": value for i, value in enumerate(variables)}
    arrays |= {f"best_{i}": value for i, value in enumerate(progress.best)}
    # as np.savez does, which leaves its archive open where the disk is full
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.save(member, array, allow_pickle=False)


def load_checkpoint(path: Path, fingerprint: str, variables: int, best: int) -> tuple[Progress, list[NDArray[Any]]]:
    """The progress, and the values of so many variables.

    Raises:
        TrainingError: it cannot be read or belongs to other data or settings.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            if str(saved["fingerprint"]) != fingerprint:
                raise TrainingError(f"{path}: belongs to other data or other settings; give --restart to train anew")
            progress = Progress(
                saved["history"].tolist(),
                int(saved["epochs_done"]),
                int(saved["best_epoch"]),
                [saved[f"best_{i}"] for i in range(best)],
            )
            return progress, [saved[f"variable_{i}"] for i in range(variables)]
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path}: cannot be read as a checkpoint ({error}); give --restart to train anew"
        ) from error
