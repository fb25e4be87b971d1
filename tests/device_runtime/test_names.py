from hypothesis import given
from hypothesis import strategies as st

from device_runtime.names import NameIndex, fold

IDS = ["pancakes", "crepes", "borscht", "sushi", "smorrebrod"]
NAMES = ["Pancakes", "Crêpes", "Borscht", "Sushi", "Smørrebrød"]
ALIASES = [(1, "French pancakes"), (2, "борщ"), (2, "Borshch"), (3, "寿司")]
INDEX = NameIndex(IDS, NAMES, ALIASES)


def test_fold_drops_case_accents_and_punctuation():
    assert fold("  Crêpe-SUZETTE! ") == "crepe suzette"
    assert fold("Smørrebrød") == "smorrebrod"
    assert fold("Straße") == "strasse"
    assert fold("БОРЩ") == "борщ"
    assert fold("𝐁orscht") == "borscht"


def test_exact_names_in_any_dress():
    assert [INDEX.row(text) for text in ("crepes", "CRÊPES", "french pancakes", "Борщ", "寿司", "smorrebrod")] == [
        1, 1, 1, 2, 3, 4,
    ]  # fmt: skip
    assert INDEX.row("ramen") is None


def test_find_puts_the_best_first():
    assert INDEX.find("pancaks", 5)[0][0] == 0
    assert INDEX.find("crepe", 5)[0][0] == 1
    assert INDEX.find("borsch", 5)[0][0] == 2
    assert INDEX.find("Sushi", 5)[0] == (3, 1.0)
    assert INDEX.find("zzzz", 5) == []


def test_an_id_wins_over_a_name():
    assert NameIndex(["b", "a"], ["a", "b"], []).row("a") == 1


@given(st.text(max_size=20))
def test_any_text_is_answered_in_order(text):
    found = INDEX.find(text, 3)
    scores = [score for _, score in found]
    assert len(found) <= 3
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


def test_names_that_fold_alike_are_still_found_by_themselves():
    names = ["C", "C++", "C#", "÷", "×"]
    index = NameIndex([str(i) for i in range(5)], names, [])
    assert [index.row(name) for name in names] == [0, 1, 2, 3, 4]
    assert index.row("!!!") is None
    assert index.find("", 3) == []
