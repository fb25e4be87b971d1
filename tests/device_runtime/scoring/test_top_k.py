import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime.scoring import top_k as top_k_module
from device_runtime.scoring.top_k import positions_without, rows_within_reach, top_k


def brute_force(scores, k):
    """Python's own sort: by score from the top, ties by the lower row."""
    return sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=300), st.integers(1, 70), st.sampled_from([0, 1 << 15]))
def test_top_k_is_a_stable_sort(scores, k, many):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top_k_module, "_MANY_ROWS", many)
        patch.setattr(top_k_module, "ROWS_IN_GROUP", 4)
        assert top_k(np.array(scores, np.float32), k).tolist() == brute_force(scores, k)


def test_excluded_rows_never_come_back():
    scores = np.array([3, -np.inf, 5, -np.inf], np.float32)
    assert top_k(scores, 4).tolist() == [2, 0]


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=400),
    st.integers(1, 40),
    st.integers(0, 20),
    st.sampled_from([3, 4096]),
)
def test_no_row_within_reach_is_missed(scores, k, reach, groups):
    k = min(k, len(scores))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top_k_module, "_GROUPS", groups)
        found = rows_within_reach(np.array(scores, np.float32), k, reach).tolist()
    kth = sorted(scores)[-k]
    assert found == sorted(found)
    assert {row for row, score in enumerate(scores) if score >= kth - reach} <= set(found)


@given(st.lists(st.integers(0, 99), unique=True), st.lists(st.integers(0, 99)), st.integers(1, 99), st.booleans())
def test_banned_rows_are_passed_over(rows, banned, k, many):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top_k_module, "_FEW_PAIRS", 0 if many else 1 << 12)
        found = positions_without(np.array(rows, np.int64), np.array(banned, np.int64), k)
    assert [rows[place] for place in found] == [row for row in rows if row not in banned][:k]
