import numpy as np
import polars
import pytest

from benchmarks.__main__ import main
from benchmarks.generated import logs
from benchmarks.generated.logs import LogShape, write_log


def test_is_of_the_size_asked_and_repeats_itself(tmp_path):
    options = ["--interactions", "3000", "--items", "50", "--users", "40"]
    for name in ("a.parquet", "b.parquet", "c.csv", "d.jsonl"):
        assert main(["generate", *options, "--out", str(tmp_path / name)]) == 0
    frame = polars.read_parquet(tmp_path / "a.parquet")
    assert frame.columns == ["user_id", "item_id", "weight", "timestamp"]
    assert len(frame) == 3000
    assert frame["user_id"].n_unique() <= 40
    assert frame["item_id"].n_unique() <= 50
    assert frame["weight"].is_between(1, 5).all()
    assert frame.equals(polars.read_parquet(tmp_path / "b.parquet"))
    assert frame.equals(polars.read_csv(tmp_path / "c.csv"))
    assert frame.equals(polars.read_ndjson(tmp_path / "d.jsonl"))


def test_items_follow_zipf_and_users_stay_in_their_clusters(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "CHUNK", 30_000)
    write_log(LogShape(100_000, 2000, 500), tmp_path / "log.parquet")
    frame = polars.read_parquet(tmp_path / "log.parquet")
    assert len(frame) == 100_000
    counts = frame["item_id"].value_counts()["count"].sort(descending=True).to_numpy()
    ranks = np.arange(1, 201)
    slope = np.polyfit(np.log(ranks), np.log(counts[:200]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.25)
    users, items = (frame[name].cast(polars.Categorical).to_physical().to_numpy() for name in ("user_id", "item_id"))
    eaten = np.zeros((500, 2000))
    np.add.at(eaten, (users, items), 1)
    eaten -= np.outer(eaten.sum(1), eaten.sum(0)) / eaten.sum()  # what popularity alone would give
    strength = np.linalg.svd(eaten, compute_uv=False)
    assert strength[2] > 3 * strength[4]  # four clusters are three directions


def test_bad_options_are_one_line(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["generate", "--interactions", "0", "--out", "log.csv"])
    assert exit_.value.code == 2
    assert "0 is below 1" in capsys.readouterr().err
    assert main(["generate", "--out", "log.txt"]) == 2
    assert capsys.readouterr().err == "benchmarks: log.txt must end in one of .parquet, .csv, .jsonl\n"
    assert main(["generate", "--interactions", "9", "--items", "9", "--out", "/dev/null/log.csv"]) == 1
    assert "/dev/null/log.csv" in capsys.readouterr().err
