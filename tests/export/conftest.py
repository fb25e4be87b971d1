"""What a file is held against, and every size of it, made once for the tests of a module."""

import pytest

from export.quantization.sizes import try_sizes
from export.request import BITS
from export.verification.quality import load_neighbor_judge
from training import trained


@pytest.fixture(scope="module")
def source(trained_folder):
    return trained.load(trained_folder)


@pytest.fixture(scope="module")
def judge(trained_folder, source):
    return load_neighbor_judge(trained_folder, source)


@pytest.fixture(scope="module")
def sizes(judge):
    return try_sizes(judge, "ptq", BITS, progress=False)
