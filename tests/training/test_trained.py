import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from training import trained
from training.console.files import digest_file
from training.errors import TrainedFolderError
from training.trained_folder import MODEL


@pytest.fixture
def folder(trained_folder, tmp_path):
    return shutil.copytree(trained_folder, tmp_path / "model")


def test_what_is_saved_is_loaded(trained_folder, tmp_path):
    first = trained.load(trained_folder)
    trained.save(first, tmp_path / "again")
    again = trained.load(tmp_path / "again")
    np.testing.assert_array_equal(first.table, again.table)
    np.testing.assert_array_equal(first.attribute_vectors, again.attribute_vectors)
    assert first.catalog == again.catalog
    assert (first.attributes, first.metrics, first.settings) == (again.attributes, again.metrics, again.settings)
    assert first.table.dtype == np.float32


def test_the_keras_model_looks_the_table_up(trained_folder):
    import tf_keras

    model = tf_keras.models.load_model(trained_folder / MODEL, compile=False)
    table = trained.load(trained_folder).table
    np.testing.assert_array_equal(model(np.arange(len(table))).numpy(), table)


@pytest.mark.parametrize("name", ["table.npy", "catalog.csv", "metrics.json", "model.keras", "attributes.npy"])
def test_an_altered_or_missing_part_is_an_error(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(TrainedFolderError, match="was altered"):
        trained.load(folder)
    (folder / name).unlink()
    with pytest.raises(TrainedFolderError, match="cannot be read"):
        trained.load(folder)


def test_no_folder_and_no_digests_are_errors(tmp_path):
    with pytest.raises(TrainedFolderError, match="cannot be read"):
        trained.load(tmp_path / "none")
    (tmp_path / "digests.json").write_text("[]")
    with pytest.raises(TrainedFolderError, match="not a list of digests"):
        trained.load(tmp_path)


def test_a_table_with_nan_is_an_error_that_names_the_row(folder):
    table = np.load(folder / "table.npy")
    table[7, 3] = np.nan
    np.save(folder / "table.npy", table)
    digests = json.loads((folder / "digests.json").read_text())
    digests["table.npy"] = digest_file(folder / "table.npy")
    (folder / "digests.json").write_text(json.dumps(digests))
    with pytest.raises(TrainedFolderError, match="row 7 holds NaN"):
        trained.load(folder)


def test_only_a_trained_folder_is_replaced(folder, tmp_path):
    loaded = trained.load(folder)
    trained.save(loaded, folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    with pytest.raises(TrainedFolderError, match="no part of a trained folder"):
        trained.save(loaded, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"


def test_a_failure_while_writing_leaves_the_old_folder(folder, monkeypatch, tmp_path):
    loaded = trained.load(folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trained, "_write_keras_model", full)
    with pytest.raises(OSError, match="No space left"):
        trained.save(loaded, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    trained.load(folder)


@pytest.fixture
def preferring(trained_folder):
    first = trained.load(trained_folder)
    bias = np.linspace(-1, 1, len(first.table), dtype=np.float32)
    return replace(first, table=first.table * 3, preference=trained.Preference(bias, 4, 0.5))


def test_a_model_of_what_people_like_is_loaded_as_saved(preferring, tmp_path):
    trained.save(preferring, tmp_path / "likes")
    again = trained.load(tmp_path / "likes")
    np.testing.assert_array_equal(again.preference.bias, preferring.preference.bias)
    assert (again.preference.negative_columns, again.preference.power) == (4, 0.5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"negative_columns": 17}, "does not fit 16 dims"),
        ({"power": 1.5}, "does not fit 16 dims"),
        ({"bias": np.zeros(3, np.float32)}, "is not 300 finite"),
        ({"bias": np.full(300, np.nan, np.float32)}, "is not 300 finite"),
    ],
)
def test_a_preference_that_does_not_fit_is_an_error(preferring, tmp_path, wrong, message):
    trained.save(replace(preferring, preference=replace(preferring.preference, **wrong)), tmp_path / "likes")
    with pytest.raises(TrainedFolderError, match=message):
        trained.load(tmp_path / "likes")
