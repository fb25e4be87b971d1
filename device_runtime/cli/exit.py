"""How commands end: with an exit status, and one line that says what went wrong."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

from device_runtime.errors import MignonError

FAILURE = 1
BAD_INPUT = 2
INTERRUPTED = 130  # what a shell gives for a command that Ctrl-C ended: 128 and the number of the signal


def run(
    body: Callable[[], int | None],
    name: str,
    *,
    when_interrupted: str = "",
    failures: tuple[type[Exception], ...] = (),
    describe_os_error: Callable[[OSError], str] = str,
) -> int:
    """Runs the body of a command and returns its exit status.

    Args:
        body: does everything, from reading arguments on; the status that it returns is kept, None being 0.
        name: of the command, which stands before the message.
        when_interrupted: what Ctrl-C leaves behind and how to go on; without it, Ctrl-C ends in silence.
        failures: errors for which no argument or input is to blame.
        describe_os_error: what to say of a full disk, a missing right, a taken port.

    Returns:
        The body's own status; 1 for a failure, also where whoever read the output has gone; 2 for bad input, which is
        any other `MignonError`; 130 after Ctrl-C.
    """
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal without a name's letters still shows the rest
        status = body()
        sys.stdout.flush()
    except failures as error:
        return _say(name, error, FAILURE)
    except MignonError as error:
        return _say(name, error, BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain of it at its end
        return FAILURE
    except OSError as error:
        return _say(name, describe_os_error(error), FAILURE)
    except KeyboardInterrupt:
        return _say(name, f"interrupted; {when_interrupted}", INTERRUPTED) if when_interrupted else INTERRUPTED
    return status or 0


def _say(name: str, what: object, status: int) -> int:
    print(f"{name}: {what}", file=sys.stderr)
    return status
