"""What answers over HTTP, shared by the tests of the service and of what it is asked."""

import pytest

from device_runtime import Recommender
from device_runtime.serve.api import Api
from tests.device_runtime.running import running


@pytest.fixture(scope="module", params=["numpy", "tflite"])
def api(request, model_path):
    return Api(Recommender.open(model_path, engine=request.param))


@pytest.fixture(scope="module")
def service(api):
    with running(api) as started:
        yield started


@pytest.fixture
def own_api(model_path):
    """One to change."""
    return Api(Recommender.open(model_path, engine="numpy"))
