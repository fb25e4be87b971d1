#!/bin/sh
# Importing tensorflow_model_optimization turns tf.keras into another library, 2026-11-30.
#
# Packages: tensorflow-cpu 2.19.1, tf-keras 2.19.0, tensorflow-model-optimization 0.8.1, Python 3.11
#
# Guess before: An import adds names of its own; `tf.keras` is Keras 3, as the release notes of TensorFlow 2.16 and
# later say.
#
# Behavior: The package sets TF_USE_LEGACY_KERAS=1 when it is imported. `tf.keras` is loaded when it is first used: a
# program that imports both at its top, as all do, gets Keras 2 (tf_keras) from `tf.keras`, and Keras 3 again once the
# import is removed, or once any line before it touches `tf.keras`. Saved files and layers of the two do not mix.
#
# Output:
#   tf.keras.layers.Dense is of keras.src.layers.core.dense without the import
#   tf.keras.layers.Dense is of tf_keras.src.layers.core.dense with it
#   tf.keras.layers.Dense is of keras.src.layers.core.dense with it, where tf.keras was used before
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile tensorflow-cpu==2.19.1 tf-keras==2.19.0 tensorflow-model-optimization==0.8.1
cd "$folder"
cat >ask.py <<'END'
import sys

import tensorflow as tf

if sys.argv[1].endswith("before"):
    tf.keras.layers
if sys.argv[1].startswith("with it"):
    import tensorflow_model_optimization

print("tf.keras.layers.Dense is of", tf.keras.layers.Dense.__module__, sys.argv[1])
assert tf.keras.layers.Dense.__module__.startswith(sys.argv[2]), "the behavior changed"
END
ask() {
    venv/bin/python ask.py "$@" 2>log || { cat log >&2; exit 1; }
}
ask "without the import" keras.src
ask "with it" tf_keras.src
ask "with it, where tf.keras was used before" keras.src
