#!/bin/sh
# tflite-runtime cannot list signatures in a process that imported TensorFlow 2.21 first, 2026-11-30.
#
# Packages: tensorflow-cpu 2.21.0, tflite-runtime 2.14.0, numpy 1.26.4, Python 3.11
#
# Guess before: Two packages that declare no conflict work side by side, in either order of their imports.
#
# Behavior: Imported after TensorFlow, the older interpreter raises "ValueError: vector::reserve" from
# `get_signature_list`, of a file that it lists when it is imported first or alone. So a test suite fails or passes by
# the order of its imports.
#
# Output:
#   tflite_runtime alone: ['best']
#   tflite_runtime, then tensorflow: ['best']
#   tensorflow, then tflite_runtime: ValueError: vector::reserve
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile tensorflow-cpu==2.21.0 tflite-runtime==2.14.0 numpy==1.26.4
cd "$folder"
cat >make.py <<'END'
import tensorflow as tf


class Best(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, 100], tf.float32)])
    def best(self, scores):
        values, ids = tf.math.top_k(scores, 10)
        return {"values": values, "ids": ids}


module = Best()
tf.saved_model.save(module, "saved", signatures={"best": module.best})
open("best.tflite", "wb").write(tf.lite.TFLiteConverter.from_saved_model("saved").convert())
END
cat >ask.py <<'END'
import sys
from importlib import import_module

for name in sys.argv[1].replace(" alone", "").split(", then "):
    import_module(name.replace("_runtime", "_runtime.interpreter"))
from tflite_runtime.interpreter import Interpreter

try:
    found = list(Interpreter("best.tflite").get_signature_list())
except ValueError as error:
    found = f"ValueError: {error}"
print(f"{sys.argv[1]}: {found}")
assert (found == ["best"]) == (not sys.argv[1].startswith("tensorflow")), "the behavior changed"
END
run() {
    venv/bin/python "$@" 2>log || { cat log >&2; exit 1; }
}
run make.py
run ask.py "tflite_runtime alone"
run ask.py "tflite_runtime, then tensorflow"
run ask.py "tensorflow, then tflite_runtime"
