import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests import tastes
from tests.conftest import ROOT
from training import trained
from training.command import main
from training.errors import SettingsError
from training.loop.workers import join_workers


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_two_workers_reach_the_loss_of_one_with_the_same_batch(tmp_path):
    log = tastes.write_log(tastes.clustered(), tmp_path / "log.csv")
    catalog = tastes.write_catalog(120, tmp_path / "c.csv")
    arguments = ["--interactions", str(log), "--catalog", str(catalog), "--dims", "8", "--epochs", "3", "--no-progress"]
    assert main([*arguments, "--out", str(tmp_path / "alone")]) == 0
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    running = []
    for number in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        command = [sys.executable, "-m", "training", *arguments, "--out", str(tmp_path / "together")]
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
    assert [each.wait(timeout=300) for each in running] == [0, 0]
    alone, together = trained.load(tmp_path / "alone"), trained.load(tmp_path / "together")
    for one, other in zip(alone.metrics["history"], together.metrics["history"], strict=True):
        assert other["loss"] == pytest.approx(one["loss"], abs=2e-3)
    np.testing.assert_allclose(together.table, alone.table, atol=0.02 * np.abs(alone.table).max())
    assert not (tmp_path / "together.checkpoint.npz").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "cannot be understood"),
        ('{"cluster": {}}', "cannot be understood"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "is none of the workers"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_an_error(monkeypatch, config, message):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(SettingsError, match=message):
        join_workers()


def test_without_a_configuration_there_is_one_worker(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert join_workers() is None
