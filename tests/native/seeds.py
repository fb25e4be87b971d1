"""Writes the files that a fuzzer starts from: the stored ones as they are, and with entries that are not deflated.

`python tests/native/seeds.py FOLDER`; needs the standard library alone.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden"
DIGEST_LENGTH = 64
LARGEST = 20_000  # bytes of an entry: mutations of small files are tried faster


def undeflated(data: bytes) -> bytes:
    """The same file with its entries stored as they are, sealed anew."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        stream.write(data[: archive.infolist()[0].header_offset])
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as stored:
            for info in archive.infolist():
                if info.file_size <= LARGEST:
                    stored.writestr(zipfile.ZipInfo(info.filename), archive.read(info))
            stored.comment = archive.comment
    unsigned = stream.getvalue()[:-DIGEST_LENGTH]
    return unsigned + hashlib.sha256(unsigned).hexdigest().encode()


def main(folder: Path) -> None:
    """Writes the seeds into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted([*GOLDEN.glob("files/*.tflite"), *GOLDEN.glob("damaged/*.tflite")]):
        (folder / path.name).write_bytes(path.read_bytes())
    for path in sorted(GOLDEN.glob("files/*.tflite")):
        (folder / f"stored-{path.name}").write_bytes(undeflated(path.read_bytes()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
