"""How commands end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from device_runtime import MignonError, UnknownItemError
from device_runtime.cli.exit import BAD_INPUT, FAILURE, INTERRUPTED, run
from tests.conftest import ROOT


class _FailureError(MignonError):
    """One for which no input is to blame."""


def _raise(error):
    def body():
        raise error

    return body


@pytest.mark.parametrize("status", [None, 0, 1])
def test_a_body_that_ends_gives_its_own_status(capsys, status):
    assert run(lambda: status, "test") == (status or 0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (MignonError("no such thing"), BAD_INPUT, "test: no such thing\n"),
        (
            UnknownItemError("pancaks", ["Pancakes"]),
            BAD_INPUT,
            "test: no item is called 'pancaks'; did you mean Pancakes?\n",
        ),
        (_FailureError("does not verify"), FAILURE, "test: does not verify\n"),
        (OSError(28, "No space left on device"), FAILURE, "test: out.tflite: No space left on device\n"),
        (KeyboardInterrupt(), INTERRUPTED, "test: interrupted; go on with --resume\n"),
    ],
)
def test_errors_are_one_line_and_a_status(capsys, error, status, line):
    found = run(
        _raise(error),
        "test",
        when_interrupted="go on with --resume",
        failures=(_FailureError,),
        describe_os_error=lambda error: f"out.tflite: {error.strerror}",
    )
    assert found == status
    assert capsys.readouterr() == ("", line)


def test_a_fault_of_the_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0, "test")


def test_nobody_who_reads_the_output_is_a_failure_without_a_word():
    code = "from device_runtime.cli.exit import run; raise SystemExit(run(lambda: print('x' * 10**6), 'test'))"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == FAILURE


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal to send")
def test_an_interrupt_while_numpy_is_imported_shows_no_traceback():
    code = """
import sys
class Slow:
    def find_spec(self, name, *rest):
        if name == "numpy":
            import time
            print("ready", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
from device_runtime.cli import main
raise SystemExit(main(["info", "pyproject.toml"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == (b"", b"")
        assert process.returncode == INTERRUPTED


def test_a_reader_that_has_gone_is_no_traceback(model_path):
    command = f"{sys.executable} -m device_runtime similar {model_path} pancakes -k 200 | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
