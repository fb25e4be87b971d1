#!/bin/sh
# The order of equal inner products in faiss depends on k, that of equal distances does not, 2026-11-30.
#
# Packages: faiss-cpu 1.15.1, numpy 2.4.6, Python 3.11
#
# Guess before: Of rows that score the same the lower id comes first, or some fixed order; the first five of ten are the
# best five.
#
# Behavior: Flat and scalar-quantized indexes with METRIC_INNER_PRODUCT return the k first of the equal rows, from the
# greatest id down: the first result is row 0 for k = 1, row 4 for k = 5, row 9 for k = 10. So the head of a long list
# is another list than the short one, and pages of results overlap. METRIC_L2 counts up.
#
# Output:
#   inner product, flat: 1 [0], 5 [4, 3, 2, 1, 0], 10 [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
#   inner product, int8: 1 [0], 5 [4, 3, 2, 1, 0], 10 [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
#   L2, flat: 1 [0], 5 [0, 1, 2, 3, 4], 10 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile faiss-cpu==1.15.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import faiss
import numpy as np

rows = np.zeros((200, 16), np.float32)
rows[:, 0] = 1  # all alike
SQ = faiss.ScalarQuantizer
indexes = {
    "inner product, flat": faiss.IndexFlatIP(16),
    "inner product, int8": faiss.IndexScalarQuantizer(16, SQ.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT),
    "L2, flat": faiss.IndexFlatL2(16),
}
for name, index in indexes.items():
    index.train(rows)
    index.add(rows)
    found = {k: index.search(rows[:1], k)[1][0].tolist() for k in (1, 5, 10)}
    print(f"{name}: " + ", ".join(f"{k} {ids}" for k, ids in found.items()))
    for k, ids in found.items():
        expected = list(range(k)) if name.startswith("L2") else list(range(k))[::-1]
        assert ids == expected, "the behavior changed"
END
