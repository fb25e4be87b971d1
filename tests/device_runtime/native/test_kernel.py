"""The kernel without Python around it: random tables, by every path, watched for what C does not define."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT

NATIVE, HERE = ROOT / "device_runtime" / "native", ROOT / "tests" / "device_runtime" / "native"
COMPILER = shutil.which("cc")
FLAGS = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
WATCHED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def build(folder, compiler, flags):
    program = folder / "kernel_test"
    subprocess.run([compiler, *FLAGS, *flags, NATIVE / "kernel.c", HERE / "kernel_test.c", "-o", program], check=True)
    return program


@pytest.mark.parametrize("flags", [["-O3"], WATCHED], ids=["fast", "watched"])
def test_answers_are_those_of_sums_in_64_bits(tmp_path, flags):
    done = subprocess.run([build(tmp_path, COMPILER, flags), "400"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("plain: 400 cases are right\n")


@pytest.mark.parametrize(
    ("triple", "emulator", "cpu", "path"),
    [
        ("aarch64-linux-gnu", "qemu-aarch64-static", "cortex-a76", "dotprod"),
        ("aarch64-linux-gnu", "qemu-aarch64-static", "cortex-a72", "neon"),
        ("arm-linux-gnueabihf", "qemu-arm-static", "cortex-a7", "plain"),
    ],
)
def test_so_are_those_of_emulated_arm(tmp_path, triple, emulator, cpu, path):
    compiler = shutil.which(f"{triple}-gcc")
    if compiler is None or shutil.which(emulator) is None:
        pytest.skip(f"needs {triple}-gcc and {emulator}")
    program = build(tmp_path, compiler, ["-O2", "-static"])
    done = subprocess.run([emulator, "-cpu", cpu, program, "40"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{path}: 40 cases are right\n")


def test_avx512_answers_alike_where_it_is_emulated(tmp_path):
    """By SIMDe (Debian's libsimde-dev), whose functions of the same names compute in C: few processors have AVX-512."""
    if sysconfig.get_platform() != "linux-x86_64" or not Path("/usr/include/simde/x86/avx512.h").exists():
        pytest.skip("needs x86-64 and libsimde-dev")
    source = (NATIVE / "kernel.c").read_text("utf-8")
    source = re.sub(r"^(#define FOR_AVX(2|512)) .*", r"\1", source, flags=re.MULTILINE)
    for real, emulated in (
        ("#include <immintrin.h>", "#define SIMDE_ENABLE_NATIVE_ALIASES\n#include <simde/x86/avx512.h>"),
        ('{"avx512", has_avx512,', '{"avx512", is_anywhere,'),
        ('"kernel.h"', f'"{NATIVE / "kernel.h"}"'),
    ):
        assert source.count(real) == 1
        source = source.replace(real, emulated)
    (tmp_path / "kernel.c").write_text(source, "utf-8")
    program = tmp_path / "kernel_test"
    flags = ["-O1", "-mavx2", "-mbmi", "-mpopcnt", "-std=gnu99", "-w"]
    subprocess.run([COMPILER, *flags, tmp_path / "kernel.c", HERE / "kernel_test.c", "-o", program], check=True)
    done = subprocess.run([program, "150"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("avx512: 150 cases are right\n")
