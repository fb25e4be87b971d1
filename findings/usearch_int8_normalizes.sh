#!/bin/sh
# An int8 index of usearch brings float vectors to length 1 before it measures, whatever the metric, 2026-11-30.
#
# Packages: usearch 2.26.6, numpy 2.4.6, Python 3.11
#
# Guess before: `dtype="i8"` scales values to the range of int8 in some way that keeps which vector is nearest by inner
# product or L2.
#
# Behavior: Each float vector is divided by its own length and multiplied by 127, also for "ip" and "l2sq", where length
# counts. The nearest by inner product and by L2 is then the nearest by cosine. Arrays of int8 are stored as they are,
# so that an index can hold both kinds, which do not compare.
#
# Output:
#   ip f32: 1 0 2, i8: 2 1 0
#   l2sq f32: 0 2 1, i8: 2 0 1
#   stored of (0, 10, 0, 0): [0, 127, 0, 0], of the same as int8: [0, 10, 0, 0]
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile usearch==2.26.6 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import numpy as np
from usearch.index import Index

rows = np.array([[3, 0, 0, 0], [0, 10, 0, 0], [1, 1, 0, 0]], np.float32)
query = {"ip": np.array([1, 1, 0, 0], np.float32), "l2sq": np.array([4, 2, 0, 0], np.float32)}


def order(metric, dtype):
    index = Index(ndim=4, metric=metric, dtype=dtype)
    index.add(np.arange(3), rows)
    return " ".join(map(str, index.search(query[metric], 3).keys)), index


for metric in query:
    print(f"{metric} f32: {order(metric, 'f32')[0]}, i8: {order(metric, 'i8')[0]}")
floats = order("ip", "i8")[1].get(1).tolist()
index = Index(ndim=4, metric="ip", dtype="i8")
index.add(np.arange(3), rows.astype(np.int8))
print(f"stored of (0, 10, 0, 0): {floats}, of the same as int8: {index.get(1).tolist()}")
assert order("ip", "f32")[0] == "1 0 2" and order("ip", "i8")[0] == "2 1 0", "the behavior changed"
assert order("l2sq", "f32")[0] == "0 2 1" and order("l2sq", "i8")[0] == "2 0 1", "the behavior changed"
assert floats == [0, 127, 0, 0] and index.get(1).tolist() == [0, 10, 0, 0], "the behavior changed"
END
