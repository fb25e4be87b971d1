import csv
import gzip
from pathlib import Path

import polars
import pyreadstat
import pytest

from training.command import main
from training.datasets.nhanes import read_nhanes
from training.errors import DatasetError
from training.inputs.catalog import read_catalog
from training.inputs.interactions import read_interactions

RECIPES = """name,id,minutes,contributor_id,submitted,tags,nutrition,n_steps,steps,description,ingredients,n_ingredients
arriba   baked squash,137739,55,47892,2005-09-16,"['60-minutes-or-less', 'mexican']","[51.5, 0.0]",1,['mix'],"autumn
is ""my"" time","['winter squash', ""confectioners' sugar""]",2
carina s tofu,44061,190,41706,2002-07-10,['weeknight'],"[352.9, 1.0]",1,['fry'],,"['tofu', 'a|b']",2
carina s tofu,5,190,41706,2002-07-10,"['weeknight', 'weeknight']","[352.9, 1.0]",1,['fry'],,not a list,2
,368257,10,1,2009-05-01,[],[],0,[],,[],0
"""
REVIEWS = '''user_id,recipe_id,date,rating,review
38094,137739,2003-02-17,4,"Great with a salad.
Cooked ""on top"", 15 minutes"
38094,44061,2003-02-18,5,
1293707,137739,2011-12-21,5,"So simple, so delicious!"
1293707,44061,2011-12-22,0,no stars given
8937,5,2002-12-01,3,
8937,5,2002-12-02,,?
'''  # fmt: skip


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def files(folder: Path, **contents: str) -> str:
    for name, text in contents.items():
        (folder / name.replace("__", ".")).write_text(text, "latin-1" if name.endswith("dat") else "utf-8")
    return str(folder)


def xpt(path: Path, **columns: list) -> None:
    pyreadstat.write_xport(polars.DataFrame(columns), path, table_name=path.stem[:8], file_format_version=5)


def test_food_com(tmp_path, capsys):
    source = files(tmp_path, RAW_recipes__csv=RECIPES, RAW_interactions__csv=REVIEWS)
    assert main(["convert", "foodcom", source, "--out", str(tmp_path / "out")]) == 0
    assert rows_of(tmp_path / "out/interactions.csv") == [
        {"user_id": "38094", "item_id": "137739", "timestamp": "2003-02-17"},
        {"user_id": "38094", "item_id": "44061", "timestamp": "2003-02-18"},
        {"user_id": "1293707", "item_id": "137739", "timestamp": "2011-12-21"},
    ]
    catalog = read_catalog(tmp_path / "out/catalog.csv")
    assert {item.id: (item.name, item.attributes) for item in catalog.items} == {
        "137739": (
            "arriba baked squash",
            {"tags": ("60-minutes-or-less", "mexican"), "ingredients": ("winter squash", "confectioners' sugar")},
        ),
        "44061": ("carina s tofu", {"tags": ("weeknight",), "ingredients": ("tofu", "a/b")}),
        "5": ("carina s tofu [5]", {"tags": ("weeknight",)}),
    }
    said = capsys.readouterr().out
    assert "6 ratings, 3 of 4 or more kept" in said
    assert "1 rows left out: the rating is not a number" in said
    assert "1 items without id or name left out" in said
    assert "1 recipes have tags or ingredients that are no list (as 5)" in said
    found = read_interactions(tmp_path / "out/interactions.csv", catalog=catalog, min_user=1, min_item=1)
    assert found.matrix.nnz == 3


def test_movielens_csv(tmp_path):
    movies = """movieId,title,genres
1,Toy Story (1995),Adventure|Comedy
2,"Café, The",(no genres listed)
3,Emma (1996),Drama
4,Emma (1996),Romance
"""
    ratings = """userId,movieId,rating,timestamp
1,1,4.0,964982703
1,2,3.5,964982224
2,3,3.0,964983815
2,4,0.5,964982931
"""
    source = files(tmp_path, movies__csv=movies, ratings__csv=ratings)
    assert main(["convert", "movielens", source, "--out", str(tmp_path / "a"), "--parquet"]) == 0
    assert main(["convert", "movielens", source, "--out", str(tmp_path / "b"), "--min-rating", "3"]) == 0
    assert polars.read_parquet(tmp_path / "a/interactions.parquet").rows() == [
        ("1", "1", "964982703"),
        ("1", "2", "964982224"),
    ]
    assert len(rows_of(tmp_path / "b/interactions.csv")) == 3
    items = read_catalog(tmp_path / "a/catalog.csv").items
    assert [item.name for item in items] == ["Toy Story (1995)", "Café, The", "Emma (1996)", "Emma (1996) [4]"]
    assert [item.attributes for item in items[:2]] == [{"genres": ("Adventure", "Comedy"), "decade": ("1990s",)}, {}]


def test_movielens_1m(tmp_path):
    movies = """1::Toy Story (1995)::Animation|Children's|Comedy
73::Misérables, Les (1995)::Drama
2::Star: A Film (2001)::Drama
"""
    ratings = "1::73::5::978300760\n1::1::3::978302109\n6040::2::4::956703932\n"
    source = files(tmp_path, movies__dat=movies, ratings__dat=ratings)
    assert main(["convert", "movielens", source, "--out", str(tmp_path / "out")]) == 0
    assert rows_of(tmp_path / "out/interactions.csv") == [
        {"user_id": "1", "item_id": "73", "timestamp": "978300760"},
        {"user_id": "6040", "item_id": "2", "timestamp": "956703932"},
    ]
    names = [item.name for item in read_catalog(tmp_path / "out/catalog.csv").items]
    assert names == ["Toy Story (1995)", "Misérables, Les (1995)", "Star: A Film (2001)"]


