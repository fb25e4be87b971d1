"""The Java library, compiled and asked on a plain JVM; where there is no JDK or no JUnit the reason is printed."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

import device_runtime
from tests.conftest import ROOT
from tests.documents import blocks_of

LIBRARY = ROOT / "device_runtime" / "android" / "library"
GOLDEN = ROOT / "tests" / "golden"
JUNIT = os.environ.get("JUNIT", "/usr/share/java/junit4.jar:/usr/share/java/hamcrest.jar")
TESTS = sorted(f"mignon.{path.stem}" for path in (LIBRARY / "src" / "test").rglob("*Test.java"))
EXAMPLE = """import java.util.*;
import mignon.*;
class Example {{
    public static void main(String[] arguments) {{
{}
    }}
}}
"""

pytestmark = pytest.mark.skipif(shutil.which("javac") is None, reason="Java: not run, because there is no javac")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=ROOT)


def build(folder, *junit):
    done = run("sh", LIBRARY / "build.sh", folder, *junit)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("java"))


def java(built, *arguments):
    return run("java", "-cp", f"{built / 'mignon.jar'}:{built / 'tools'}", *arguments)


def test_all_stored_questions_are_answered_to_the_bit(built):
    done = java(built, "mignon.Conformance", GOLDEN)
    found = json.loads(done.stdout)
    assert (done.returncode, found["failed"]) == (0, []), done.stderr
    assert found["reader"] == "java"
    cases = sum(len(path.read_text("utf-8").splitlines()) for path in GOLDEN.rglob("*.jsonl"))
    assert found["cases"] == found["passed"] == cases


def test_a_wrong_answer_is_told(built, tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "golden")
    path = tmp_path / "golden" / "cases" / "likes.jsonl"
    lines = path.read_text("utf-8").splitlines()
    bits = json.loads(lines[1])["bits"]
    lines[1] = lines[1].replace(str(bits[-1]), str(bits[-1] + 1))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    done = java(built, "mignon.Conformance", tmp_path / "golden")
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == ["likes:2"]


@pytest.mark.skipif(
    not all(map(os.path.exists, JUNIT.split(":"))),
    reason="Java: its own tests not run, because there is no JUnit 4; install Debian's junit4 or set JUNIT",
)
def test_its_own_tests_pass(tmp_path):
    classes = build(tmp_path / "java", JUNIT)
    path = ":".join([str(classes / "test"), str(classes / "tools"), str(classes / "mignon.jar"), JUNIT])
    done = run("java", f"-Dgolden={GOLDEN}", "-cp", path, "org.junit.runner.JUnitCore", *TESTS)
    assert done.returncode == 0, done.stdout


def test_the_same_sources_give_the_same_bytes(built, tmp_path):
    again = build(tmp_path / "again")
    one, other = (hashlib.sha256((folder / "mignon.jar").read_bytes()).hexdigest() for folder in (built, again))
    assert one == other


def test_a_file_is_timed(built):
    done = java(built, "mignon.Bench", GOLDEN / "files" / "meals-8.tflite")
    assert {"open_ms", "recommend_us", "memory"} <= json.loads(done.stdout).keys()


@pytest.mark.parametrize("program", ["Bench", "Conformance"])
def test_usage_is_told(built, program):
    done = java(built, f"mignon.{program}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: java mignon.{program} ")


def test_versions_agree():
    source = (LIBRARY / "src" / "main" / "java" / "mignon" / "Recommender.java").read_text("utf-8")
    assert f'VERSION = "{device_runtime.__version__}"' in source
    assert f'version = "{device_runtime.__version__}"' in (LIBRARY / "build.gradle.kts").read_text("utf-8")


def test_no_source_is_longer_than_ours():
    for path in sorted(LIBRARY.rglob("*.java")):
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= 400, path
        assert max(map(len, lines)) <= 120, path


def test_the_example_of_the_docs_prints_what_it_says(built, tmp_path):
    blocks = blocks_of(ROOT / "docs" / "java.md")
    code = "\n".join(block.code for block in blocks if block.language == "java")
    said = [line for block in blocks if block.language == "text" for line in block.code.splitlines()]
    file = GOLDEN / "files" / "meals-8.tflite"
    code = re.sub(r'"[^"]*\.tflite"', json.dumps(str(file)), code)
    (tmp_path / "Example.java").write_text(EXAMPLE.format(code), "utf-8")
    jar = built / "mignon.jar"
    done = run("javac", "-encoding", "UTF-8", "-cp", jar, "-d", tmp_path, tmp_path / "Example.java")
    assert done.returncode == 0, done.stderr
    done = run("java", "-Dfile.encoding=UTF-8", "-cp", f"{jar}:{tmp_path}", "Example")
    assert done.stdout.splitlines() == said, done.stderr
