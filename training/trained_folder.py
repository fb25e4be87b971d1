"""The files of a trained folder: which there are, whether they are as they were written, how they take their place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.console.files import describe_file, digest_file, making_partial
from training.errors import TrainedFolderError

DIGESTS = "digests.json"
MODEL = "model.keras"
FAMILIES, POPULARITY = "families.csv", "popularity.npy"
_PARTS = {
    "catalog.csv",
    "table.npy",
    "attributes.csv",
    "attributes.npy",
    MODEL,
    "metrics.json",
    "settings.json",
    "triplets.csv",
}
_PREFERENCE_PARTS = {"bias.npy", "preference.json"}


def check_replaceable_folder(folder: Path, *, force: bool = False) -> None:
    """Refuses to replace what is not a trained folder, or holds more than one.

    Args:
        force: replaces any folder, but never a file.

    Raises:
        TrainedFolderError: `folder` exists and is a file, or a folder that holds something else; the message says what.
    """
    if not folder.name:
        raise TrainedFolderError(f"{str(folder)!r}: cannot be replaced; give --out the name of a folder to make")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        found = "a link" if folder.is_symlink() else describe_file(folder)
        raise TrainedFolderError(f"{folder}: is {found}, not a trained folder; give another --out or remove it")
    foreign = [] if force or not folder.is_dir() else _list_foreign(folder)
    if foreign:
        shown = f"{', '.join(foreign[:3])}{f' and {len(foreign) - 3} more' if len(foreign) > 3 else ''}"
        raise TrainedFolderError(
            f"{folder}: holds {shown}, which is no part of a trained folder; give another --out, or --force to remove "
            "all that is there"
        )


def check_digests(folder: Path) -> None:
    """Reads the digests of a trained folder and holds its files against them; numpy is not imported.

    Raises:
        TrainedFolderError: it is missing or incomplete, or a file was altered.
    """
    try:
        digests = _read_digests(folder)
        if digests.keys() - {FAMILIES, POPULARITY} not in (_PARTS, _PARTS | _PREFERENCE_PARTS):
            raise TrainedFolderError(f"{folder / DIGESTS}: does not name the parts of a trained folder; train again")
        for name, digest in digests.items():
            if digest_file(folder / name) != digest:
                raise TrainedFolderError(f"{folder / name}: was altered since it was written; train again")
    except OSError as error:
        raise TrainedFolderError(
            f"{error.filename}: cannot be read ({error.strerror}); give a folder made by `python -m training`"
        ) from error
    except (ValueError, AttributeError) as error:
        raise TrainedFolderError(f"{folder / DIGESTS}: is not a list of digests ({error}); train again") from error


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Gives an empty folder to write to, which takes the place of `folder` when the block ends well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _recover(folder)
    with making_partial(folder, folder=True) as new:
        yield new
        digests = {path.name: digest_file(path) for path in sorted(new.iterdir())}
        (new / DIGESTS).write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n", "utf-8")
        new.chmod(0o755)
        if not folder.exists():
            new.replace(folder)
            return
        old = _old(folder)
        folder.replace(old)
        try:
            new.replace(folder)
        except BaseException:
            old.replace(folder)
            raise
        shutil.rmtree(old)


def _old(folder: Path) -> Path:
    """Where a folder is while another takes its place."""
    return folder.with_name(f".{folder.name}.old")


def _recover(folder: Path) -> None:
    """Ends what a process that was killed between two renames began."""
    old = _old(folder)
    if old.is_dir() and folder.exists():
        shutil.rmtree(old)
    elif old.is_dir():
        old.replace(folder)


def _list_foreign(folder: Path) -> list[str]:
    """What a folder holds beside the parts of a trained one; all that it holds where it is none."""
    held = {path.name for path in folder.iterdir()}
    try:
        parts = {DIGESTS, *_read_digests(folder)}
    except (OSError, ValueError, AttributeError):
        parts = set()
    return sorted(held - parts if "table.npy" in parts else held)


def _read_digests(folder: Path) -> dict[str, Any]:
    digests: dict[str, Any] = json.loads((folder / DIGESTS).read_text("utf-8"))
    digests.keys()  # of an object, not of a list
    return digests