def test_nhanes_as_cdc_ships_it(tmp_path):
    xpt(tmp_path / "DR1IFF_J.XPT", SEQN=[93703.0, 93703.0, 93704.0], DR1IFDCD=[11111000.0, 11111000.0, 58106210.0])
    xpt(tmp_path / "DR2IFF_J.XPT", SEQN=[93703.0, 93704.0], DR2IFDCD=[11111000.0, None])
    xpt(
        tmp_path / "DRXFCD_J.XPT",
        DRXFDCD=[11111000.0, 58106210.0],
        DRXFCSD=["MILK, WHOLE", "PIZZA, CHEESE"],
        DRXFCLD=["Milk, whole", "Pizza, cheese, from restaurant or fast food, NS as to type of crust"],
    )
    assert main(["convert", "nhanes", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert rows_of(tmp_path / "out/interactions.csv") == [
        {"user_id": "93703", "item_id": "11111000", "weight": "3"},
        {"user_id": "93704", "item_id": "", "weight": "1"},
        {"user_id": "93704", "item_id": "58106210", "weight": "1"},
    ]
    items = read_catalog(tmp_path / "out/catalog.csv").items
    assert items[0].attributes == {"kind": ("milk",), "words": ("milk", "whole")}
    assert items[1].attributes["words"] == ("pizza", "cheese", "restaurant", "fast", "food", "type", "crust")
    found = read_interactions(tmp_path / "out/interactions.csv", min_user=1, min_item=1)
    assert {finding.reason: finding.rows for finding in found.report.findings} == {"no_item": 1}


def test_nhanes_as_a_folder(tmp_path):
    intake = """person,cycle,day,occasion,food_code,grams,age_band
0,2007-08,1,lunch,11,1.0,12-19
0,2007-08,2,lunch,11,1.0,12-19
1,2007-08,1,lunch,12,1.0,12-19
"""
    (tmp_path / "intake.csv.gz").write_bytes(gzip.compress(intake.encode()))
    foods = """food_code,short,description,n_persons,group1,prefix2,prefix3,prefix4,is_dish
11,MILK,"Milk, human",1,milk group,11,111,1111,0
12,PIE,Pie,1,grains,12,121,1211,1
"""
    source = files(tmp_path, foods__csv=foods)
    assert main(["convert", "nhanes", source, "--out", str(tmp_path / "all")]) == 0
    assert main(["convert", "nhanes", source, "--out", str(tmp_path / "dishes"), "--dishes"]) == 0
    assert rows_of(tmp_path / "all/interactions.csv") == [
        {"user_id": "0", "item_id": "11", "weight": "2"},
        {"user_id": "1", "item_id": "12", "weight": "1"},
    ]
    assert [row["item_id"] for row in rows_of(tmp_path / "dishes/interactions.csv")] == ["12"]
    catalog = read_catalog(tmp_path / "all/catalog.csv")
    assert catalog.columns == ("kind", "words")  # neither groups nor prefixes of the code
    assert [item.id for item in read_catalog(tmp_path / "dishes/catalog.csv").items] == ["12"]


@pytest.mark.parametrize(
    ("dataset", "contents", "message"),
    [
        ("foodcom", {"RAW_recipes__csv": RECIPES}, "RAW_interactions.csv is missing among RAW_recipes.csv"),
        ("foodcom", {"RAW_recipes__csv": RECIPES, "RAW_interactions__csv": "a,b\n"}, "no column 'user_id'"),
        ("foodcom", {"RAW_recipes__csv": RECIPES, "RAW_interactions__csv": ""}, "cannot be read as CSV"),
        ("foodcom", {"RAW_recipes__csv": RECIPES + 'x,"', "RAW_interactions__csv": REVIEWS}, "to its end"),
        ("foodcom", {"RAW_recipes__csv": RECIPES, "RAW_interactions__csv": REVIEWS + '1,"'}, "to its end"),
        ("movielens", {"ratings__dat": "1::1::5::9\n", "movies__dat": "1::A\n"}, "movies.dat, line 1: has 2 parts"),
        ("nhanes", {"DR1IFF_J__XPT": "no"}, "DRXFCD_x.XPT is missing among DR1IFF_J.XPT"),
        ("nhanes", {"DR1IFF_J__XPT": "no", "DRXFCD_J__XPT": "no"}, "cannot be read as SAS transport"),
        ("nhanes", {"x": "no"}, "DR1IFF_x.XPT or DR2IFF_x.XPT is missing among x"),
    ],
)  # fmt: skip
def test_what_is_missing_or_broken_is_one_clear_error(tmp_path, capsys, dataset, contents, message):
    (tmp_path / "in").mkdir()
    assert main(["convert", dataset, files(tmp_path / "in", **contents), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("out/*"))


def test_sources_that_do_not_exist_and_places_that_cannot_be_written(tmp_path, capsys):
    assert main(["convert", "nhanes", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "does not exist" in capsys.readouterr().err
    source = files(tmp_path, movies__dat="1::A (2000)::Drama\n", ratings__dat="1::1::5::9\n")
    assert main(["convert", "movielens", source, "--out", str(tmp_path / "movies.dat/out")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_columns_of_an_xpt_file_are_checked(tmp_path):
    xpt(tmp_path / "DR1IFF_J.XPT", SEQN=[1.0], DRDIFDCD=[2.0])
    xpt(tmp_path / "DRXFCD_J.XPT", DRXFDCD=[2.0], DRXFCLD=["Milk"])
    with pytest.raises(DatasetError, match=r"DR1IFF_J\.XPT: has no column 'DR1IFDCD'"):
        read_nhanes([tmp_path])
