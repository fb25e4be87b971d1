#!/bin/sh
# After quantize("int8") a Keras model that scores with its own Embedding runs on, and ranks by integers without scales,
# 2026-11-30.
#
# Packages: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6, Python 3.11
#
# Guess before: `layer.embeddings` stays what the layer looks up, or a model that uses it elsewhere is refused.
#
# Behavior: quantize("int8") replaces `embeddings` by int8 rows, each stretched to 127, and keeps what undoes the
# stretch in another variable. Look-ups through the layer are right to half a percent of the range. A product with
# `embeddings`, the usual way to tie weights by hand, goes on without an error or a warning and has lost the length of
# every row: less than a quarter of the ten best are kept. (ReversibleEmbedding knows of the scales.)
#
# Output:
#   embeddings int8, greatest error of a look-up 0.04 of 12.0
#   of the ten best 23.5 % are kept
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

rng = np.random.default_rng(0)
table = (rng.normal(size=(1000, 16)) * np.exp(rng.normal(0, 0.5, (1000, 1)))).astype(np.float32)
baskets = rng.integers(0, 1000, (200, 8))


class Tied(keras.Model):
    """Scores of all items for the mean of some."""

    def __init__(self):
        super().__init__()
        self.items = keras.layers.Embedding(1000, 16)

    def call(self, ids):
        query = keras.ops.mean(self.items(ids), axis=1)
        return keras.ops.matmul(query, keras.ops.transpose(self.items.embeddings))


def ten_best():
    return np.argsort(-keras.ops.convert_to_numpy(model(baskets)), axis=1)[:, :10]


model = Tied()
model(baskets)
model.items.set_weights([table])
before = ten_best()
model.quantize("int8")
kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(before, ten_best())])
error = np.abs(keras.ops.convert_to_numpy(model.items(baskets)) - table[baskets]).max()
print(
    f"embeddings {model.items.embeddings.dtype}, greatest error of a look-up {error:.2f} of {np.abs(table).max():.1f}"
)
print(f"of the ten best {100 * kept:.1f} % are kept")
assert model.items.embeddings.dtype == "int8" and error < 0.1 and kept < 0.5, "the behavior changed"
END
