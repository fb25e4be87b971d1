import pytest

from tests.device_runtime.changes.overlays import CHANGES, write


@pytest.fixture
def path(tmp_path):
    return tmp_path / "meals.tflite.overlay"


@pytest.fixture
def written(path):
    """An overlay that holds `CHANGES`."""
    return write(path, CHANGES)
