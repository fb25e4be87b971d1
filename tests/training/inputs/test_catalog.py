from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import CatalogError
from training.inputs.catalog import Catalog, Item, read_catalog, write_catalog

HEADER = "id,name,aliases,course\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "catalog.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_items_with_lists_in_order(tmp_path):
    catalog = read_catalog(
        written(tmp_path, HEADER + 'a,"Crêpes, sweet",crepe| galette |,dessert|breakfast\nb,Soup,,\n')
    )
    assert catalog.columns == ("course",)
    assert catalog.items[0] == Item(2, "a", "Crêpes, sweet", ("crepe", "galette"), {"course": ("dessert", "breakfast")})
    assert catalog.items[1] == Item(3, "b", "Soup", (), {})


def test_reads_a_byte_order_mark(tmp_path):
    assert len(read_catalog(written(tmp_path, "\ufeffid,name,course\na,A,main\n"))) == 1


def test_reads_parquet_as_it_reads_csv(tmp_path):
    path = tmp_path / "catalog.parquet"
    polars.DataFrame({"id": [1, 2], "name": ["A", "Bé"], "course": ["main|side", None]}).write_parquet(path)
    catalog = read_catalog(path)
    assert [item.id for item in catalog.items] == ["1", "2"]
    assert [item.attributes for item in catalog.items] == [{"course": ("main", "side")}, {}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ('"id"x,name\na,A\n', "line 1: is not CSV"),
        ("id,course\na,main\n", "no column 'name'"),
        ("name,course\na,main\n", "no column 'id'"),
        ("id,name,course,course\n", "'course' stands twice"),
        (HEADER, "no items"),
        (HEADER + "a,A,,main\na,B,,main\n", "row 3: id 'a' stands in row 2"),
        (HEADER + "a,A,,main\nb,A,,main\n", "row 3: name 'A' stands in row 2"),
        (HEADER + "a,,,main\n", "row 2: name is empty"),
        (HEADER + "a,A,,main,extra\n", "row 2: has 5 cells for 4 columns"),
        (HEADER + 'a,"A\nB",,main\n', "control character"),
        (HEADER + 'a,"A"B,,main\n', "line 2: is not CSV"),
        (HEADER + "a,A,,\n", "no item has an attribute"),
        (HEADER.encode() + b"a,A,,main\nb,cr\xeape,,main\n", "line 3: byte 0xea is not UTF-8"),
        ("id,name,a\tb\n", "cannot name a column"),
    ],
)
def test_names_the_place_of_a_bad_input(tmp_path, text, message):
    with pytest.raises(CatalogError) as error:
        read_catalog(written(tmp_path, text))
    assert message in str(error.value)
    assert "catalog.csv" in str(error.value)


def test_a_missing_file_and_bad_parquet_are_errors(tmp_path):
    with pytest.raises(CatalogError, match="cannot be read"):
        read_catalog(tmp_path / "none.csv")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(CatalogError, match="Parquet"):
        read_catalog(tmp_path / "bad.parquet")


word = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=8)
plain = word.map(lambda text: text.replace("|", "").strip()).filter(bool)
values = st.lists(plain, unique=True, max_size=3).map(tuple)


@given(
    names=st.lists(plain, min_size=1, max_size=5, unique=True),
    cells=st.lists(st.tuples(values, values), min_size=5, max_size=5),
)
def test_what_is_written_is_read_back(tmp_path_factory, names, cells):
    items = tuple(
        Item(i + 2, f"id{i}", name, aliases, {"kind": ("x", *(v for v in kinds if v != "x"))})
        for i, (name, (aliases, kinds)) in enumerate(zip(names, cells, strict=False))
    )
    path = tmp_path_factory.mktemp("round") / "catalog.csv"
    write_catalog(Catalog(items, ("kind",)), path)
    assert read_catalog(path) == Catalog(items, ("kind",))


@given(st.binary(max_size=300))
def test_any_bytes_give_a_catalog_or_one_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "catalog.csv"
    path.write_bytes(data)
    try:
        assert len(read_catalog(path)) > 0
    except CatalogError as error:
        assert "\n" not in str(error)
