import json

import numpy as np
import pytest

from benchmarks.converter import compare as naive
from benchmarks.converter import report, worker
from benchmarks.converter.compare import Effort
from benchmarks.converter.convert import VARIANTS, read_stored_tables
from benchmarks.environments import Environment, UnusableEnvironmentError
from benchmarks.output import write_json
from device_runtime.format.model_file import ModelFile
from export.command import main as export_main
from tests.conftest import SMALL
from tests.interpreters import PACKAGES, needs_tflite_runtime

BASKETS = 50


@pytest.fixture(scope="module")
def compared(trained_folder, model_path, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    return naive.compare(trained_folder, model_path, out, Effort(baskets=BASKETS, rounds=20, processes=1)), out


@pytest.fixture(scope="module")
def rows(compared):
    return {row.name: row for row in compared[0]}


def test_every_variant_and_ours_is_measured_on_every_interpreter(rows, model_path):
    assert list(rows) == ["float32", "default int8", "per-tensor int8", "mignon"]
    for row in rows.values():
        names = [on.interpreter.split()[0].replace("-", "_") for on in row.interpreters]
        assert sorted(names) == sorted(PACKAGES)
        for on in row.interpreters:
            assert (on.error is None) == (on.answers is not None)
    assert rows["mignon"].file_bytes == model_path.stat().st_size
    assert rows["mignon"].flatbuffer_bytes == ModelFile.open(model_path).flatbuffer_size()


@needs_tflite_runtime
def test_default_quantization_does_not_load_on_tflite_runtime(rows):
    tflite, litert = rows["default int8"].interpreters
    assert "FULLY_CONNECTED" in tflite.error
    assert litert.error is None
    assert rows["default int8"].equal_baskets is rows["default int8"].score_difference is None


def test_ours_gives_the_same_ids_for_all_baskets(rows):
    ours = rows["mignon"]
    assert ours.baskets == ours.equal_baskets == BASKETS
    assert ours.score_difference < 1e-6
    for on in ours.interpreters:
        assert on.answers.exact_baskets == BASKETS
        assert on.answers.ratio_to_ours == 1


def test_float_keeps_all_neighbors_and_a_rounded_query_does_not(rows):
    for on in rows["float32"].interpreters:
        assert on.answers.strict_overlap_at_10 > 0.999
        assert on.answers.exact_baskets >= BASKETS - 1
    for on in rows["per-tensor int8"].interpreters:
        assert on.answers.strict_overlap_at_10 <= on.answers.overlap_at_10 < 1
        assert on.answers.exact_baskets < BASKETS


def test_lint_fails_on_every_naive_file_and_passes_ours(rows, compared, model_path):
    files = sorted((compared[1] / "naive").iterdir())
    assert [file.name for file in files] == ["default_int8.tflite", "float32.tflite", "per-tensor_int8.tflite"]
    assert [export_main(["lint", str(file)]) for file in [*files, model_path]] == [1, 1, 1, 0]
    assert {fault.rule for fault in rows["default int8"].faults} >= {"duplicated buffer", "op version"}
    assert rows["mignon"].faults == ()


@needs_tflite_runtime
def test_the_table_has_a_column_for_each_file_and_a_dash_where_one_is_refused(compared):
    lines = report.format_rows(compared[0]).splitlines()
    (equal,) = (line for line in lines if line.startswith("baskets with equal ids"))
    assert equal.split()[-4:][1] == "-"
    assert equal.split()[-1] == str(BASKETS)
    assert report.list_refusals(compared[0])[0].startswith("default int8 on tflite-runtime")


def test_all_is_written_as_json(compared, tmp_path):
    rows, _ = compared
    write_json(rows, tmp_path / "naive.json")
    written = json.loads((tmp_path / "naive.json").read_text())["results"]
    assert [row["name"] for row in written] == [row.name for row in rows]
    errors = [on["error"] for on in written[1]["interpreters"] if on["interpreter"].startswith("tflite-runtime")]
    assert all("FULLY_CONNECTED" in error for error in errors)
    assert written[0]["faults"][0]["remedy"]


def test_stored_tables_are_those_of_the_model_up_to_a_factor(compared, trained_folder):
    table = np.load(trained_folder / "table.npy")
    assert table.shape[0] == SMALL
    for name in VARIANTS:
        for stored in read_stored_tables(compared[1] / "naive" / f"{name.replace(' ', '_')}.tflite"):
            factor = np.abs(table).max() / np.abs(stored).max()
            assert np.abs(stored * factor - table).max() < 0.01


def test_a_missing_environment_is_named_before_anything_is_converted(trained_folder, model_path, tmp_path):
    effort = Effort(environments=(Environment("none", tmp_path / "nowhere", "make test"),))
    with pytest.raises(UnusableEnvironmentError, match=r"nowhere.*make test"):
        naive.compare(trained_folder, model_path, tmp_path, effort)
    assert not list(tmp_path.iterdir())


def test_the_script_asks_the_interpreter_it_runs_beside(model_path):
    request = {"ours": {"path": str(model_path), "questions": [([3], 5), ([3, 4], 5)]}}
    (answers,) = worker.answers(request).values()
    assert answers["error"] is None
    assert [len(ids) for ids in answers["ids"]] == [len(scores) for scores in answers["scores"]] == [5, 5]
    assert worker.times(request)["ours"] > 0
    assert worker.memory(request)["ours"] >= 0
