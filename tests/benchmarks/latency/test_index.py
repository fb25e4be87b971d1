import json

from benchmarks.__main__ import main
from device_runtime.engines.usearch_engine import index_path


def test_each_engine_is_asked_for_items_and_baskets(indexed_path, tmp_path, capsys):
    assert main(["index", "--model", str(indexed_path), "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "index.json").read_text())["results"]
    engines = [r for r in results if r["contestant"] != "reading the table"]
    assert {(r["favorites"], r["contestant"]) for r in engines} == {
        (favorites, f"mignon {engine}") for favorites in (1, 8) for engine in ("numpy", "tflite", "usearch")
    }
    for result in engines:
        by_index = result["contestant"] == "mignon usearch"
        assert (result["rows"], result["dims"], result["exact"]) == (9900, 8, not by_index)
        assert result["recall_at_10"] >= (0.9 if by_index else 1.0)
        assert min(result["microseconds"], result["start_seconds"], result["anonymous_bytes"]) > 0
        extra = index_path(indexed_path).stat().st_size if by_index else 0
        assert result["stored_bytes"] == indexed_path.stat().st_size + extra
    table = capsys.readouterr().out.strip().partition("\n\n")[0]
    assert len(table.splitlines()) == 2 + len(engines)


def test_a_file_without_an_index_is_refused(model_path, capsys):
    assert main(["index", "--model", str(model_path)]) == 2
    assert "--index" in capsys.readouterr().err
