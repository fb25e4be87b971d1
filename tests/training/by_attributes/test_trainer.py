from dataclasses import replace

import numpy as np
import pytest

from training.by_attributes.settings import AttributeSettings
from training.by_attributes.trainer import AttributeTrainer
from training.errors import TrainingError
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import read_catalog

SETTINGS = AttributeSettings(dims=8, epochs=6, patience=50)


@pytest.fixture(scope="module")
def data(small_catalog):
    catalog = read_catalog(small_catalog)
    vocabulary = build_vocabulary(catalog)
    return featurize([item.attributes for item in catalog.items], vocabulary), vocabulary


def test_the_same_seed_gives_the_same_table_and_another_does_not(data):
    first, again = (AttributeTrainer(*data, SETTINGS).run(progress=False).table for _ in range(2))
    other = AttributeTrainer(*data, replace(SETTINGS, seed=1)).run(progress=False).table
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_a_resumed_run_equals_an_undisturbed_one(data, tmp_path):
    undisturbed = AttributeTrainer(*data, SETTINGS).run(progress=False)
    stopped = AttributeTrainer(*data, SETTINGS)
    epochs = stopped.train_epoch

    def killed_in_the_fourth(epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return epochs(epoch)

    stopped.train_epoch = killed_in_the_fourth
    with pytest.raises(KeyboardInterrupt):
        stopped.run(tmp_path / "c.npz", progress=False)
    resumed = AttributeTrainer(*data, SETTINGS)
    resumed.restore(tmp_path / "c.npz")
    assert resumed.progress.epochs_done == 3
    finished = resumed.run(progress=False)
    np.testing.assert_array_equal(finished.table, undisturbed.table)
    assert finished.history == undisturbed.history


def test_a_checkpoint_of_other_settings_or_none_is_refused(data, tmp_path):
    AttributeTrainer(*data, replace(SETTINGS, epochs=1)).run(tmp_path / "c.npz", progress=False)
    with pytest.raises(TrainingError, match="other settings"):
        AttributeTrainer(*data, SETTINGS).restore(tmp_path / "c.npz")
    for content in (b"PK not a checkpoint", b""):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
            AttributeTrainer(*data, SETTINGS).restore(tmp_path / "bad.npz")


def test_training_predicts_held_out_values_better_than_it_began(data):
    fitted = AttributeTrainer(*data, replace(SETTINGS, epochs=20)).run(progress=False)
    assert fitted.history[fitted.best_epoch - 1] == max(fitted.history)
    assert max(fitted.history) > 1.2 * fitted.history[0]


def test_the_table_is_made_of_unit_rows_and_attribute_vectors_point_to_them(data):
    features, _ = data
    fitted = AttributeTrainer(*data, replace(SETTINGS, epochs=20)).run(progress=False)
    np.testing.assert_allclose(np.linalg.norm(fitted.table, axis=1), 1, atol=1e-5)
    placed = (fitted.values[features.indices] * features.weights[..., None]).sum(axis=1)
    placed /= np.linalg.norm(placed, axis=1, keepdims=True)
    assert np.median((placed * fitted.table).sum(axis=1)) > 0.9


def test_too_few_values_to_hold_out_still_trains():
    vocabulary = build_vocabulary_of([{"kind": ("a",)}, {"kind": ("b",)}])
    features = featurize([{"kind": ("a",)}, {"kind": ("b",)}], vocabulary)
    fitted = AttributeTrainer(features, vocabulary, replace(SETTINGS, dims=2, epochs=2)).run(progress=False)
    assert fitted.history == ()
    assert fitted.best_epoch == 2


def build_vocabulary_of(attributes):
    from training.inputs.catalog import Catalog, Item

    items = tuple(Item(i, str(i), str(i), (), a) for i, a in enumerate(attributes))
    return build_vocabulary(Catalog(items, tuple(attributes[0])))
