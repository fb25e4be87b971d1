import json

import pytest

from device_runtime import Recommender
from device_runtime.cli import main


@pytest.mark.parametrize(
    "arguments",
    [["-k", "3", "pancakes", "borscht"], ["pancakes", "-k", "3", "borscht"], ["pancakes", "borscht", "-k3"]],
)
def test_options_may_stand_before_items(model_path, capsys, arguments):
    assert main(["recommend", str(model_path), "--json", *arguments]) == 0
    expected = Recommender.open(model_path, engine="numpy").recommend(["pancakes", "borscht"], 3)
    assert json.loads(capsys.readouterr().out) == [neighbor._asdict() for neighbor in expected]


@pytest.mark.parametrize("arguments", [["nothing"], ["recommend", "FILE", "a", "--b", "c"], ["find", "FILE", "a", "b"]])
def test_bad_usage_is_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    capsys.readouterr()
