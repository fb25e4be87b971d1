import pytest

from training.errors import CatalogError
from training.evaluation.triplets import find_triplets, read_triplets
from training.inputs.catalog import BUILT_IN_CATALOG, Catalog, Item, read_catalog


def test_the_built_in_triplets_are_enough_and_name_meals():
    triplets = find_triplets(BUILT_IN_CATALOG, read_catalog(BUILT_IN_CATALOG))
    assert len(triplets) >= 400
    assert sum(t.kind == "hard" for t in triplets) >= len(triplets) / 3
    assert len({(t.item, t.near, t.far) for t in triplets}) == len(triplets)


@pytest.mark.parametrize("text", ["item,near\nA,A\n", "item,near,far,kind\nA,A,Unheard,easy\n"])
def test_bad_triplets_are_one_error(tmp_path, text):
    (tmp_path / "c.triplets.csv").write_text(text)
    catalog = Catalog((Item(2, "a", "A", (), {"f": ("x",)}),), ("f",))
    with pytest.raises(CatalogError, match="neither a column nor a name"):
        find_triplets(tmp_path / "c.csv", catalog)


def test_the_unseen_triplets_are_enough_and_repeat_none_of_the_others():
    catalog = read_catalog(BUILT_IN_CATALOG)
    seen = find_triplets(BUILT_IN_CATALOG, catalog)
    unseen = read_triplets(BUILT_IN_CATALOG.with_name("meals.unseen.triplets.csv"), catalog)
    assert len(unseen) >= 400
    assert sum(t.kind == "hard" for t in unseen) >= len(unseen) / 3
    assert {(t.item, t.near) for t in unseen}.isdisjoint((t.item, t.near) for t in seen)
