"""What callers may pass, checked: texts, counts, shares, weights, vectors, and sizes as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

from device_runtime.errors import InvalidArgumentError, InvalidCountError, InvalidVectorError, InvalidWeightError

if TYPE_CHECKING:  # the changes made on the device are checked without numpy
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

EngineName = Literal["auto", "native", "tflite", "numpy"]
Blend = Literal["each", "together"]
Values = str | Iterable[str]
LARGEST_FLOAT32 = 3.4028234e38
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


def check_count(name: str, value: object) -> int:
    """`value`, called `name` in messages, as an int.

    Raises:
        InvalidCountError: it is not a whole number from 1.
    """
    if type(value) is int and value >= 1:
        return value
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InvalidCountError(f"{name} is {value!r}; give a whole number from 1")
    return int(value)


def check_share(name: str, value: object) -> float:
    """`value`, called `name` in messages, as a float.

    Raises:
        InvalidArgumentError: it is not a number from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidArgumentError(f"{name} is {value!r}; give a number from 0 to 1")
    return float(value)


def check_vector(vector: ArrayLike, dims: int) -> NDArray[np.float32]:
    """`vector` as float32 [dims].

    Raises:
        InvalidVectorError: it has another length, is zero, or holds what is not finite or no number.
    """
    import numpy as np

    try:
        given = np.asarray(vector)
    except ValueError as error:
        raise InvalidVectorError(f"the vector is not a list of {dims} numbers ({error})") from None
    if given.dtype.kind not in "iuf":
        raise InvalidVectorError(f"the vector is not a list of {dims} numbers, but of {given.dtype}")
    with np.errstate(over="ignore"):  # too large a number becomes infinite, and is refused as such
        array = given.astype(np.float32)
    if array.shape != (dims,):
        raise InvalidVectorError(f"the vector has shape {list(array.shape)}; vectors here have [{dims}]")
    if not np.isfinite(array).all():
        raise InvalidVectorError("the vector holds NaN or infinity; give finite numbers")
    if not array.any():
        raise InvalidVectorError("the vector is zero and points nowhere; give one that is not")
    return array


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


def check_weight_of_like(weight: object) -> float:
    """`weight` as a float.

    Raises:
        InvalidWeightError: it is no number above 0, or beyond float32, beside which no other like would count.
    """
    number = checked_weight(weight)
    if not 0 < number <= LARGEST_FLOAT32:
        raise InvalidWeightError(f"the weight is {weight!r}; give a number above 0 and up to {LARGEST_FLOAT32:g}")
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
