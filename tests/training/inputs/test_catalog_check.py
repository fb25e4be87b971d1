import pytest

from training.command import main
from training.inputs.catalog import BUILT_IN_CATALOG, Catalog, Item, read_catalog
from training.inputs.catalog_check import count_rows_alike, find_oddities, find_problems, summarize_columns
from training.inputs.rules import Rules, read_rules


def item(row, name, aliases=(), **attributes):
    return Item(row, f"id{row}", name, aliases, attributes)


def texts(catalog, rules=None):
    return [(problem.row, problem.text) for problem in find_problems(catalog, rules or Rules())]


def test_the_built_in_catalog_is_clean():
    catalog, rules = read_catalog(BUILT_IN_CATALOG, popularity="known"), read_rules(BUILT_IN_CATALOG)
    assert find_problems(catalog, rules) == []
    assert len(catalog) == 5000
    assert count_rows_alike(catalog) <= 100


def test_values_outside_the_vocabulary_and_wrong_counts():
    rules = Rules(vocabulary={"form": frozenset({"soup"})}, counts={"form": (1, 1)})
    found = texts(
        Catalog((item(2, "A", form=("stew",)), item(3, "B", form=("soup", "stew")), item(4, "C")), ("form",)), rules
    )
    assert found == [
        (2, "A: form 'stew' is not in the vocabulary"),
        (3, "B: form 'stew' is not in the vocabulary"),
        (3, "B: 2 values of form; it takes 1 to 1"),
        (4, "C: 0 values of form; it takes 1 to 1"),
        (4, "C: has no attribute"),
    ]


def test_names_that_are_one_after_folding():
    catalog = Catalog((item(2, "Crêpes", ("Galette",)), item(3, "Crepe"), item(4, "Waffle", ("galettes",))), ())
    assert texts(catalog) == [
        (3, "name 'Crepe' is nearly 'Crêpes' of row 2"),
        (4, "Waffle: alias 'galettes' also names 'Crêpes' of row 2"),
    ]


def test_a_region_must_be_that_of_the_cuisine():
    rules = Rules(region_of={"French": "Western Europe"})
    catalog = Catalog((item(2, "A", cuisine=("French",), region=("East Asia",)),), ("cuisine", "region"))
    assert texts(catalog, rules) == [(2, "A: region is not Western Europe, that of its cuisine")]


def test_limits_of_the_whole():
    rows = tuple(item(n, f"{word} soup", cuisine=("French",)) for n, word in enumerate(("Red", "Green", "Blue")))
    limits = {
        "fewest_cuisines": 2,
        "most_share_of_a_cuisine": 0.5,
        "most_names_ending_alike": 2,
        "most_share_alike_in_all": 0.5,
    }
    found = [text for _, text in texts(Catalog(rows, ("cuisine",)), Rules(limits=limits))]
    assert found == [
        "1 cuisines; at least 2 are wanted",
        "3 of 3 rows are French; at most 50%",
        "3 names end in 'soup'; at most 2",
        "3 rows share all attributes with another; at most 50%",
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [("id,name,form\na,A,x\nb,B,y\n", 0), ("id,name,form\na,Tea,x\nb,Teá,y\n", 1), ("id,form\na,x\n", 2)],
)
def test_the_command_says_by_its_status(tmp_path, capsys, text, status):
    (tmp_path / "c.csv").write_text(text)
    assert main(["check", str(tmp_path / "c.csv")]) == status
    captured = capsys.readouterr()
    assert (captured.err != "") == (status == 2)


def test_rows_that_cannot_be_used_are_all_told(tmp_path, capsys):
    text = "id,name,form\na,A,x\na,B,x\n,C,x\nd,D,\ne,E\tE,x\nf,F,x,y\n"
    (tmp_path / "c.csv").write_text(text)
    assert main(["check", str(tmp_path / "c.csv")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines[:5]] == ["row 3", "row 4", "row 5", "row 6", "row 7"]
    for line, said in zip(
        lines, ("stands in row 2", "id is empty", "no attribute", "control", "4 cells"), strict=False
    ):
        assert said in line
    assert main(["--catalog", str(tmp_path / "c.csv"), "--out", str(tmp_path / "m")]) == 2
    assert "row 3: id 'a' stands in row 2 already" in (said := capsys.readouterr().err)
    assert "3 more: `python -m training check" in said


def test_what_makes_a_column_hard_to_learn_from_is_noted():
    cells = {
        "price": str,
        "word": lambda i: f"w{i}",
        "nothing": lambda _: "NaN",
        "same": lambda _: "s",
        "kind": lambda i: str(i % 2),
    }
    items = tuple(item(i, f"N{i}", **{c: (make(i),) for c, make in cells.items()}) for i in range(20))
    notes = {c.column: c.note for c in summarize_columns(Catalog(items, (*cells, "empty")))}
    assert notes["price"].startswith("numbers are words here")
    assert notes["word"].startswith("nearly every value stands once")
    assert notes["nothing"] == "'NaN' is taken for a value that 20 items share; leave such cells empty"
    assert notes["same"] == "all items have the same value, which tells nothing"
    assert notes["kind"] == ""
    assert notes["empty"] == "left out: no item has a value"


def test_catalogs_that_say_nothing_are_told():
    assert find_oddities(Catalog((item(2, "A", form=("x",)),), ("form",))) == [
        "one item alone has no neighbors; add others"
    ]
    alike = Catalog((item(2, "A", form=("x",)), item(3, "B", form=("x",))), ("form",))
    assert find_oddities(alike) == ["all 2 items have the same attributes; add columns that tell them apart"]
    blank = Catalog((item(2, "A", form=("x",)), item(3, "B")), ("form",))
    assert find_oddities(blank) == ["1 of 2 items have no attribute: nothing tells what they are like"]
