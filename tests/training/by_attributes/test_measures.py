import json

import numpy as np
import pytest

from training.by_attributes import measures
from training.command import main
from training.errors import CatalogError
from training.evaluation.triplets import Triplet
from training.inputs.catalog import read_catalog
from training.inputs.rules import read_rules


@pytest.fixture(scope="module")
def catalog(small_catalog):
    return read_catalog(small_catalog)


def test_training_prints_and_keeps_the_measures(small_catalog, catalog, tmp_path, capsys):
    (tmp_path / "c.csv").write_bytes(small_catalog.read_bytes())
    names = [item.name for item in catalog.items]
    (tmp_path / "c.triplets.csv").write_text(
        "item,near,far,kind\n" + "".join(f'"{names[i]}","{names[i + 1]}","{names[i + 2]}",easy\n' for i in range(20))
    )
    out = tmp_path / "model"
    options = ["--out", str(out), "--epochs", "3", "--no-progress", "--evaluate"]
    assert main(["--catalog", str(tmp_path / "c.csv"), *options]) == 0
    assert "SVD, weighted" in capsys.readouterr().out
    kept = json.loads((out / "metrics.json").read_text())["measures"]
    assert [scores["name"] for scores in kept][1:] == [
        "TF-IDF",
        "TF-IDF, weighted",
        "SVD",
        "SVD, weighted",
        "mignon float32",
    ]


def test_catalogs_that_cannot_be_measured_are_refused(catalog, tmp_path):
    with pytest.raises(CatalogError, match="missing: triplets"):
        measures.check_measurable(tmp_path / "c.csv", catalog, [])
    few = type(catalog)(catalog.items[:50], catalog.columns)
    with pytest.raises(CatalogError, match="has 50 items"):
        measures.check_measurable(tmp_path / "c.csv", few, [Triplet(0, 1, 2, "easy")])


def test_hidden_ingredients_are_not_seen(catalog):
    task = measures._hidden_task(catalog)
    shown = sum(len(item.attributes["ingredients"]) for item in catalog.items)
    column = task.vocabulary.columns.index("ingredients")
    start, end = task.vocabulary.starts[column : column + 2]
    kept = ((task.features.indices >= start) & (task.features.indices < end)).sum()
    assert 0.7 < kept / shown < 0.9


def test_new_items_are_placed_without_training_on_them(catalog, small_catalog):
    triplets = [Triplet(i, (i + 1) % 300, (i + 2) % 300, "easy") for i in range(300)]
    placed, trained = measures.measure_new_items(catalog, triplets, read_rules(small_catalog).weights)
    assert placed.name == "placed by attributes"
    assert 0 < placed.form <= trained.form + 0.2
    assert np.isfinite([placed.triplets, trained.triplets]).all()
