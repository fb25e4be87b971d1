"""What a file is held against, and every size of it, made once for the tests of a module."""

import pytest

from export.quantization.sizes import BITS, every_size
from export.writing.export_file import judge_of
from training import trained


@pytest.fixture(scope="module")
def source(trained_folder):
    return trained.load(trained_folder)


@pytest.fixture(scope="module")
def judge(trained_folder, source):
    return judge_of(trained_folder, source)


@pytest.fixture(scope="module")
def sizes(judge):
    return every_size(judge, "ptq", BITS, progress=False)
