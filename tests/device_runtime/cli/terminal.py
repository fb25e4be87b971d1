"""A real terminal for a command: what it shows, and what a person types."""

import os
import pty
import select
import subprocess
import time
from contextlib import contextmanager

from tests.conftest import ROOT
from tests.device_runtime.running import GRACE


class Terminal:
    """A command whose standard input and error are a terminal; its output is apart, unless that is to be shown too."""

    def __init__(self, command, *, show_output=False, **options):
        self._master, slave = pty.openpty()
        output = slave if show_output else subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=slave, stderr=slave, stdout=output, start_new_session=True, **options
        )
        os.close(slave)

    def wait_for(self, text):
        """What is shown until `text` is."""
        shown, give_up = "", time.monotonic() + GRACE
        while text not in shown:
            assert time.monotonic() < give_up, shown
            if select.select([self._master], [], [], 0.1)[0]:
                shown += os.read(self._master, 1 << 16).decode("utf-8", "replace")
        return shown

    def type(self, text):
        os.write(self._master, text.encode())

    def end(self):
        """The exit status and the output."""
        output = self.process.communicate(timeout=GRACE)[0]
        return self.process.returncode, (output or b"").decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        os.close(self._master)


@contextmanager
def terminal(command, **options):
    started = Terminal(command, **options)
    try:
        yield started
    finally:
        started.close()
