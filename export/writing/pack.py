"""Appends the catalog to the flatbuffer as a ZIP archive and seals the file with a digest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.layout import (
    ALIASES,
    ATTRIBUTES,
    DIGEST_LENGTH,
    FAMILIES,
    FOLDING,
    IDS,
    LARGEST_ENTRY,
    MANIFEST,
    NAMES,
    POPULARITY,
    SEAL,
    VOCABULARY,
    VOCABULARY_VECTORS,
)
from device_runtime.format.manifest import Manifest
from export.writing.folding import tabulate_folding
from training.inputs.catalog import Catalog
from training.trained import Trained

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_MOST_BYTES_FOR_ZOPFLI = 4 << 20
_ITERATIONS = 5  # 15, its default, give less than a thousandth for twice the time


def pack(flatbuffer: bytes, manifest: Manifest, source: Trained) -> bytes:
    """The whole file: flatbuffer, archive, digest.

    Args:
        source: of which the catalog is packed, and the attribute vectors, which are where the rows of the file are.
    """
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "w") as archive:  # at the end of the stream: offsets count from the file's start
        for name, data in _entries(manifest, source):
            _append(archive, stream, name, data)
        archive.comment = SEAL + b"0" * DIGEST_LENGTH
    unsigned = stream.getvalue()[:-DIGEST_LENGTH]
    return unsigned + hashlib.sha256(unsigned).hexdigest().encode()


def _entries(manifest: Manifest, source: Trained) -> Iterator[tuple[str, bytes]]:
    for name, text in _texts(manifest, source):
        yield name, text.encode("utf-8")
    yield VOCABULARY_VECTORS, _int8(source.attribute_vectors)
    if source.catalog.popularity and source.preference is None:  # else the bias says it
        yield POPULARITY, _rank(source.catalog.popularity)


def _texts(manifest: Manifest, source: Trained) -> Iterator[tuple[str, str]]:
    items = source.catalog.items
    yield MANIFEST, json.dumps(manifest.as_record(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    yield IDS, _lines(item.id for item in items)
    yield NAMES, _lines(item.name for item in items)
    yield ALIASES, _lines(f"{row}\t{alias}" for row, item in enumerate(items) for alias in item.other_names)
    yield (
        ATTRIBUTES,
        _lines(
            f"{row}\t{attribute}\t{'|'.join(values)}"
            for row, item in enumerate(items)
            for attribute, values in item.attributes.items()
        ),
    )
    yield VOCABULARY, _lines("\t".join(pair) for pair in source.attributes)
    families = _families_in_use(source.catalog)
    if families:
        yield FAMILIES, _lines("\t".join(family) for family in families)
    yield FOLDING, _lines("\t".join(pair) for pair in tabulate_folding(_texts_to_find(source, families)))


def _texts_to_find(source: Trained, families: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Names of items and families: what somebody may type."""
    for item in source.catalog.items:
        yield from (item.name, *item.other_names)
    yield from (value for _, value in source.attributes)
    yield from (name for _, _, name in families)


def _families_in_use(catalog: Catalog) -> list[tuple[str, str, str]]:
    """The other names of values that some item has."""
    used = {(column, value) for item in catalog.items for column, its in item.attributes.items() for value in its}
    return [(column, value, name) for column, value, name in catalog.families if (column, value) in used]


def _rank(numbers: Sequence[float]) -> bytes:
    """How widely each item is known in 256 steps; only their order counts."""
    levels = sorted(set(numbers))
    step_of = {number: place * 255 // max(1, len(levels) - 1) for place, number in enumerate(levels)}
    return bytes(step_of[number] for number in numbers)


def _int8(vectors: NDArray[np.float32]) -> bytes:
    """One scale for all, which readers need not know: of a sum of these vectors only the direction counts."""
    greatest = float(np.abs(vectors).max(initial=0)) or 1.0
    return np.rint(vectors * (LARGEST_ENTRY / greatest)).astype(np.int8).tobytes()


def _append(archive: zipfile.ZipFile, stream: io.BytesIO, name: str, data: bytes) -> None:
    """Appends an entry deflated by ourselves, since `zipfile` takes no better compressor than zlib."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, wherever it is written: the bytes must not depend on the machine
    info.external_attr = _REGULAR_FILE
    info.compress_type = zipfile.ZIP_DEFLATED
    deflated = _deflate(data)
    info.CRC, info.file_size, info.compress_size = zlib.crc32(data), len(data), len(deflated)
    info.header_offset = stream.tell()
    stream.write(info.FileHeader() + deflated)
    archive.filelist.append(info)
    archive.NameToInfo[name] = info
    archive.start_dir = stream.tell()


def _deflate(data: bytes) -> bytes:
    """Raw deflate: by zopfli a tenth smaller than by zlib, and the same whichever zlib a Python was built with.

    It takes a second for a megabyte, so larger entries, whose sizes hardly count beside their tables, go to zlib.
    """
    if len(data) <= _MOST_BYTES_FOR_ZOPFLI:
        import zopfli.zlib  # not above, for light tests import this module without it

        return bytes(zopfli.zlib.compress(data, numiterations=_ITERATIONS))[2:-4]  # without zlib's header and checksum
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
