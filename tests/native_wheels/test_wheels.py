"""The kernel as a distribution: built from source, packed, and, where `make wheels` made its environment, by zig."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import device_runtime
from native_wheels.packing import copy_project, pack_wheel, write_metadata
from native_wheels.platforms import PLATFORMS
from tests.conftest import ROOT

NATIVE = ROOT / "device_runtime" / "native"
ZIG = ROOT / ".venv" / "wheels" / "bin" / "python"
ASK = """
import mignon_native
table = mignon_native.Table(bytes([1, 2, 3, 4, 255, 0]), 3, 2, 8)
(found,) = table.best((10).to_bytes(8, "little") + (1).to_bytes(8, "little"), [b""], 2, None)
print(list(memoryview(found).cast("q")))
"""


def read_toml(path):
    return tomllib.loads(path.read_text("utf-8"))


def test_both_distributions_have_one_version():
    version = read_toml(NATIVE / "pyproject.toml")["project"]["version"]
    assert version == device_runtime.__version__
    extras = read_toml(ROOT / "pyproject.toml")["project"]["optional-dependencies"]
    assert extras["native"] == [f"mignon-native=={version}"]


def test_wheels_are_compiled_as_the_sources_are():
    (flags,) = re.findall(r"FLAGS = .* else (\[.*\])", (NATIVE / "setup.py").read_text("utf-8"))
    for flag in re.findall('"[^"]+"', flags):
        assert flag in (ROOT / "native_wheels" / "compiling.py").read_text("utf-8")


def build_from_source(folder, compiler):
    copy_project(NATIVE, ROOT / "LICENSE", folder)
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "built"]
    environment = os.environ | {"CC": compiler}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_without_a_compiler_one_line_says_so(tmp_path):
    done = build_from_source(tmp_path / "native", "no-such-compiler")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("mignon-native: there is no C compiler (no-such-compiler); on Debian: apt install gcc.")


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_compiler_is_enough(tmp_path):
    done = build_from_source(tmp_path / "native", "cc")
    assert done.returncode == 0, done.stderr
    assert asked(tmp_path / "native" / "built") == "[1, 34, 0, 12]"


def asked(folder):
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.short_tag)
def test_a_wheel_is_what_pip_expects_and_the_same_each_time(platform, tmp_path):
    copy_project(NATIVE, ROOT / "LICENSE", tmp_path / "project")
    metadata = write_metadata(tmp_path / "project", tmp_path / "metadata")
    extension = tmp_path / f"mignon_native{platform.suffix}"
    extension.write_bytes(b"\x7fELF")
    digests = set()
    for seconds in (1_000_000_000, 1_600_000_000):
        os.utime(extension, (seconds, seconds))
        wheel = pack_wheel(platform, extension, metadata, tmp_path)
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
        wheel_name = wheel.name
    assert len(digests) == 1
    assert wheel_name == f"mignon_native-{device_runtime.__version__}-cp310-abi3-{platform.tag}.whl"
    with zipfile.ZipFile(tmp_path / wheel_name) as archive:
        names = archive.namelist()
        (about,) = (archive.read(name).decode() for name in names if name.endswith("/WHEEL"))
        (described,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
    assert [name for name in names if ".dist-info/" not in name] == [extension.name]
    assert about.count("Tag: cp310-abi3-") == len(platform.tag.split("."))
    assert "Requires-Python: >=3.10" in described
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_docs_list_every_platform_and_what_was_not_run():
    lines = (ROOT / "docs" / "native.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    told = {row[0]: row[-1] for row in rows}
    for platform in PLATFORMS:
        assert told[platform.name] == (platform.tried or "untried: built and inspected")


@pytest.mark.skipif(
    sysconfig.get_platform() != "linux-x86_64" or not ZIG.with_name("auditwheel").exists(),
    reason="needs x86-64 and the environment of `make wheels`",
)
def test_a_wheel_by_zig_answers(tmp_path):
    folders = ["--out", tmp_path / "out", "--work", tmp_path / "work"]
    command = [ZIG, "-m", "native_wheels", "--only", "manylinux2014_x86_64", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| Linux x86-64 |" in done.stdout
    (wheel,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert asked(tmp_path / "unpacked") == "[1, 34, 0, 12]"
