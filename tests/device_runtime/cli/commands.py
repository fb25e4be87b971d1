"""Commands run within the process of a test."""

import json

from device_runtime.cli import main


def ask(capsys, *arguments):
    """What the command prints as JSON."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)
