"""The examples: the commands are run by tests/test_docs.py, the notebook and the service here."""

import http.client
import json
import re
import shlex
import subprocess
import sys
from contextlib import closing

import pytest

from tests.conftest import ROOT
from tests.documents import make_checkout

EXAMPLES = ROOT / "examples"
UNIT = EXAMPLES / "raspberry_pi" / "mignon.service"


def test_the_notebook_runs_and_is_stored_without_outputs(tmp_path, model_path, trained_folder, monkeypatch):
    from training.console.quiet_tensorflow import import_tensorflow

    import_tensorflow()
    monkeypatch.chdir(make_checkout(tmp_path, model_path, trained_folder))
    notebook = json.loads((EXAMPLES / "songs.ipynb").read_text("utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["language_info"]["name"]) == (4, "python")
    names = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            exec("".join(cell["source"]), names)  # noqa: S102 - our own notebook
    assert [song.name for song in names["songs"].similar("Paranoid", 1)] == ["Enter Sandman"]


def test_the_songs_are_real_rows():
    lines = (EXAMPLES / "songs.csv").read_text("utf-8").splitlines()
    assert len(lines) > 30
    assert lines[0].split(",")[:3] == ["id", "name", "aliases"]


@pytest.mark.parametrize("drop_in", [None, UNIT.with_name("mignon-writable.conf")])
def test_the_service_starts_as_its_unit_says_and_answers(drop_in, model_copy):
    """Started by hand: systemd and its protection are not there in a test."""
    text = UNIT.read_text("utf-8") + (drop_in.read_text("utf-8") if drop_in else "")
    command = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)[-1]
    words = shlex.split(re.sub(r"\S+/meals\.tflite", str(model_copy), command).replace("--host 0.0.0.0", ""))
    assert words[0] == "/opt/mignon/bin/mignon"
    words[words.index("--port") + 1] = "0"
    arguments = [sys.executable, "-m", "device_runtime", *words[1:]]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            port = int(re.search(r"http://[\d.]+:(\d+)/", process.stderr.readline())[1])
            assert fetch(port, "/healthz")
            assert len(fetch(port, "/v1/similar?item=pancakes&k=3")["results"]) == 3
        finally:
            process.terminate()


def fetch(port, path):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return json.load(answer)
