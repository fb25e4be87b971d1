from dataclasses import replace

import numpy as np
import pytest

from training.by_attributes.trainer import Settings, Trainer, hold_out
from training.errors import SettingsError, TrainingError
from training.inputs.attribute_features import build_vocabulary, featurize
from training.inputs.catalog import read_catalog

SETTINGS = Settings(dims=8, epochs=6, patience=50)


@pytest.fixture(scope="module")
def data(small_catalog):
    catalog = read_catalog(small_catalog)
    vocabulary = build_vocabulary(catalog)
    return featurize([item.attributes for item in catalog.items], vocabulary), vocabulary


def test_the_same_seed_gives_the_same_table_and_another_does_not(data):
    first, again = (Trainer(*data, SETTINGS).run(progress=False).table for _ in range(2))
    other = Trainer(*data, replace(SETTINGS, seed=1)).run(progress=False).table
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_a_resumed_run_equals_an_undisturbed_one(data, tmp_path):
    undisturbed = Trainer(*data, SETTINGS).run(progress=False)
    stopped = Trainer(*data, SETTINGS)
    epochs = stopped._epoch

    def killed_in_the_fourth(epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return epochs(epoch)

    stopped._epoch = killed_in_the_fourth
    with pytest.raises(KeyboardInterrupt):
        stopped.run(tmp_path / "c.npz", progress=False)
    resumed = Trainer(*data, SETTINGS)
    resumed.restore(tmp_path / "c.npz")
    assert resumed.progress.epochs_done == 3
    finished = resumed.run(progress=False)
    np.testing.assert_array_equal(finished.table, undisturbed.table)
    assert finished.history == undisturbed.history


def test_a_checkpoint_of_other_settings_or_none_is_refused(data, tmp_path):
    Trainer(*data, replace(SETTINGS, epochs=1)).run(tmp_path / "c.npz", progress=False)
    with pytest.raises(TrainingError, match="other settings"):
        Trainer(*data, SETTINGS).restore(tmp_path / "c.npz")
    for content in (b"PK not a checkpoint", b""):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
            Trainer(*data, SETTINGS).restore(tmp_path / "bad.npz")


def test_training_predicts_held_out_values_better_than_it_began(data):
    fitted = Trainer(*data, replace(SETTINGS, epochs=20)).run(progress=False)
    assert fitted.history[fitted.best_epoch - 1] == max(fitted.history)
    assert max(fitted.history) > 1.2 * fitted.history[0]


def test_held_out_values_are_hidden_from_training(data):
    features, _ = data
    held_out = hold_out(features, seed=0)
    assert set(held_out.mask.sum(axis=1).tolist()) == {0, 1}
    assert 0.05 < held_out.mask.any(axis=1).mean() < 0.15
    assert (features.indices[held_out.mask] > 0).all()
    assert not held_out.visible.indices[held_out.mask].any()
    assert not held_out.visible.weights[held_out.mask].any()
    assert (held_out.visible.indices > 0).any(axis=1).all()
    np.testing.assert_array_equal(held_out.visible.indices[~held_out.mask], features.indices[~held_out.mask])


def test_the_table_is_made_of_unit_rows_and_attribute_vectors_point_to_them(data):
    features, _ = data
    fitted = Trainer(*data, replace(SETTINGS, epochs=20)).run(progress=False)
    np.testing.assert_allclose(np.linalg.norm(fitted.table, axis=1), 1, atol=1e-5)
    placed = (fitted.values[features.indices] * features.weights[..., None]).sum(axis=1)
    placed /= np.linalg.norm(placed, axis=1, keepdims=True)
    assert np.median((placed * fitted.table).sum(axis=1)) > 0.9


def test_too_few_values_to_hold_out_still_trains():
    vocabulary = build_vocabulary_of([{"kind": ("a",)}, {"kind": ("b",)}])
    features = featurize([{"kind": ("a",)}, {"kind": ("b",)}], vocabulary)
    fitted = Trainer(features, vocabulary, replace(SETTINGS, dims=2, epochs=2)).run(progress=False)
    assert fitted.history == ()
    assert fitted.best_epoch == 2


def build_vocabulary_of(attributes):
    from training.inputs.catalog import Catalog, Item

    items = tuple(Item(i, str(i), str(i), (), a) for i, a in enumerate(attributes))
    return build_vocabulary(Catalog(items, tuple(attributes[0])))


@pytest.mark.parametrize("change", [{"dims": 1}, {"epochs": 0}, {"batch": 0}, {"patience": 0}, {"seed": -1}])
def test_settings_out_of_range_are_errors(change):
    with pytest.raises(SettingsError, match="give a whole number from"):
        Settings(**change)
