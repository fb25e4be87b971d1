import numpy as np

from benchmarks.one_hot.encodings import FIRST_LAYER_UNITS, OneHotRanker, encode_embedding, encode_one_hot


def test_bytes_are_those_of_the_arrays():
    rows = 500
    vectors = np.eye(rows, dtype=np.float32)
    assert encode_one_hot(rows, 32, "").bytes_stored == vectors.nbytes
    assert encode_one_hot(rows, 32, "").bytes_per_input == vectors[0].nbytes
    assert encode_one_hot(rows, 8, "").bytes_stored == vectors.astype(np.int8).nbytes
    assert encode_one_hot(rows, 1, "").bytes_stored == np.packbits(vectors.astype(bool), axis=1).nbytes
    assert encode_embedding(rows, 16, 16).bytes_stored == np.zeros((rows, 16), np.int8).nbytes


def test_weights_are_those_of_keras_layers():
    import tf_keras

    layer = tf_keras.layers.Dense(FIRST_LAYER_UNITS, use_bias=False)
    layer.build((None, 500))
    assert encode_one_hot(500, 32, "").first_layer_weights == layer.count_params()
    lookup, small = tf_keras.layers.Embedding(500, 16), tf_keras.layers.Dense(FIRST_LAYER_UNITS, use_bias=False)
    lookup.build(None)
    small.build((None, 16))
    assert encode_embedding(500, 16, 16).first_layer_weights == lookup.count_params() + small.count_params()


def test_one_hot_ranks_by_nothing_but_index():
    ranker = OneHotRanker(20)
    assert set(ranker.recommend(np.array([3, 4]), 18)) == set(range(20)) - {3, 4}
