import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime import UnknownItemError
from device_runtime.changes.kinds import Added, Removed, Renamed
from device_runtime.changes.ledger import enter_all
from device_runtime.items.changed_items import ChangedItems, ItemChanges
from device_runtime.items.items import Items
from device_runtime.items.names import NameIndex

few_names = st.sampled_from(["Red soup", "RED SOUP", "Borscht", "borscht", "Pancakes", "Hümmus", "hummus"])
items = st.sampled_from(["borscht", "pancakes", "hummus", "x", "y"])
few_changes = st.lists(
    st.one_of(
        st.builds(Added, st.sampled_from(["x", "y", "borscht"]), few_names),
        st.builds(Removed, items),
        st.builds(Renamed, items, few_names),
    ),
    max_size=6,
)


ALIKE = 0.6  # below it an index leaves out what is far less alike than the best that it holds itself


@pytest.fixture(scope="module")
def base(model):
    return Items(model)


def changed(base, changes):
    result = enter_all(changes, base.row_of_id).sum_up(base.row_count)
    rows = np.arange(16 * len(result.added), dtype=np.int8).reshape(len(result.added), 16)
    ids, names = [item.id for item in result.added], [item.name for item in result.added]
    attributes = [item.attributes for item in result.added]
    return ChangedItems(base, ItemChanges(ids, names, attributes, rows, result.removed, result.renamed))


@given(few_changes)
def test_items_are_found_as_by_one_index_of_them_all(base, changes):
    catalog = changed(base, changes)
    left = [row for row in range(catalog.row_count) if row not in catalog.removed]
    aliases = [(left.index(row), alias) for row, alias in base.index.aliases if row in left]
    whole = NameIndex([catalog.ids[row] for row in left], [catalog.names[row] for row in left], aliases)
    assert len(catalog) == len(left)
    for text in ["borscht", "Borscht", "hummus", "Hümmus", "Red soup", "red soup", "Pancakes", "x", "y", "nothing"]:
        row = whole.row(text)
        if row is None:
            with pytest.raises(UnknownItemError):
                catalog.row(text)
        else:
            assert catalog.row(text) == left[row]
        expected = {left[row]: score for row, score in whole.find(text, 3) if score >= ALIKE}
        assert {row: score for row, score in catalog.find(text, 3) if score >= ALIKE} == expected


def test_vectors_are_those_of_the_table_and_of_what_was_added(base, model):
    catalog = changed(base, [Added("x", "X"), Added("y", "Y")])
    rows = np.array([301, 5, 300])
    expected = [list(range(16, 32)), model.table[5].tolist(), list(range(16))]
    assert catalog.vectors(rows).tolist() == expected
    assert catalog.vectors(np.array([5])).tolist() == [model.table[5].tolist()]


@given(few_changes)
def test_ids_and_names_are_views_that_read_like_lists(base, changes):
    catalog, result = changed(base, changes), enter_all(changes, base.row_of_id).sum_up(base.row_count)
    ids = [*base.ids, *(item.id for item in result.added)]
    names = [*base.names, *(item.name for item in result.added)]
    for row, name in result.renamed.items():
        names[row] = name
    for view, expected in ((catalog.ids, ids), (catalog.names, names)):
        assert not isinstance(view, list)
        assert list(view) == expected
        assert [view[row] for row in range(len(view))] == expected
        assert (view[-1], view[298:]) == (expected[-1], expected[298:])
        with pytest.raises(IndexError):
            view[len(expected)]


def test_a_change_copies_no_texts_of_a_large_catalog(model):
    many = [f"item {number}" for number in range(200_000)]
    base = Items(model)
    base.ids = base.names = many
    base.row_count = len(many)
    base.row_of_id = {}
    tracemalloc.start()
    try:
        catalog = changed(base, [Added("x", "X"), Renamed("x", "Y")])
        assert (catalog.ids[200_000], catalog.names[200_000], catalog.names[7]) == ("x", "Y", "item 7")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_beginnings_are_those_of_the_names_as_they_are_now(base):
    catalog = changed(base, [Added("x", "Pancake cake"), Renamed("pancakes", "Flapjacks"), Removed("hummus")])
    assert next(catalog.names[row] for row, _ in catalog.begun("pancake", 9)) == "Pancake cake"
    assert "Flapjacks" in [catalog.names[row] for row, _ in catalog.begun("flap", 9)]
    assert base.row("hummus") not in dict(catalog.begun("hummus", 9))
