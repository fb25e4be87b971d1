"""Sizes as people write them."""

from __future__ import annotations

import re

from device_runtime.errors import InvalidArgumentError

_BYTES = {"": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "KIB": 1024, "MIB": 1 << 20}


def parse_bytes(text: str) -> int:
    """Bytes from `65536`, `64KB` (thousands) or `64KiB` (of 1,024).

    Raises:
        InvalidArgumentError: it is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([KM]?I?B?)", text.strip().upper())
    if match is None or match[2] not in _BYTES:
        raise InvalidArgumentError(f"{text!r} is not a number of bytes such as 64KB")
    return int(float(match[1]) * _BYTES[match[2]])
