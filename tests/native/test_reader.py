"""The C reader, built by the compiler of this machine: stored cases, damaged files, a microcontroller's memory."""

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from device_runtime import Recommender
from tests.native.seeds import DIGEST_LENGTH, GOLDEN, undeflated
from tests.native.targets import FLAGS, NATIVE, SOURCES

HERE = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SANITIZE = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
TRUSTING = ["-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION", str(NATIVE / "fuzz.c")]

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler here: neither cc, gcc nor clang")


def built(folder, *sources):
    """A program of these sources and the reader, with sanitizers where the compiler has them."""
    program = folder / "program"
    command = [COMPILER, *FLAGS, "-o", str(program), *map(str, sources), *SOURCES, "-lm"]
    if subprocess.run([*command, *SANITIZE], check=False, capture_output=True).returncode != 0:
        subprocess.run(command, check=True)
    return program


def answer(program, *arguments, check=True):
    return subprocess.run([program, *arguments], check=check, capture_output=True, text=True)


def of_many_rows(data, rows):
    """A file of the stored one's meals over and over, until there are so many."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
        end, comment = archive.infolist()[0].header_offset, archive.comment
    manifest = json.loads(entries["manifest.json"])
    start, size = manifest["table_offset"], manifest["rows"] * manifest["columns"]
    table = (data[start : start + size] * rows)[: rows * manifest["columns"]]
    for name in ("ids.txt", "names.txt"):
        lines = entries[name].decode().splitlines()
        numbered = (f"{lines[row % len(lines)]}-{row}" for row in range(rows))
        entries[name] = "".join(f"{line}\n" for line in numbered).encode()
    entries["popularity.uint8"] = (entries["popularity.uint8"] * rows)[:rows]
    entries["manifest.json"] = json.dumps(manifest | {"rows": rows}).encode()
    stream = io.BytesIO()
    stream.write(data[:start] + table + data[start + size : end])
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    unsigned = stream.getvalue()[:-DIGEST_LENGTH]
    return unsigned + hashlib.sha256(unsigned).hexdigest().encode()


def test_it_answers_all_stored_cases_to_the_bit(tmp_path):
    answered = answer(built(tmp_path, HERE / "conformance.c"), GOLDEN, check=False)
    assert answered.returncode == 0, answered.stdout + answered.stderr
    report = json.loads(answered.stdout)
    assert report["cases"] == sum(len(path.read_text("utf-8").splitlines()) for path in GOLDEN.rglob("cases/*.jsonl"))
    assert report["failed"] == []


def test_no_damage_is_opened_and_none_does_harm(tmp_path):
    stored = tmp_path / "stored.tflite"
    stored.write_bytes(undeflated((GOLDEN / "files" / "likes.tflite").read_bytes()))
    program = built(tmp_path, HERE / "refusals.c", *TRUSTING)
    files = [GOLDEN / "files" / "meals-4.tflite", stored]
    answered = answer(program, *files, check=False)
    assert answered.returncode == 0, answered.stderr[-3000:]


def test_a_thousand_items_are_asked_in_32_kb(tmp_path):
    path = tmp_path / "many.tflite"
    path.write_bytes(of_many_rows((GOLDEN / "files" / "meals-8.tflite").read_bytes(), 1000))
    answered = answer(built(tmp_path, NATIVE / "example_mcu.c"), path)
    needed, like, recommended = answered.stdout.splitlines()
    assert int(needed.split()[0]) <= 32768
    meals = Recommender.open(path, engine="numpy")
    ids = [meals._items.ids[row] for row in (7, 42, 11)]
    assert like.split(": ")[1].split() == [found.id for found in meals.similar(ids[0], 5)]
    expected = meals.recommend({ids[0]: 1, ids[1]: 2, ids[2]: -1}, 5)
    assert recommended.split(": ")[1].split() == [found.id for found in expected]


def test_the_benchmark_prints_json(tmp_path):
    program = built(tmp_path, HERE / "bench.c")
    answered = answer(program, GOLDEN / "files" / "meals-8.tflite")
    assert json.loads(answered.stdout).keys() >= {"open_ms", "recommend_us", "memory"}
