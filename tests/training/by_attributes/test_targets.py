import numpy as np

from training.by_attributes.targets import hold_out
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import read_catalog


def test_held_out_values_are_hidden_from_training(small_catalog):
    catalog = read_catalog(small_catalog)
    features = featurize([item.attributes for item in catalog.items], build_vocabulary(catalog))
    held_out = hold_out(features, seed=0)
    assert set(held_out.mask.sum(axis=1).tolist()) == {0, 1}
    assert 0.05 < held_out.mask.any(axis=1).mean() < 0.15
    assert (features.indices[held_out.mask] > 0).all()
    assert not held_out.visible.indices[held_out.mask].any()
    assert not held_out.visible.weights[held_out.mask].any()
    assert (held_out.visible.indices > 0).any(axis=1).all()
    np.testing.assert_array_equal(held_out.visible.indices[~held_out.mask], features.indices[~held_out.mask])
