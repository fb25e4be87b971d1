import pytest

from export.errors import ExportError
from export.tflite.plan import ALL_SIGNATURES, FAVORITES, RESULTS, SIGNATURES, SignaturePlan


def parse(names, favorites=FAVORITES, results=RESULTS):
    return SignaturePlan.parse(names, favorites, results)


@pytest.mark.parametrize(
    ("names", "parsed"),
    [
        (",".join(SIGNATURES), SIGNATURES),
        (SIGNATURES, SIGNATURES),
        ("search, recommend", ("recommend", "search")),
        (["embed", "recommend_fixed"], ("recommend_fixed", "embed")),
        ("recommend_fixed", ("recommend_fixed",)),
    ],
)
def test_names_come_in_the_order_of_the_file(names, parsed):
    assert parse(names).names == parsed


def test_all_of_them_are_the_default():
    assert parse(SIGNATURES) == ALL_SIGNATURES == SignaturePlan()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("", "signatures '': give some of recommend_fixed, recommend, search, embed, each once"),
        ([], "signatures none: give some of"),
        ("recommend,", "signatures 'recommend', '': give some of"),
        ("Recommend", "signatures 'Recommend': give some of"),
        ("recommend,recommend", "each once"),
        ("embed", "nothing could be recommended"),
    ],
)
def test_names_that_make_no_file(names, message):
    with pytest.raises(ExportError, match=message):
        parse(names)


@pytest.mark.parametrize(("favorites", "results"), [(1, 1), (64, 1000), (16, 50)])
def test_sizes_that_fit(favorites, results):
    plan = parse(SIGNATURES, favorites, results)
    assert (plan.favorites, plan.results) == (favorites, results)


@pytest.mark.parametrize(
    ("favorites", "results", "message"),
    [
        (0, 50, "0 favorites of recommend_fixed were asked for; give 1 to 64"),
        (65, 50, "65 favorites"),
        (16, 0, "0 results of recommend_fixed were asked for; give 1 to 1,000"),
        (16, 1001, "1001 results"),
    ],
)
def test_sizes_that_do_not(favorites, results, message):
    with pytest.raises(ExportError, match=message):
        parse(SIGNATURES, favorites, results)


@pytest.mark.parametrize(
    ("names", "any_number"),
    [("recommend_fixed", False), ("recommend_fixed,search", False), ("recommend", True), ("search,embed", True)],
)
def test_whether_favorites_fit_whatever_their_number(names, any_number):
    assert parse(names).takes_any_number == any_number
