import numpy as np
import pytest

from training.by_attributes.model import AttributeDecoder, ItemEncoder
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import read_catalog


@pytest.fixture(scope="module")
def small(small_catalog):
    catalog = read_catalog(small_catalog)
    vocabulary = build_vocabulary(catalog)
    return vocabulary, featurize([item.attributes for item in catalog.items], vocabulary)


def test_the_encoder_is_a_normalized_weighted_sum(small):
    vocabulary, features = small
    encoder = ItemEncoder(len(features), vocabulary, 8, seed=1)
    rng = np.random.default_rng(0)
    encoder.own.assign(rng.normal(size=encoder.own.shape))
    encoder.column_gain.assign(rng.uniform(0.5, 2, encoder.column_gain.shape))
    vectors = encoder(features.indices, features.weights, np.arange(len(features))).numpy()
    values, gains, own = encoder.values.numpy(), encoder.column_gain.numpy(), encoder.own.numpy()
    for item in range(0, len(features), 50):
        total = own[item].astype(np.float64)
        for index, weight in zip(features.indices[item], features.weights[item], strict=True):
            total = total + values[index] * weight * gains[vocabulary.column_of[index]]
        np.testing.assert_allclose(vectors[item], total / np.linalg.norm(total), atol=1e-5)


def test_the_decoder_gives_probabilities_within_each_column(small):
    vocabulary, _ = small
    decoder = AttributeDecoder(vocabulary, 8, seed=1)
    vectors = np.random.default_rng(0).normal(size=(1, 8)).astype(np.float32)
    indices = np.arange(1, len(vocabulary), dtype=np.int32)[None]
    probabilities = np.exp(decoder(vectors, indices).numpy()[0])
    for start, end in zip(vocabulary.starts, vocabulary.starts[1:], strict=False):
        assert probabilities[start - 1 : end - 1].sum() == pytest.approx(1, abs=1e-5)
