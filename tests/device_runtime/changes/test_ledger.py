import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_runtime.changes.kinds import Added, Forgotten, Liked, Removed, Renamed
from device_runtime.changes.ledger import Applied, Dropped, compact_changes, enter_all

few_ids = st.sampled_from("abcd")
few_names = st.sampled_from(["A", "B"])
change_of_few = st.one_of(
    st.builds(Added, few_ids, few_names),
    st.builds(Removed, few_ids),
    st.builds(Renamed, few_ids, few_names),
    st.builds(Liked, few_names, few_ids, st.sampled_from([1.0, -1.0, 0.0])),
    st.builds(Forgotten, few_names),
)
models = st.sets(few_ids).map(sorted)


def sum_up(changes, ids):
    return enter_all(changes, {item: row for row, item in enumerate(ids)}).sum_up(len(ids))


@given(st.lists(change_of_few, max_size=12), st.lists(change_of_few, max_size=5), models)
@settings(max_examples=400)
def test_compaction_changes_nothing_now_or_later(changes, later, ids):
    compact = compact_changes(changes, ids)
    assert sum_up(compact, ids) == sum_up(changes, ids)
    assert sum_up((*compact, *later), ids) == sum_up((*changes, *later), ids)
    assert compact_changes(compact, ids) == compact
    assert len(compact) <= len(changes)


@pytest.mark.parametrize(
    ("changes", "ids", "kept"),
    [
        ([Added("a", "A"), Removed("a")], [], []),
        ([Added("a", "A"), Liked("p", "a"), Renamed("a", "B"), Removed("a")], [], []),
        ([Added("a", "A"), Removed("a")], ["a"], [0, 1]),
        ([Added("a", "A"), Added("b", "B"), Removed("a"), Renamed("b", "C"), Renamed("b", "D")], [], [1, 4]),
        ([Removed("a"), Added("a", "A"), Removed("a")], ["a"], [0]),
        ([Removed("a"), Removed("a")], ["a"], [0]),
        ([Removed("a"), Removed("a")], [], [1]),
        ([Liked("p", "a"), Liked("p", "a", -1), Liked("q", "a")], ["a"], [1, 2]),
        ([Liked("p", "a"), Liked("p", "a", 0), Liked("p", "unknown")], ["a"], [2]),
        ([Liked("p", "a"), Liked("q", "a"), Forgotten("p"), Liked("p", "b")], ["a", "b"], [1, 3]),
        ([Liked("p", "a"), Renamed("a", "B"), Removed("a")], ["a"], [2]),
    ],
)
def test_only_what_matters_is_kept(changes, ids, kept):
    assert compact_changes(changes, ids) == tuple(changes[index] for index in kept)


def test_changes_are_folded_over_the_ids_of_a_model():
    changes = [
        Added("x", "X"), Added("y", "Y"), Added("z", "Z"), Removed("y"), Removed("c"), Removed("a"),
        Renamed("b", "B"), Renamed("z", "Z2"), Renamed("b", "B2"), Liked("anna", "b"), Liked("anna", "z", -0.5),
        Liked("anna", "b", 3), Liked("bob", "b"), Forgotten("bob"), Liked("eve", "b"), Liked("eve", "b", 0),
    ]  # fmt: skip
    assert sum_up(changes, ["a", "b", "c", "d"]) == Applied(
        added=(Added("x", "X"), Added("z", "Z")),
        removed=(0, 2),
        renamed={1: "B2", 5: "Z2"},
        profiles={"anna": {"b": 3.0, "z": -0.5}},
        dropped=(),
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Removed("old"), "the model has no item 'old'"),
        (Renamed("old", "New"), "the model has no item 'old'"),
        (Liked("anna", "old"), "the model has no item 'old'"),
        (Added("a", "Mine"), "the model now has an item 'a' of its own"),
        (Renamed("gone", "Back"), "item 'gone' was removed"),
        (Liked("anna", "gone"), "item 'gone' was removed"),
    ],
)
def test_what_a_model_update_leaves_without_its_item_is_dropped_with_a_reason(change, reason):
    found = sum_up([Removed("gone"), Liked("bob", "a"), change], ["a", "gone"])
    assert found == Applied((), (1,), {}, {"bob": {"a": 1.0}}, (Dropped(change, reason),))


def test_changes_find_their_items_in_a_later_model():
    changes = [Removed("a"), Renamed("b", "B"), Added("x", "X"), Liked("anna", "x"), Liked("anna", "b")]
    found = sum_up(changes, ["new", "x", "b", "a"])
    assert found.removed == (3,)
    assert found.renamed == {2: "B"}
    assert found.profiles == {"anna": {"x": 1.0, "b": 1.0}}
    assert found.dropped == (Dropped(changes[2], "the model now has an item 'x' of its own"),)


def test_an_item_of_the_model_can_be_removed_and_added_with_other_attributes():
    mine = Added("a", "Mine", {"course": ("soup",)})
    changes = [Liked("anna", "a"), Removed("a"), mine, Renamed("a", "My own")]
    assert sum_up(changes, ["a", "b"]) == Applied((mine,), (0,), {2: "My own"}, {}, ())
    assert sum_up([*changes, Removed("a")], ["a", "b"]) == Applied((), (0,), {}, {}, ())


def test_removing_what_a_model_update_brought_hides_it_though_it_was_added_before():
    changes = [Added("x", "X"), Removed("x")]
    assert sum_up(changes, ["x"]).removed == (0,)
    assert sum_up(changes, []) == Applied((), (), {}, {}, ())


def test_an_item_added_again_stands_where_it_was_added_last():
    again = Added("x", "X2", {}, (1, 2))
    changes = [Added("x", "X"), Renamed("x", "X1"), Added("y", "Y"), again]
    assert sum_up(changes, ["a"]) == Applied((Added("y", "Y"), again), (), {}, {}, ())
