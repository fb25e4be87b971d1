import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from device_runtime.items.folding import fold


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
