"""What a file says about the characters of its texts, so that every reader folds what is typed as it folds names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from device_runtime.items.folding import Folding, fold_by_unicode

_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
_ALWAYS = (range(0xA0, 0x180), range(0x300, 0x370))  # Latin, and its marks
_WHERE_ONE_OCCURS = (range(0x370, 0x400), range(0x400, 0x460), range(0x1EA0, 0x1F00))  # Greek, Cyrillic, Vietnamese


def tabulate_folding(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Characters that may be typed for `texts`, and what each becomes; those that readers know by rule are left out.

    They are those of the texts, their capitals and small forms, composed and decomposed; all of Latin; and all of
    Greek, Cyrillic and Vietnamese where the texts hold one of them.
    """
    occurring = {letter for text in texts if not text.isascii() for letter in text}
    blocks = [block for block in _WHERE_ONE_OCCURS if any(ord(letter) in block for letter in occurring)]
    typed = {chr(code) for block in (*_ALWAYS, *blocks) for code in block}
    for letter in occurring:
        typed.update(_forms(letter))
    by_rule = Folding({})
    folded = ((letter, fold_by_unicode(letter)) for letter in sorted(typed))
    return [(letter, text) for letter, text in folded if not letter.isascii() and text != by_rule.letters(letter)]


def _forms(letter: str) -> Iterator[str]:
    for text in (letter, letter.upper(), letter.lower(), letter.title()):
        for form in _FORMS:
            yield from unicodedata.normalize(form, text)
