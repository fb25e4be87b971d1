"""Appends the catalog to the flatbuffer as a ZIP archive and seals the file with a digest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from device_runtime.model_file import DIGEST_LENGTH, MANIFEST, Manifest
from training.catalog import Catalog

_EPOCH = (1980, 1, 1, 0, 0, 0)
_COMMENT = b"mignon sha256 "
_REGULAR_FILE = 0o100644 << 16


def pack(flatbuffer: bytes, manifest: Manifest, catalog: Catalog) -> bytes:
    """The whole file: flatbuffer, archive, digest."""
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "w") as archive:  # at the end of the stream: offsets count from the file's start
        for name, text in _entries(manifest, catalog):
            archive.writestr(_entry(name), text.encode("utf-8"), zipfile.ZIP_DEFLATED, 9)
        archive.comment = _COMMENT + b"0" * DIGEST_LENGTH
    unsigned = stream.getvalue()[:-DIGEST_LENGTH]
    return unsigned + hashlib.sha256(unsigned).hexdigest().encode()


def _entries(manifest: Manifest, catalog: Catalog) -> Iterator[tuple[str, str]]:
    items = catalog.items
    yield MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    yield "ids.txt", _lines(item.id for item in items)
    yield "names.txt", _lines(item.name for item in items)
    yield "aliases.tsv", _lines(f"{row}\t{alias}" for row, item in enumerate(items) for alias in item.aliases)
    yield (
        "attributes.tsv",
        _lines(
            f"{row}\t{attribute}\t{'|'.join(values)}"
            for row, item in enumerate(items)
            for attribute, values in item.attributes.items()
        ),
    )


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, wherever it is written: the bytes must not depend on the machine
    info.external_attr = _REGULAR_FILE
    return info


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
