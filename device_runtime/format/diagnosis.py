"""Says which part of a file was altered whose digest does not fit. Imported only when one does not."""

from __future__ import annotations

import zlib
from mmap import mmap

from device_runtime.errors import DamagedFileError, FileFormatError, ModelFileError
from device_runtime.format import archive
from device_runtime.format.archive import ArchiveError, End, Entry
from device_runtime.format.layout import DIGEST_LENGTH, FLATBUFFER_IDENTIFIER, MANIFEST, SEAL
from device_runtime.format.manifest import Manifest, parse_manifest

_AGAIN = "copy or export it again"
_FOREIGN = "give a .tflite file made by mignon"
_TABLE, _GRAPH, _DIRECTORY, _DIGEST = "table", "graph", "directory", "digest"
_IN_WORDS = {_TABLE: "its table", _GRAPH: "its graph", _DIRECTORY: "the directory of its archive"}


def diagnose(path: str, data: mmap) -> ModelFileError:
    """The error to raise for `data`, the content of `path`, whose digest does not fit: it names what was altered."""
    sealed = data[-DIGEST_LENGTH - len(SEAL) : -DIGEST_LENGTH] == SEAL
    end = archive.find_end(data)
    if not sealed and data.rfind(MANIFEST.encode()) < 0 and (found := _foreign(path, data, end)):
        return found
    if end is None or end.stop != len(data):
        return _error(path, [_DIRECTORY]) if sealed else _of_another_length(path, data, end)
    try:
        entries = archive.read_directory(data, end)
    except ArchiveError:
        return _error(path, [_DIRECTORY])
    return _moved(path, end, entries) or _altered(path, data, entries)


def _foreign(path: str, data: mmap, end: End | None) -> FileFormatError | None:
    if data[4:8] != FLATBUFFER_IDENTIFIER:
        return FileFormatError(f"{path}: is not a TFLite file; {_FOREIGN}")
    if end is not None:
        return FileFormatError(f"{path}: its archive has no {MANIFEST}, so it was not made by mignon; {_FOREIGN}")
    return None


def _of_another_length(path: str, data: mmap, end: End | None) -> DamagedFileError:
    if end is not None and end.stop < len(data):
        return DamagedFileError(f"{path}: has {len(data) - end.stop} bytes too many after its end; {_AGAIN}")
    return DamagedFileError(
        f"{path}: breaks off after {len(data)} bytes, before its digest, or was not made by mignon; {_AGAIN}"
    )


def _moved(path: str, end: End, entries: tuple[Entry, ...]) -> DamagedFileError | None:
    """The error where the directory does not stand where its end record says."""
    start = end.position - end.directory_size
    missing = end.directory_start - start
    if not missing:
        return None
    if entries[-1].stop == start:
        return _error(path, [_DIRECTORY])
    if missing > 0:
        return DamagedFileError(f"{path}: lacks {missing} bytes before the directory of its archive; {_AGAIN}")
    return DamagedFileError(f"{path}: has {-missing} bytes too many before the directory of its archive; {_AGAIN}")


def _altered(path: str, data: mmap, entries: tuple[Entry, ...]) -> ModelFileError:
    altered = archive.altered_entries(data, entries)
    entry = next((entry for entry in entries if entry.name == MANIFEST), None)
    if entry is None:
        return _error(path, [_DIRECTORY])
    if MANIFEST in altered:
        return _error(path, altered)
    try:
        manifest = parse_manifest(path, archive.read_entry(data, entry).decode("utf-8", "replace"))
    except ModelFileError as error:  # of a later version, above all
        return error
    altered = _altered_in_flatbuffer(data, manifest, entries[0].header) + altered
    if altered:
        return _error(path, altered)
    if manifest.graph_crc32 is None:
        return DamagedFileError(f"{path}: its digest does not fit its {len(data)} bytes; {_AGAIN}")
    return DamagedFileError(
        f"{path}: the digest at its end was altered, or bytes that carry nothing: table, graph and catalog fit their "
        f"own checksums; {_AGAIN}",
        _DIGEST,
    )


def _altered_in_flatbuffer(data: mmap, manifest: Manifest, size: int) -> list[str]:
    start = manifest.table_offset
    stop = start + manifest.table_bytes
    if manifest.graph_crc32 is None or stop > size:
        return []
    with memoryview(data) as view:
        fits = {
            _TABLE: zlib.crc32(view[start:stop]) == manifest.table_crc32,
            _GRAPH: zlib.crc32(view[stop:size], zlib.crc32(view[:start])) == manifest.graph_crc32,
        }
    return [part for part, as_it_was in fits.items() if not as_it_was]


def _error(path: str, parts: list[str]) -> DamagedFileError:
    """About the first part, naming all."""
    named = " and ".join(_IN_WORDS.get(part, repr(part)) for part in parts)
    were = "was" if len(parts) == 1 else "were"
    return DamagedFileError(f"{path}: {named} {were} altered since export; {_AGAIN}", parts[0])
