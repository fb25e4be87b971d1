"""The lines of an overlay, each of them sealed; docs/overlay.md describes the format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from device_runtime.changes.kinds import KINDS, Change
from device_runtime.errors import DamagedOverlayError, InvalidArgumentError, OverlayVersionError

OVERLAY_VERSION = 1
MAX_LINE_BYTES = 1 << 16
MAX_FILE_BYTES = 1 << 26
_FORMAT = "mignon overlay"
_SEAL_LENGTH = 16


class End(NamedTuple):
    """Where the next line goes, in bytes from the start of the file, and the seal that it continues."""

    size: int
    seal: bytes

    def after(self, line: bytes) -> End:
        """The end once a sealed `line` is written."""
        return End(self.size + len(line), line[-_SEAL_LENGTH - 1 : -1])


class Log(NamedTuple):
    """The changes in an overlay, oldest first, and where the last of them ends."""

    changes: list[Change]
    end: End


def seal_line(body: bytes, above: bytes) -> bytes:
    """The line with this JSON that follows the seal `above`."""
    return body + b"\t" + _seal(body, above) + b"\n"


def _seal(body: bytes, above: bytes) -> bytes:
    return hashlib.sha256(above + body).hexdigest()[:_SEAL_LENGTH].encode()


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


HEADER = seal_line(_json({"format": _FORMAT, "format_version": OVERLAY_VERSION}), b"")
START = End(0, b"").after(HEADER)


def encode_change(change: Change) -> bytes:
    """The JSON of a change.

    Raises:
        InvalidArgumentError: it is no change, or its line would be too long.
    """
    if not isinstance(change, Change):
        raise InvalidArgumentError(f"{change!r} is not a change; give one of {', '.join(KINDS)}")
    values = {part.name: getattr(change, part.name) for part in fields(change)}
    body = _json({"kind": type(change).__name__.lower(), **values})
    length = len(seal_line(body, START.seal))
    if length > MAX_LINE_BYTES:
        raise InvalidArgumentError(
            f"the change to {values.get('id', '')!r} takes {length} bytes; shorten it to {MAX_LINE_BYTES}"
        )
    return body


def _decode_change(body: bytes) -> Change:
    record = json.loads(body.decode())
    kind = KINDS[record.pop("kind")]
    change: Change = kind(**record)
    return change


def write_log(changes: Sequence[Change]) -> tuple[Log, bytes]:
    """The bytes of an overlay that holds just these changes."""
    parts, end = [HEADER], START
    for change in changes:
        parts.append(seal_line(encode_change(change), end.seal))
        end = end.after(parts[-1])
    return Log(list(changes), end), b"".join(parts)


def parse_log(path: Path, data: bytes) -> Log:
    """The changes in `data`, and where the last of them ends; that is 0 if even the first line was not finished.

    Args:
        path: for messages.

    Raises:
        DamagedOverlayError: a line other than the last was altered, or holds no change.
        OverlayVersionError: it is of a format version that is not known here.
    """
    if HEADER[:-1].startswith(data.rstrip(b"\0")):
        return Log([], End(0, b""))
    _check_header(path, data)
    changes: list[Change] = []
    end = START
    while (stop := data.find(b"\n", end.size)) >= 0:
        body, tab, seal = data[end.size : stop].rpartition(b"\t")
        if not tab or seal != _seal(body, end.seal):
            break
        changes.append(_read_change(path, body, len(changes) + 2, end.size))
        end = End(stop + 1, seal)
    if not _is_unfinished(data[end.size :], end.seal):
        raise _damage(path, len(changes) + 2, end.size, "does not fit its seal: the file was altered")
    return Log(changes, end)


def _is_unfinished(tail: bytes, above: bytes) -> bool:
    """Whether one unfinished write can have left `tail`, which has no intact line at its start."""
    written = tail.rstrip(b"\0")
    if b"\n" in written[:-1] or written.count(b"\t") > 1 or len(written) > MAX_LINE_BYTES:
        return False
    body, _, rest = written.partition(b"\t")
    lost_line_feed = len(rest) > _SEAL_LENGTH and rest[:_SEAL_LENGTH] == _seal(body, above)
    return not lost_line_feed  # an intact line, then something else than a line feed


def _check_header(path: Path, data: bytes) -> None:
    if data.startswith(HEADER):
        return
    body, _, seal = data[:MAX_LINE_BYTES].partition(b"\n")[0].partition(b"\t")
    version = _version(body) if seal == _seal(body, b"") else None
    if version is None or version == OVERLAY_VERSION:
        raise DamagedOverlayError(
            f"{path}, line 1: is not the first line of an overlay: the file was altered, or is another file; restore "
            "it from a copy, or move it away to start anew",
            line=1,
            offset=0,
        )
    raise OverlayVersionError(
        f"{path}: format version {version!r}; this mignon reads version {OVERLAY_VERSION}: install a matching one"
    )


def _version(body: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        record = json.loads(body.decode())
        if isinstance(record, dict) and record.get("format") == _FORMAT:
            return record.get("format_version")
    return None


def _read_change(path: Path, body: bytes, line: int, offset: int) -> Change:
    if len(body) + _SEAL_LENGTH + 2 > MAX_LINE_BYTES:
        raise _damage(path, line, offset, f"is longer than {MAX_LINE_BYTES} bytes")
    try:
        return _decode_change(body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damage(path, line, offset, f"is sealed but holds no change that this mignon knows ({error})") from error


def _damage(path: Path, line: int, offset: int, what: str) -> DamagedOverlayError:
    return DamagedOverlayError(
        f"{path}, line {line}: {what}; the {line - 2} changes before it can be kept: "
        f"`mignon salvage {path}` cuts the file there and leaves a copy",
        line,
        offset,
    )
