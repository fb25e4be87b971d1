"""The newer interface of LiteRT, on a file of ours and on files that answer otherwise than exact integers do."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from export.errors import VerificationError
from export.table import QuantizedTable
from export.tflite.plan import ALL_SIGNATURES, SignaturePlan
from export.verification import compiled_model
from export.verification.compiled_model import check_compiled_model
from export.verification.engines import verify
from export.verification.questions import expect_fixed
from tests.interpreters import PACKAGES


@pytest.fixture
def table(model):
    return QuantizedTable(model.table, model.manifest.scale, 8)


def test_a_good_file_passes_and_nothing_is_said(model_path, table, capfd):
    check_compiled_model(model_path, expect_fixed(table, ALL_SIGNATURES))
    assert capfd.readouterr() == ("", "")


def test_answers_of_another_table_are_refused(model_path, table):
    other = replace(table, rows=np.roll(table.rows, 1, axis=0))
    with pytest.raises(VerificationError, match="recommend_fixed on compiled_model answers"):
        check_compiled_model(model_path, expect_fixed(other, ALL_SIGNATURES))


def test_a_file_without_the_signature_is_not_asked(model_path, table, judge):
    """CompiledModel could not resize the inputs of the others."""
    plan = SignaturePlan(("recommend",))
    assert verify(model_path, table, judge.verified_items()[:5], plan) == ("numpy", *PACKAGES)


def test_where_it_is_not_installed_the_rest_is_verified(model_path, table, judge, monkeypatch):
    monkeypatch.setattr(compiled_model, "_PACKAGE", "no_such_package")
    assert not compiled_model.is_installed()
    assert verify(model_path, table, judge.verified_items()[:5]) == ("numpy", *PACKAGES)


def test_one_older_than_the_interface_is_no_error(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(compiled_model, "find_spec", lambda name: None if "." in name else found(name))
    assert not compiled_model.is_installed()
