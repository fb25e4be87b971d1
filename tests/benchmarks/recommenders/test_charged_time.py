import time

import pytest
from scipy.sparse import csr_matrix

from benchmarks.recommenders.charged_time import Clock, Shared

ONE, OTHER = csr_matrix((2, 3)), csr_matrix((2, 3))


def test_what_is_shared_is_computed_once_a_matrix_and_numbers():
    calls = []

    def compute(_, *numbers):
        calls.append(numbers)
        return len(calls)

    shared = Shared(compute)
    assert [shared(ONE, 1), shared(ONE, 1), shared(ONE, 2), shared(OTHER, 2), shared(OTHER, 2)] == [1, 1, 2, 3, 3]
    assert calls == [(1,), (2,), (2,)]


def test_who_asks_again_is_charged_as_if_it_were_computed(monkeypatch):
    now = [0.0, 0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: now[1])

    def pass_time(_, wall):
        now[0] += wall
        now[1] += wall / 2

    inner = Shared(pass_time)
    outer = Shared(lambda train: (inner(train, 8.0), pass_time(train, 2.0)))
    for _ in range(2):
        clock = Clock()
        inner(ONE, 8.0)
        assert clock.spent() == pytest.approx((8, 4))
        clock = Clock()
        outer(ONE)
        assert clock.spent() == pytest.approx((10, 5))
    assert now == [10, 5]
