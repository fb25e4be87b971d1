#!/bin/sh
# Keras exports an Embedding in 4 bits to a larger LiteRT file than in 8 bits, 2026-11-30.
#
# Packages: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6, Python 3.11
#
# Guess before: `quantize("int4")` and `export(format="litert")` write a file of about half the size of that by "int8".
#
# Behavior: The table is kept as bytes that hold two entries each, and the graph unpacks them at every call; what the
# exporter folds and adds makes the file larger than with 8 bits, which itself is 1.28 times the bytes of the table.
#
# Output:
#   float 321796, int8 102756, int4 108648 bytes; a table of 5000 x 16 in 4 bits has 40000
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np

table = np.random.default_rng(0).normal(size=(5000, 16)).astype(np.float32)
sizes = {}
for mode in ("float", "int8", "int4"):
    ids = keras.Input((8,), batch_size=1, dtype="int32")
    layer = keras.layers.Embedding(5000, 16)
    model = keras.Model(ids, layer(ids))
    layer.set_weights([table])
    if mode != "float":
        model.quantize(mode)
    model.export(f"{mode}.tflite", format="litert", verbose=False)
    sizes[mode] = os.path.getsize(f"{mode}.tflite")
print(", ".join(f"{m} {n}" for m, n in sizes.items()) + f" bytes; a table of 5000 x 16 in 4 bits has {5000 * 16 // 2}")
assert sizes["int4"] > sizes["int8"], "the behavior changed"
END
