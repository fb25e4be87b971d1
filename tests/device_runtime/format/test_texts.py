import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime.format import texts as lines_module
from device_runtime.format.texts import Lines, RowOfLine

texts = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8), max_size=30)


def lines_of(listed):
    return Lines("".join(f"{line}\n" for line in listed).encode())


@given(texts, st.sampled_from([1, 2, 7, 1 << 16]))
def test_lines_are_those_of_a_list(listed, at_once):
    lines = lines_of(listed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "_LINES_AT_ONCE", at_once)
        assert list(lines) == listed
    assert len(lines) == len(listed)
    assert [lines[row] for row in range(len(listed))] == listed
    assert [lines[row - len(listed)] for row in range(len(listed))] == listed
    assert lines[1:5:2] == listed[1:5:2]
    with pytest.raises(IndexError):
        lines[len(listed)]


@given(texts.map(set), st.text(max_size=3))
def test_rows_are_those_of_a_dictionary(different, other):
    listed = sorted(different)
    row_of = RowOfLine(lines_of(listed))
    assert [row_of[line] for line in listed] == list(range(len(listed)))
    if other not in different:
        with pytest.raises(KeyError):
            row_of[other]


def test_lines_of_one_hash_are_told_apart(monkeypatch):
    listed = [f"item-{number}" for number in range(50)]
    monkeypatch.setattr(lines_module, "hash", len, raising=False)
    row_of = RowOfLine(lines_of(listed))
    assert [row_of[line] for line in listed] == list(range(50))
    with pytest.raises(KeyError):
        row_of["item-99"]


def test_what_is_no_text_has_no_row():
    row_of = RowOfLine(lines_of(["a", "b"]))
    assert (row_of.get(3), 3 in row_of, "b" in row_of, dict(row_of)) == (None, False, True, {"a": 0, "b": 1})
