import numpy as np
import pytest

from device_runtime.ranking.diversity import diversify


def unit(angles):
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_without_diversity_the_best_come_first():
    scores = np.linspace(1, 0.1, 10).astype(np.float32)
    assert diversify(unit(range(10)), scores, 4, 0.0).tolist() == [0, 1, 2, 3]


def test_with_diversity_near_repeats_wait():
    vectors = unit([0, 1, 2, 60, 61])
    scores = np.array([1.0, 0.99, 0.98, 0.7, 0.69], np.float32)
    assert diversify(vectors, scores, 2, 0.5).tolist() == [0, 4]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_it_is_what_the_definition_says(share):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.sort(rng.random(40).astype(np.float32))[::-1]
    chosen: list[int] = []
    for _ in range(10):

        def gain(i):
            alike = max((float(vectors[i] @ vectors[j]) for j in chosen), default=0.0)
            return (1 - share) * float(scores[i]) - share * alike

        chosen.append(max((i for i in range(40) if i not in chosen), key=gain))
    assert diversify(vectors, scores, 10, share).tolist() == chosen


def test_no_more_come_back_than_there_are():
    assert len(diversify(unit([0, 10]), np.array([1, 0.5], np.float32), 5, 0.5)) == 2
