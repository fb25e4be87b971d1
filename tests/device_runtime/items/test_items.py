import pytest

from device_runtime import InvalidArgumentError, UnknownItemError
from device_runtime.format.texts import RowOfLine
from device_runtime.items.items import Items


def test_items_are_asked_for_by_id_name_or_alias_and_each_once(model):
    items = Items(model)
    row = items.ids.index("crepes")
    assert [items.row(text) for text in ("crepes", "Crêpes", "CREPES")] == [row] * 3
    assert items.rows(["crepes", "Crêpes", items.ids[9]]).tolist() == [row, 9]
    with pytest.raises(UnknownItemError, match="did you mean Crêpes"):
        items.row("creps")
    with pytest.raises(InvalidArgumentError, match="not by 3"):
        items.rows([3])


def test_a_large_catalog_is_not_a_list(model, monkeypatch):
    monkeypatch.setattr("device_runtime.format.model_file._LISTED_ROWS", 10)
    large, small = Items(model), model.text("ids.txt").split()
    assert not isinstance(large.ids, list)
    assert isinstance(large.row_of_id, RowOfLine)
    assert [large.row(id_) for id_ in small] == list(range(len(small)))


def test_what_is_typed_so_far_is_completed_by_items_and_kinds(model):
    items = Items(model)
    found = items.complete("panc", 8)
    assert items.names[found[0][0]] == "Pancakes"
    assert all(score < 0.9 for _, score in found)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert len(dict(found)) == len(found) == 8
    assert items.complete("pancakes", 1)[0] == (items.row("pancakes"), 1.0)
    kinds = [match for match, _ in items.complete("des", 8) if not isinstance(match, int)]
    assert "course=dessert" in [kind.id for kind in kinds]
    assert items.complete("", 8) == []
