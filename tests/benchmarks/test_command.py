import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from tests.conftest import ROOT


def test_all_writes_results_and_a_picture(model_path, tmp_path, capsys):
    assert main(["--model", str(model_path), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    assert "one-hot float32" in printed
    assert results["size"][0]["bytes_stored"] == 300 * 300 * 4
    assert {item["name"] for item in results["latency"]} == {"one-hot float32", "embedding, numpy", "embedding, tflite"}
    near = next(item for item in results["likeness"] if item["item"] == "hot dog")
    assert near["one_hot_near"] == near["one_hot_far"] == 0
    assert (tmp_path / "one_hot.png").read_bytes().startswith(b"\x89PNG")


def test_a_missing_model_is_one_line_and_status_2(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--model", str(tmp_path / "none.tflite")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda kind: kind.name)
def test_each_has_a_help_of_its_own(benchmark, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([benchmark.name, "--help"])
    assert exit_.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"python -m benchmarks {benchmark.name}" in printed
    assert benchmark.summarize() in printed


def test_all_are_listed_and_others_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"  {benchmark.name} " in printed or f"  {benchmark.name}\n" in printed for benchmark in BENCHMARKS)
    with pytest.raises(SystemExit) as exit_:
        main(["load"])
    assert exit_.value.code == 2


def test_a_catalog_that_cannot_be_read_is_one_line_and_status_2(tmp_path, capsys):
    assert main(["embedding", "--catalog", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
