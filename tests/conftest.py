"""One small catalog of real meals, trained and exported once for all tests."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from device_runtime import Recommender
from device_runtime.format.model_file import ModelFile

needs_kernel = pytest.mark.skipif(
    importlib.util.find_spec("mignon_native") is None, reason="mignon-native is not installed"
)
ROOT = Path(__file__).parent.parent
WELL_KNOWN = (
    "Pancakes", "Crêpes", "Blini", "Hot dog", "Shawarma", "Greek salad", "Borscht", "Pizza Margherita", "Tiramisu",
    "Baklava", "Falafel", "Hummus", "Doner kebab", "Feijoada",
)  # fmt: skip
SMALL = 300


def pytest_configure() -> None:
    """Examples that repeat themselves, where hypothesis is installed: tests of the runtime alone go without."""
    if importlib.util.find_spec("hypothesis") is None:
        return
    from hypothesis import settings

    settings.register_profile("repeatable", deadline=None, database=None, derandomize=True)
    settings.register_profile("quick", deadline=None, database=None, derandomize=True, max_examples=20)
    settings.register_profile("thorough", deadline=None, database=None, max_examples=2000)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def train(arguments: list[str]) -> int:
    """`python -m training`, TensorFlow imported for it alone."""
    from training.console.quiet_tensorflow import import_tensorflow

    import_tensorflow()
    from training.command import main

    return main(arguments)


def export(arguments: list[str]) -> int:
    """`python -m export`."""
    from training.console.quiet_tensorflow import import_tensorflow

    import_tensorflow()
    from export.command import main

    return main(arguments)


@pytest.fixture(scope="session")
def small_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 of the built-in meals, the well-known ones among them."""
    from training.inputs.catalog import BUILT_IN_CATALOG

    with BUILT_IN_CATALOG.open(encoding="utf-8", newline="") as stream:
        rows = [{name: cell for name, cell in row.items() if name != "known"} for row in csv.DictReader(stream)]
    known = [row for row in rows if row["name"] in WELL_KNOWN]
    assert len(known) == len(WELL_KNOWN)
    others = [row for row in rows if row["name"] not in WELL_KNOWN]
    chosen = np.random.default_rng(0).choice(len(others), SMALL - len(known), replace=False)
    path = tmp_path_factory.mktemp("catalog") / "small.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(known + [others[i] for i in sorted(chosen)])
    return path


@pytest.fixture(scope="session")
def trained_folder(small_catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained folder of the small catalog; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    assert train(["--catalog", str(small_catalog), "--out", str(folder), "--no-progress"]) == 0
    return folder


@pytest.fixture(scope="session")
def model_path(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file exported from it; tests must not change it."""
    path = tmp_path_factory.mktemp("exported") / "meals.tflite"
    assert export([str(trained_folder), "--out", str(path), "--quantize", "ptq"]) == 0
    return path


@pytest.fixture(scope="session")
def model_4_bits(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("exported") / "meals4.tflite"
    options = ["--quantize", "ptq", "--bits", "4"]
    assert export([str(trained_folder), "--out", str(path), *options]) == 0
    return ModelFile.open(path)


@pytest.fixture
def model_copy(model_path: Path, tmp_path: Path) -> Path:
    """A copy of the exported file to do harm to."""
    return Path(shutil.copy(model_path, tmp_path / "copy.tflite"))


@pytest.fixture(scope="session")
def model(model_path: Path) -> ModelFile:
    return ModelFile.open(model_path)


@pytest.fixture(params=["numpy", "tflite", pytest.param("native", marks=needs_kernel)])
def recommender(request: pytest.FixtureRequest, model_path: Path) -> Recommender:
    """The same file behind each engine: every behavior must be the same."""
    return Recommender.open(model_path, engine=request.param)
