import doctest
import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

import training
from device_runtime import MignonError
from tests import tastes
from tests.conftest import ROOT
from training.errors import SettingsError, TrainedFolderError
from training.inputs.interactions import read_interactions

KINDS = ("ballad", "march", "waltz")
SONGS = "id,name,kind,mood\n" + "".join(
    f"s{i},Song {i},{KINDS[i % 3]},{'slow' if i % 2 else 'fast'}\n" for i in range(12)
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "songs.csv").write_text(SONGS)
    tastes.write_log(tastes.clustered(), tmp_path / "log.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("function", [training.train_catalog, training.train_interactions])
def test_the_example_of_its_documentation_runs(function):
    names = {"train_catalog": training.train_catalog, "train_interactions": training.train_interactions}
    examples = doctest.DocTestFinder().find(function, function.__name__, globs=names)
    assert len(examples) == 1
    assert doctest.DocTestRunner().run(examples[0]) == (0, 2)


def test_without_out_nothing_is_written_and_the_same_is_given(folder):
    before = sorted(folder.iterdir())
    trained = training.train_catalog("songs.csv", dims=4, epochs=3)
    assert sorted(folder.iterdir()) == before
    written = training.train_catalog("songs.csv", out="model", dims=4, epochs=3)
    np.testing.assert_array_equal(trained.table, written.table)
    loaded = training.load("model")
    np.testing.assert_array_equal(loaded.table, trained.table)
    assert loaded.metrics == trained.metrics
    assert sorted(path.name for path in folder.iterdir()) == ["log.csv", "model", "songs.csv"]
    assert trained.seconds > 0
    assert loaded.seconds is None


def test_a_search_needs_no_folder_and_the_report_is_handed_over(folder):
    reports = []
    trained = training.train_interactions(
        "log.csv", dims=4, epochs=1, tune=2, tune_dims=[4, 6], min_user=1, on_read=reports.append
    )
    assert trained.metrics["tuning"]["trials"] == 2
    assert trained.settings["dims"] in (4, 6)
    assert json.loads(json.dumps(trained.metrics["log"])) == json.loads(json.dumps(reports[0].as_dict()))
    assert sorted(path.name for path in folder.iterdir()) == ["log.csv", "songs.csv"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 4}, "dim is no setting; give some of dims, epochs"),
        ({"dims": 4.5}, "dims is 4.5; give a whole number from 2 to 1024"),
        ({"dims": "4"}, "dims is '4'; give a whole number"),
        ({"dropout": 0.2}, "dropout is no setting"),
        ({"resume": True}, "give out as well"),
    ],
)
def test_what_cannot_be_set_is_an_error(options, message):
    with pytest.raises(SettingsError, match=message):
        training.train_catalog("songs.csv", **options)


def test_a_folder_of_something_else_is_refused(folder):
    (folder / "photos").mkdir()
    (folder / "photos/cat.jpg").touch()
    for train in (
        lambda: training.train_catalog(out="photos"),
        lambda: training.train_interactions("no", out="photos"),
    ):
        with pytest.raises(TrainedFolderError, match="no part of a trained folder"):
            train()
    with pytest.raises(MignonError):
        training.load("photos")


def test_bounds_are_those_of_reading_a_log():
    given = inspect.signature(training.train_interactions).parameters
    for name, bound in inspect.signature(read_interactions).parameters.items():
        assert name in ("path", "catalog") or given[name].default == bound.default


def test_importing_the_package_imports_nothing_heavy():
    code = """
import sys, training, training.command
heavy = {"tensorflow", "keras", "tf_keras", "sklearn", "optuna"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}), sorted(training.__all__))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['Trained', 'load', 'train_catalog', 'train_interactions']"
