#!/bin/sh
# TensorFlow's converter stores a table twice once it is quantized, if it is looked up and multiplied with, 2026-11-30.
#
# Packages: tensorflow-cpu 2.19.1, Python 3.11
#
# Guess before: A table of 5,000 x 16 that GATHER and FULLY_CONNECTED share takes 320,000 bytes in float and a quarter
# with Optimize.DEFAULT.
#
# Behavior: The float file holds the table once. With Optimize.DEFAULT it is stored once with one scale for GATHER and
# once with a scale for each row for FULLY_CONNECTED, and each of the 5,000 scales brings a zero point of eight bytes:
# 2.8 times the size that a quarter would be.
#
# Output:
#   float 321832 bytes, constants of the table's shape: 1
#   int8 222184 bytes, constants of the table's shape: 2, scales 1 and 5000
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile tensorflow-cpu==2.19.1
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import warnings

import numpy as np
import tensorflow as tf

table = np.random.default_rng(0).normal(size=(5000, 16)).astype(np.float32)
table /= np.linalg.norm(table, axis=1, keepdims=True)


class Recommend(tf.Module):
    """The mean of some rows, brought to length 1, times all rows: the ten best."""

    def __init__(self):
        super().__init__()
        self.table = tf.Variable(table)

    @tf.function(input_signature=[tf.TensorSpec([1, 8], tf.int32)])
    def recommend(self, items):
        query = tf.math.l2_normalize(tf.reduce_mean(tf.gather(self.table, items), 1), 1)
        scores, ids = tf.math.top_k(tf.matmul(query, self.table, transpose_b=True), 10)
        return {"scores": scores, "ids": ids}


module = Recommend()
tf.saved_model.save(module, "saved", signatures={"recommend": module.recommend})
files = {}
for name, optimizations in (("float", []), ("int8", [tf.lite.Optimize.DEFAULT])):
    converter = tf.lite.TFLiteConverter.from_saved_model("saved")
    converter.optimizations = optimizations
    files[name] = converter.convert()


def stored(file):
    interpreter = tf.lite.Interpreter(model_content=file)
    return [d for d in interpreter.get_tensor_details() if tuple(d["shape"]) == table.shape]


scales = sorted(len(d["quantization_parameters"]["scales"]) for d in stored(files["int8"]))
print(f"float {len(files['float'])} bytes, constants of the table's shape: {len(stored(files['float']))}")
print(
    f"int8 {len(files['int8'])} bytes, constants of the table's shape: {len(stored(files['int8']))}, "
    f"scales {scales[0]} and {scales[-1]}"
)
assert len(stored(files["float"])) == 1 and scales == [1, 5000], "the behavior changed"
assert len(files["int8"]) > 2.5 * table.size, "the behavior changed"
END
