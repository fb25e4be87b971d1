import copy

import pytest

import device_runtime
from device_runtime.errors import DamagedFileError, MissingEngineError


@pytest.mark.parametrize(
    ("former", "now"), [("DamagedTableError", DamagedFileError), ("MissingLibraryError", MissingEngineError)]
)
def test_former_names_go_on_working_and_say_so(former, now):
    with pytest.warns(DeprecationWarning, match=f"{former} is now {now.__name__}"):
        assert getattr(device_runtime, former) is now
    assert former not in device_runtime.__all__


def test_a_copied_damage_keeps_its_part():
    error = copy.copy(DamagedFileError("a.tflite: its table was altered", "table"))
    assert (str(error), error.part) == ("a.tflite: its table was altered", "table")
