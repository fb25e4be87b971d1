import pytest

from device_runtime import InvalidArgumentError
from tests.soak import load
from tests.soak.__main__ import main
from tests.soak.questions import Question


def test_a_server_that_takes_changes_meets_a_short_load_without_fault(model_path):
    seen = load.run(model_path, minutes=0.5, clients=4, most_requests=1600)
    assert seen.faults == {}
    assert 0 < seen.requests <= 1600
    changes = {kind for kind, status in seen.outcomes if status == 200} & {"add", "rename", "like", "forget"}
    assert changes == {"add", "rename", "like", "forget"}
    assert {"batch", "explain", "score", "diversify", "dislikes"} <= {kind for kind, _ in seen.outcomes}
    assert {status for _, status in seen.outcomes} >= {200, 400, 404, 409, 411, 413}
    assert "faults of the server: none" in load.format_load(seen)


def question(answer):
    return Question("similar", "GET", "/v1/similar", None, {}, 200, answer)


BLINI, ADDED = '{"id": "blini", "name": "Blini", "score": 0.5}', '{"id": "load-1", "name": "x", "score": 0.6}'
OTHER = '{"id": "latkes", "name": "Latkes", "score": 0.4}'


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (f"{BLINI}, {OTHER}", True),
        (f"{ADDED}, {BLINI}", True),
        (f"{BLINI}, {ADDED}", True),
        (f"{OTHER}, {BLINI}", False),
        (f"{ADDED}, {OTHER}", False),
        (BLINI, False),
        (f"{BLINI}, {OTHER.replace('0.4', '0.4001')}", False),
    ],
)
def test_only_added_items_may_come_between_the_others(found, right):
    asked = question(f'{{"results": [{BLINI}, {OTHER}]}}'.encode())
    assert asked.is_answered_by(200, f'{{"results": [{found}]}}'.encode()) is right
    assert not asked.is_answered_by(404, asked.answer)


def test_a_server_elsewhere_is_refused():
    with pytest.raises(InvalidArgumentError, match="not on this machine"):
        load.run("http://192.0.2.1:8080")
    assert main(["http://192.0.2.1:8080"]) == 2
