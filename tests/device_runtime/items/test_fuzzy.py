from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime.items.fuzzy import edits_to_beginnings, edits_to_words, stem


@given(st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=4), st.data())
def test_distances_are_those_of_damerau(words, data):
    asked = data.draw(st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=3))
    longest = max(map(len, words))
    distances = edits_to_beginnings(asked, words, longest)
    assert distances.shape == (longest + 1, len(asked), len(words))
    for (i, text), (j, word) in product(enumerate(asked), enumerate(words)):
        for length in range(len(word) + 1):
            assert distances[length, i, j] == _edits(text, word[:length])


def test_letters_that_were_cut_off_are_edits():
    to_beginnings = edits_to_beginnings(["pan"], ["pancakes", "pan"], 5)
    assert edits_to_words(to_beginnings, np.array([8, 3])).tolist() == [[5, 0]]


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("pancake", "pancakes"), ("berry", "berries"), ("brownie", "brownies"), ("sandwich", "sandwiches"),
        ("tomato", "tomatoes"), ("quiche", "quiches"), ("gateau", "gateaux"), ("pie", "pies"), ("taco", "tacos"),
    ],
)  # fmt: skip
def test_singular_and_plural_share_a_stem(singular, plural):
    assert stem(singular) == stem(plural)


def _edits(a, b):
    """The distance of Damerau (1964), where no part is edited twice, by its recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    choices = [_edits(a[:-1], b) + 1, _edits(a, b[:-1]) + 1, _edits(a[:-1], b[:-1]) + (a[-1] != b[-1])]
    if len(a) > 1 and len(b) > 1 and a[-2:] == b[-1] + b[-2]:
        choices.append(_edits(a[:-2], b[:-2]) + 1)
    return min(choices)
