"""From an extension to a wheel, the same bytes each time."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path

from build import ProjectBuilder
from pyproject_hooks import quiet_subprocess_runner
from wheel.wheelfile import WheelFile

from native_wheels.platforms import Platform

EPOCH = 1577836800  # 2020-01-01, of every file in an archive, as hatchling has it


def copy_project(project: Path, license_file: Path, folder: Path) -> None:
    """Copies what the distribution is made of, since setuptools writes beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    shutil.copy(license_file, folder)


def write_metadata(project: Path, work: Path) -> Path:
    """The folder `.dist-info` that setuptools makes of the project."""
    shutil.rmtree(work, ignore_errors=True)
    return Path(ProjectBuilder(project, runner=quiet_subprocess_runner).metadata_path(work))


def pack_wheel(platform: Platform, extension: Path, metadata: Path, out: Path) -> Path:
    """Writes the wheel of one platform.

    Args:
        platform: what the extension is for.
        extension: a file.
        metadata: a folder `NAME-VERSION.dist-info`.
        out: the folder for the wheel.

    Returns:
        The wheel.
    """
    os.environ["SOURCE_DATE_EPOCH"] = str(EPOCH)  # WheelFile reads it
    wheel = out / f"{metadata.name.removesuffix('.dist-info')}-cp310-abi3-{platform.tag}.whl"
    tags = "".join(f"Tag: cp310-abi3-{tag}\n" for tag in platform.tag.split("."))
    about = f"Wheel-Version: 1.0\nGenerator: native_wheels\nRoot-Is-Purelib: false\n{tags}\n"
    with WheelFile(str(wheel), "w") as archive:
        archive.writestr(extension.name, extension.read_bytes())
        for path in sorted(metadata.rglob("*")):
            if path.is_file() and path.name not in {"WHEEL", "RECORD"}:
                archive.writestr(f"{metadata.name}/{path.relative_to(metadata).as_posix()}", path.read_bytes())
        archive.writestr(f"{metadata.name}/WHEEL", about.encode())
    return wheel


def pack_sources(project: Path, out: Path, work: Path) -> tuple[Path, Path]:
    """Writes the source distribution, for every other platform.

    Returns:
        The archive, and a folder in `work` with what it holds: of a checkout that which is compiled.
    """
    archive = Path(ProjectBuilder(project, runner=quiet_subprocess_runner).build("sdist", out))
    _forget_times(archive)
    shutil.rmtree(work, ignore_errors=True)
    shutil.unpack_archive(archive, work, filter="data")
    return archive, work / archive.name.removesuffix(".tar.gz")


def _forget_times(archive: Path) -> None:
    """Gives every file of an archive one time, and no owner."""
    data = io.BytesIO(archive.read_bytes())
    with (
        tarfile.open(fileobj=data) as old,
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=EPOCH) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = EPOCH, 0, 0, "", ""
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
