import json

from benchmarks.__main__ import main
from tests.board_games import write_board_games


def test_all_methods_are_measured_alike_on_any_catalog(tmp_path, capsys):
    games = write_board_games(tmp_path / "games.csv", 60)
    options = ["--dims", "4", "8", "--columns", "theme", "weight", "--out", str(tmp_path)]
    assert main(["embedding", "--catalog", str(games), *options]) == 0
    printed = capsys.readouterr().out
    written = json.loads((tmp_path / "embedding.json").read_text())
    methods = [method["name"] for method in written["scores"]["methods"] if method["dims"] == 4]
    assert methods == ["SVD", "mignon", "mignon int8"]
    assert list(written["scores"]["counts"]) == ["all", "theme", "weight"]
    assert "mignon int8" in printed
    assert "placed by attributes" in printed
    assert (tmp_path / "embedding.png").read_bytes().startswith(b"\x89PNG")
