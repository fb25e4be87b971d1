"""What callers may pass, checked: texts, weights, and sizes as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from numbers import Real

from device_runtime.errors import InvalidArgumentError, InvalidWeightError

Values = str | Iterable[str]
_BYTES = {"": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "KIB": 1024, "MIB": 1 << 20}


def several(values: Values) -> list[str]:
    """One text or several as a list.

    Raises:
        InvalidArgumentError: it is neither.
    """
    if isinstance(values, str):
        return [values]
    if not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{values!r} is neither a text nor a list of texts")
    return list(values)


def checked_weight(weight: object) -> float:
    """`weight` as a float.

    Raises:
        InvalidWeightError: it is no number, or not finite.
    """
    if isinstance(weight, bool) or not isinstance(weight, Real):
        raise InvalidWeightError(f"the weight is {weight!r}; give a number")
    try:
        number = float(weight)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidWeightError(f"the weight is {number}; give a finite number")
    return number


def parse_bytes(text: str) -> int:
    """Bytes from `65536`, `64KB` (thousands) or `64KiB` (of 1,024).

    Raises:
        InvalidArgumentError: it is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([KM]?I?B?)", text.strip().upper())
    if match is None or match[2] not in _BYTES:
        raise InvalidArgumentError(f"{text!r} is not a number of bytes such as 64KB")
    return int(float(match[1]) * _BYTES[match[2]])
