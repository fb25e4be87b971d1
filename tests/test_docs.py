"""README and docs: every code block is run or says why not, every path and link is there, options exist."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache

import fastjsonschema
import pytest

from device_runtime.format.layout import MANIFEST
from device_runtime.format.manifest import Manifest
from device_runtime.format.model_file import ModelFile
from tests.conftest import ROOT, export, train
from tests.documents import blocks_of, make_checkout, run_javascript, run_python, run_shell

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]
OTHERS = [ROOT / "training" / "meals.md", ROOT / "tests" / "golden" / "README.md", ROOT / "CHANGELOG.md"]
LANGUAGES = {"sh", "python", "js", "java", "kotlin", "c", "text"}
PATHS = re.compile(r"(?<![\w/.~])((?:[\w.]+/)+[\w.]+\.(?:py|md|csv|toml|json|txt|service|ipynb|sh|svg))\b")
PROGRAM = re.compile(r"(?:^|[\s/])(?:python -m (?P<module>training|export|benchmarks)|mignon)(?P<rest>( .*)?)$")
SUBCOMMANDS = {"training": {"check", "convert"}, "export": {"lint"}}


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.name)


@pytest.fixture(scope="module")
def demo(small_catalog, tmp_path_factory):
    """A trained folder and a file as `make demo` makes them, with rules, of few meals."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(small_catalog, folder / "meals.csv")
    rules = (ROOT / "training" / "meals.toml").read_text("utf-8")
    (folder / "meals.toml").write_text(re.sub(r"(?m)^popularity.*\n", "", rules), "utf-8")  # the few meals lack it
    arguments = ["--catalog", str(folder / "meals.csv"), "--out", str(folder / "model"), "--epochs", "5"]
    assert train([*arguments, "--no-progress"]) == 0
    file = folder / "meals.tflite"
    assert export([str(folder / "model"), "--out", str(file), "--quantize", "ptq", "--no-progress"]) == 0
    return file, folder / "model"


@pytest.fixture
def checkout(demo, tmp_path):
    return make_checkout(tmp_path, *demo)


@named(DOCUMENTS)
def test_blocks_have_a_language_and_only_code_needs_a_reason(path):
    for block in blocks_of(path):
        assert block.language in LANGUAGES, block.code
        assert block.language != "text" or block.reason is None
    assert path.read_text("utf-8").count("\n```") % 2 == 0


@named([path for path in DOCUMENTS if any(b.language == "python" and not b.reason for b in blocks_of(path))])
def test_python_runs(path, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    names = {}
    for block in blocks_of(path):
        if block.language == "python" and not block.reason:
            run_python(block.code, names)


@named([path for path in DOCUMENTS if any(b.language == "sh" and not b.reason for b in blocks_of(path))])
def test_commands_run(path, checkout):
    for block in blocks_of(path):
        if block.language == "sh" and not block.reason:
            run_shell(block.code, checkout)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@named([path for path in DOCUMENTS if any(b.language == "js" and not b.reason for b in blocks_of(path))])
def test_javascript_runs(path, checkout):
    for block in blocks_of(path):
        if block.language == "js" and not block.reason:
            run_javascript(block.code, checkout)


@named(DOCUMENTS)
def test_what_is_not_run_names_options_and_targets_that_exist(path):
    for block in blocks_of(path):
        if block.language == "sh" and block.reason:
            for line in block.code.replace("\\\n", " ").splitlines():
                check_options(line)
                for target in re.findall(r"^make ([a-z0-9-]+)", line):
                    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE), line


def check_options(line):
    found = PROGRAM.search(line)
    if found is None:
        return
    program = found["module"] or "mignon"
    words = shlex.split(found["rest"], comments=True)
    depth = 2 if words[:1] == ["convert"] else 1
    has_subcommand = bool(words) and not words[0].startswith("-") and words[0] in SUBCOMMANDS.get(program, words)
    command = (program, *words[:depth]) if has_subcommand else (program,)
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", help_of(command)), f"{line}: no option {option}"


@cache
def help_of(command):
    program, *subcommand = command
    start = ["-m", "device_runtime" if program == "mignon" else program]
    done = subprocess.run(
        [sys.executable, *start, *subcommand, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


@named([*DOCUMENTS, *OTHERS])
def test_links_and_paths_are_there(path):
    text = path.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in link or (path.parent / link).exists(), link
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for named_path in PATHS.findall(re.sub(r"\]\([^)]*\)", "]", prose)):
        if not named_path.startswith("build/"):
            assert (ROOT / named_path).exists() or (path.parent / named_path).exists(), named_path


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


def test_every_page_is_in_the_table_of_contents():
    contents = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages = [
        path.name for path in (ROOT / "docs").iterdir() if path.suffix in {".md", ".json"} and path.stem != "index"
    ]
    assert [page for page in pages if f"]({page})" not in contents] == []


@pytest.fixture(scope="module")
def schema():
    return json.loads((ROOT / "docs" / "manifest.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["meals-8", "meals-4", "likes"])
def test_manifests_are_as_the_schema_says(schema, name):
    manifest = json.loads(ModelFile.open(ROOT / "tests" / "golden" / "files" / f"{name}.tflite").text(MANIFEST))
    check = fastjsonschema.compile(schema)
    check(manifest)
    for wrong in (
        {"rows": 0},
        {"bits": 2},
        {"scale": 1.0},
        {"table_offset": 8},
        {"format_version": 2},
        {"preference": {}},
    ):
        with pytest.raises(fastjsonschema.JsonSchemaException):
            check(manifest | wrong)


def test_the_schema_has_the_fields_of_the_manifest(schema):
    assert set(schema["properties"]) == set(Manifest._fields)
    assert set(schema["required"]) == set(Manifest._fields) - set(Manifest._field_defaults)
