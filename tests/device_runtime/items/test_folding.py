import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from device_runtime.items.folding import Folding, encode, fold


def test_fold_drops_case_accents_and_punctuation():
    assert fold("  Crêpe-SUZETTE! ") == "crepe suzette"
    assert fold("Smørrebrød") == "smorrebrod"
    assert fold("Straße") == "strasse"
    assert fold("БОРЩ") == "борщ"
    assert fold("𝐁orscht") == "borscht"


@given(st.one_of(st.text(max_size=30), st.text(st.characters(max_codepoint=127), max_size=30)))
def test_fold_treats_ascii_as_any_other_text(text):
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    plain = "".join(letters.get(c, c) for c in plain if not unicodedata.combining(c))
    kept = "".join(c if c.isalnum() or unicodedata.category(c) == "Mc" else " " for c in plain)
    assert fold(text) == " ".join(kept.split())


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


def test_a_file_says_what_characters_become():
    folding = Folding({"É": "e", "é": "e", "æ": "ae", "\u0301": "", "’": " "})
    assert folding.fold("  CAFÉ, cafe\u0301 &  d’Ægæ") == "cafe cafe d Ægae"
    assert folding.fold("борщ БОРЩ") == "борщ БОРЩ"  # of which it says nothing


def test_characters_of_which_a_file_says_nothing():
    folding = Folding({})
    assert folding.fold("pizza\u2009🍕\ufe0f ☕ soup") == "pizza soup"
    assert folding.fold("김치") == fold("김치") == "\u1100\u1175\u11b7\u110e\u1175"


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=12), min_size=1, max_size=5))
def test_lines_are_folded_as_one_by_one(texts):
    for folding in (Folding(), Folding({"é": "e", "ß": "ss", "\u0301": ""})):
        codes = folding.fold_lines("".join(f"{text}\n" for text in texts))
        assert codes.tolist() == encode("".join(f"{folding.fold(text)}\n" for text in texts)).tolist()
