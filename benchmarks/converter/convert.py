"""The naive path: a Keras model through TFLiteConverter, as one would write it first, and what such a file stores."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema

from training.console.files import replacing
from training.console.quiet_tensorflow import without_chatter
from training.trained_folder import MODEL

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "float32": {},
    "default int8": {"optimizations": [tf.lite.Optimize.DEFAULT]},
    "per-tensor int8": {"optimizations": [tf.lite.Optimize.DEFAULT], "_experimental_disable_per_channel": True},
}
_CONSTANT_TYPES = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT8: np.int8}


def convert(folder: Path, out: Path) -> dict[str, Path]:
    """Each naive file, by the name of its variant."""
    import tf_keras

    module = _Naive(tf_keras.models.load_model(folder / MODEL, compile=False))
    files = {}
    with tempfile.TemporaryDirectory() as saved, without_chatter():
        tf.saved_model.save(module, saved, signatures=module.signatures())
        for name, settings in VARIANTS.items():
            converter = tf.lite.TFLiteConverter.from_saved_model(saved)
            for setting, value in settings.items():
                setattr(converter, setting, value)
            files[name] = out / f"{name.replace(' ', '_')}.tflite"
            with replacing(files[name]) as temporary:
                temporary.write_bytes(converter.convert())
    return files


def read_stored_tables(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The table that `recommend` looks favorites up in, and the one that it multiplies with, from the file itself.

    Both up to a factor, which no ranking shows: with one scale for the table they are integers, and so are all scores.
    """
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))
    (signature,) = (s for s in tree.signatureDefs if s.signatureKey == b"recommend")
    graph = tree.subgraphs[signature.subgraphIndex]

    def constant(kind: int, place: int) -> NDArray[np.float64]:
        index = next(o.inputs[place] for o in graph.operators if _op(tree, o) == kind)
        return _numbers(graph.tensors[index], tree.buffers[graph.tensors[index].buffer].data)

    return constant(schema.BuiltinOperator.GATHER, 0), constant(schema.BuiltinOperator.FULLY_CONNECTED, 1)


def _op(tree: Any, operator: Any) -> int:
    code = tree.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _numbers(tensor: Any, data: NDArray[np.uint8]) -> NDArray[np.float64]:
    numbers = data.view(_CONSTANT_TYPES[tensor.type]).reshape(tensor.shape).astype(np.float64)
    scale = None if tensor.quantization is None else tensor.quantization.scale
    if scale is None or not len(scale):
        return numbers
    scales = np.asarray(scale, np.float64)  # the converter's weights are symmetric: zero points are 0
    return numbers * (scales / scales.max())[:, None]


class _Naive(tf.Module):
    """Look up, average, normalize, multiply with all, top-k: over the table of the Keras model."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.table = model.layers[-1].embeddings

    def recommend(self, items: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.search(tf.reduce_mean(self.model(items), axis=1), k)

    def search(self, vector: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        query = tf.math.l2_normalize(vector, axis=1)
        scores, ids = tf.math.top_k(tf.matmul(query, self.table, transpose_b=True), k)
        return {"ids": ids, "scores": scores}

    def embed(self, items: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"vectors": self.model(items)}

    def signatures(self) -> dict[str, Any]:
        """The same names, inputs and outputs as those of the exported file."""
        basket, items, k = (tf.TensorSpec(shape, tf.int32) for shape in ([1, None], [None], []))
        vector = tf.TensorSpec([1, self.table.shape[1]], tf.float32)
        return {
            "recommend": tf.function(self.recommend).get_concrete_function(items=basket, k=k),
            "search": tf.function(self.search).get_concrete_function(vector=vector, k=k),
            "embed": tf.function(self.embed).get_concrete_function(items=items),
        }
