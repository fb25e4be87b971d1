"""Bad usage and bad input of the workstation's commands: one line, status 2, and nothing heavy imported."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = ["tensorflow", "tf_keras", "polars", "matplotlib", "sklearn", "scipy", "ai_edge_litert", "numpy"]
CASES = [  # the command, its arguments, what is said; {catalog}, {log}, {model} and {text} are files that are there
    ("training", ["--catalog", "nofile.csv"], "nofile.csv: cannot be read"),
    ("training", ["--catalog", "nofile.parquet"], "nofile.parquet: cannot be read"),
    ("training", ["--seed", "x"], "invalid int value"),
    ("training", ["--dims", "0"], "dims is 0"),
    ("training", ["--catalog", "{catalog}", "--out", "{text}"], "begins 'precious'"),
    ("training", ["--catalog", "{catalog}", "--out", "."], "cannot be replaced"),
    ("training", ["--catalog", "{catalog}", "--triplets", "none.csv"], "cannot be read as triplets"),
    ("training", ["--catalog", "{catalog}", "--evaluate", "--columns", "shoe"], "no attribute 'shoe'; there are kind"),
    ("training", ["--catalog", "{catalog}", "--columns", "kind"], "give --evaluate"),
    ("training", ["--catalog", "{catalog}", "--resume", "--out", "{folder}/none"], "no run to continue"),
    ("training", ["--catalog", "{catalog}", "--resume", "--restart", "--out", "{folder}/none"], "give one of them"),
    ("training", ["--interactions", "nofile.csv"], "nofile.csv: cannot be read"),
    ("training", ["--interactions", "{text}"], "none of the known endings"),
    ("training", ["--interactions", "{log}", "--min-user", "0"], "min_user 0"),
    ("training", ["--interactions", "{log}", "--tune", "0"], "tune is 0"),
    ("training", ["--interactions", "{log}", "--catalog", "nofile.csv"], "nofile.csv: cannot be read"),
    ("training", ["check", "nofile"], "cannot be read"),
    ("training", ["convert", "movielens", "nofile", "--out", "{folder}"], "does not exist"),
    ("training", ["convert", "movielens", "{text}", "--out", "{folder}"], "catalog.csv: is a file of"),
    ("export", ["{folder}/none"], "cannot be read"),
    ("export", ["{folder}/none", "--bits", "3"], "invalid choice"),
    ("export", ["{folder}/none", "--max-bytes", "64 apples"], "64 apples"),
    ("export", ["{folder}/none", "--dims", "0"], "0 dims"),
    ("export", ["{folder}/none", "--min-overlap", "2"], "not a share"),
    ("export", ["{folder}/none", "--out", "{text}"], "not written by `python -m export`"),
    ("export", ["{folder}/none", "--report", "{text}"], "give another --report"),
    ("export", ["{folder}/none", "--out", "x.html", "--report", "x.html"], "is what --out writes"),
    ("export", ["{folder}/none", "--frontier", "{text}"], "give --frontier the name of a folder"),
    ("export", ["lint", "nofile"], "cannot be read"),
    ("export", ["lint", "{text}"], "not a TFLite flatbuffer"),
    ("benchmarks", ["--model", "nofile"], "nofile: cannot be read"),
    ("benchmarks", ["nonsense"], "invalid choice"),
    ("benchmarks", ["size", "--model", "{model}", "--out", "{text}"], "is a file; give --out the name of a folder"),
    ("benchmarks", ["size", "--model", "{model}", "--out", "{folder}"], "results.json: is a file of"),
    ("benchmarks", ["map", "--model", "nofile"], "cannot be read"),
    ("benchmarks", ["embedding", "--catalog", "nofile.csv"], "cannot be read"),
    ("benchmarks", ["embedding", "--catalog", "{catalog}", "--dims", "1"], "dims is 1"),
    ("benchmarks", ["embedding", "--catalog", "{catalog}", "--columns", "shoe"], "no attribute 'shoe'"),
    ("benchmarks", ["naive", "--model", "{model}", "none"], "unrecognized arguments"),
    ("benchmarks", ["naive", "--model", "{model}", "--folder", "none"], "none/digests.json: cannot be read"),
    ("benchmarks", ["interactions", "nofile.csv"], "cannot be read"),
    ("benchmarks", ["interactions", "nhanes"], "set MIGNON_NHANES"),
    ("benchmarks", ["interactions", "{log}", "-k", "0"], "0 is below 1"),
    ("benchmarks", ["interactions", "{log}", "--dims", "0"], "dims is 0"),
    ("benchmarks", ["export", "--sizes", "large"], "not a size such as"),
    ("benchmarks", ["generate", "--interactions", "-5"], "-5 is below 1"),
    ("benchmarks", ["generate", "--seed", "-1"], "-1 is below 0"),
    ("benchmarks", ["generate", "--out", "{folder}/log.txt"], "must end in"),
    ("benchmarks", ["generate", "--out", "{log}"], "--force to replace it"),
]
ASK = """
import contextlib, importlib, io, json, sys
results = []
for command, arguments in json.load(sys.stdin):
    sys.argv = ["python -m " + command]
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            module = "benchmarks.__main__" if command == "benchmarks" else command + ".command"
            status = importlib.import_module(module).main(arguments)
        except SystemExit as stop:
            status = stop.code
    results.append((status, said.getvalue(), [name for name in HEAVY if name in sys.modules]))
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each case ends with; all are asked in one process, so what one imports shows in those after it."""
    folder = tmp_path_factory.mktemp("usage")
    files = {"catalog": "c.csv", "log": "log.csv", "model": "m.tflite", "text": "precious.txt"}
    (folder / files["catalog"]).write_text("id,name,kind\n1,A,x\n2,B,x\n")
    (folder / files["log"]).write_text("user_id,item_id\nu,i\n")
    (folder / files["model"]).write_bytes(b"\0\0\0\0TFL3")
    for name in (files["text"], "results.json", "catalog.csv"):
        (folder / name).write_text("precious")
    names = {name: str(folder / file) for name, file in files.items()} | {"folder": str(folder)}
    asked = [(command, [argument.format(**names) for argument in arguments]) for command, arguments, _ in CASES]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code = f"HEAVY = {HEAVY}\n{ASK}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "MIGNON_NHANES"},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=lambda number: " ".join((CASES[number][0], *CASES[number][1]))
)
def test_is_told_in_one_line_before_anything_heavy_is_imported(answers, number):
    status, said, imported = answers[number]
    assert status == 2
    assert CASES[number][2] in said
    assert said.startswith("usage:") or said.count("\n") == 1
    assert imported == []
