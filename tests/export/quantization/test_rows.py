import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.errors import ExportError
from export.quantization.rows import RADIAL_WEIGHT, quantize


def unit_rows(rows, dims, seed=0):
    table = np.random.default_rng(seed).normal(size=(rows, dims)).astype(np.float32)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def objective(rows, table, radius):
    error = rows - table * radius
    return (error**2).sum(axis=1) + (RADIAL_WEIGHT - 1) * (error * table).sum(axis=1) ** 2


@given(st.integers(1, 60), st.integers(2, 40), st.integers(0, 1000))
def test_rows_are_int8_of_nearly_equal_norm(rows, dims, seed):
    table = unit_rows(rows, dims, seed)
    made = quantize(table)
    norms = np.linalg.norm(made.rows.astype(np.float64), axis=1) * made.scale
    assert made.rows.dtype == np.int8
    assert made.rows.min() >= -127
    assert norms.max() == pytest.approx(1, abs=1e-12)
    assert norms.min() > 0.98


def test_no_single_step_would_improve_a_row():
    table = unit_rows(40, 6)
    radius = np.float64(np.float32(127 / np.abs(table).max()))
    rows = quantize(table).rows.astype(np.float64)
    best = objective(rows, table, radius)
    for column in range(6):
        for step in (-1, 1):
            moved = rows.copy()
            moved[:, column] += step
            allowed = np.abs(moved[:, column]) <= 127
            assert (objective(moved, table, radius) > best - 1e-3)[allowed].all()


def test_neighbors_are_kept_better_than_by_plain_rounding():
    table = unit_rows(1500, 16)
    made = quantize(table).rows.astype(np.float64)
    rounded = np.rint(table * (127 / np.abs(table).max())).astype(np.float64)

    def kept(rows):
        return np.mean(
            [
                len(np.intersect1d(np.argsort(-(rows @ rows[i]))[:11], np.argsort(-(table @ table[i]))[:11]))
                for i in range(0, 1500, 5)
            ]
        )

    assert kept(made) > kept(rounded)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_an_error(value):
    table = unit_rows(5, 4)
    table[3] = value
    with pytest.raises(ExportError, match="row 3 of the table has norm"):
        quantize(table)
