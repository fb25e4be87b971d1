"""A model of what people like as integers: rows of any length, and the bias in one column more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.layout import LARGEST_ENTRY
from device_runtime.format.manifest import InteractionRule
from export.errors import ExportError
from export.table import QuantizedTable
from training.trained import Preference


def quantize_with_bias(vectors: NDArray[np.float32], preference: Preference) -> QuantizedTable:
    """Integers for the vectors float32 [items, dims] under one scale and for the bias under another.

    The entry of the query in the column of the bias makes up for the difference.

    Raises:
        ExportError: all vectors are zero.
    """
    if not np.abs(vectors).max(initial=0):
        raise ExportError("the table is zero; train again, with more interactions")
    step, bias_step = _find_step(vectors), _find_step(preference.bias)
    table = QuantizedTable.from_rows(np.rint(vectors / step).astype(np.int8), 8)
    bias = np.rint(preference.bias / bias_step).astype(np.int8)
    rule = InteractionRule(float(bias_step / step**2), preference.power, preference.negative_columns)
    return replace(table, rows=np.column_stack([table.rows, bias]), rule=rule)


def _find_step(values: NDArray[np.float32]) -> float:
    return float(np.abs(values).max(initial=0)) / LARGEST_ENTRY or 1.0
