#!/bin/sh
# NumPy widens int8 in sums and not in products, and no error state sees it, 2026-11-30.
#
# Packages: numpy 2.4.6 (1.26.4 alike), Python 3.11
#
# Guess before: `row @ row` of an int8 array is as wide as `row.sum()`, or at least `np.errstate(over="raise")` notices.
#
# Behavior: `sum`, `cumsum` and `trace` of int8 are taken in int64, `@`, `dot`, `inner`, `vdot` and `einsum` in int8,
# modulo 256. `np.errstate(all="raise")` and warnings as errors stay silent, for array arithmetic of integers is outside
# of the error state. `np.ptp` and `np.abs` wrap too: the span from -128 to 127 is -1, the absolute value of -128 is
# -128.
#
# Output:
#   sum 2032 int64
#   row @ row 16 int8, is 258064
#   span -1, absolute -128
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import warnings

import numpy as np

warnings.simplefilter("error")
row = np.full(16, 127, np.int8)
ends = np.array([-128, 127], np.int8)
with np.errstate(all="raise"):
    print("sum", row.sum(), row.sum().dtype)
    print("row @ row", row @ row, f"{(row @ row).dtype}, is", np.matmul(row, row, dtype=np.int64))
    print(f"span {np.ptp(ends)}, absolute {np.abs(ends[0])}")
    products = [row @ row, np.dot(row, row), np.inner(row, row), np.vdot(row, row), np.einsum("i,i", row, row)]
assert row.sum() == np.cumsum(row)[-1] == 2032
assert products == [16] * 5 and np.ptp(ends) == -1 and np.abs(ends[0]) == -128, "the behavior changed"
END
