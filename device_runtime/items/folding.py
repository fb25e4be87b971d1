"""Text without case, accents and punctuation: one text, or many lines at once.

Folding replaces each character by what it becomes, then runs of spaces by one. What a character becomes stands in the
file, so that no reader depends on the version of Unicode that its language knows; files of earlier versions say nothing
and leave it to Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]

LINE_BREAK = 10
_SPACE = 32
_WITHOUT_DECOMPOSITION = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_ASCII_FOLDED = "".join(_ASCII.values())
_SYLLABLES, _INITIALS, _MEDIALS, _FINALS = 0xAC00, 0x1100, 0x1161, 0x11A7  # of Hangul
_PUNCTUATION = ((0x2000, 0x2C00), (0x3000, 0x3004), (0x1F000, 0x1FB00))  # where the file says nothing else
_SELECTORS = (0xFE00, 0xFE10)  # they choose how the character before looks


class Folding:
    """How the texts of a file are folded.

    Args:
        letters: what characters beyond ASCII become; those that it leaves out stay what they are, but for Hangul
            syllables, which become their letters, and pictures, which become spaces. None leaves all to Unicode.
    """

    def __init__(self, letters: Mapping[str, str] | None = None) -> None:
        self._folded: dict[int, str] = _ByUnicode(_ASCII) if letters is None else _ByFile(_ASCII)
        self._folded.update((ord(letter), folded) for letter, folded in (letters or {}).items())

    def letters(self, letter: str) -> str:
        """What one character becomes: letters, a space, or nothing."""
        return self._folded[ord(letter)]

    def fold(self, text: str) -> str:
        """`text` without case, accents and punctuation, its words separated by one space."""
        folded = text.translate(_ASCII_FOLDED if text.isascii() else self._folded)
        return " ".join(word for word in folded.split(" ") if word)

    def fold_lines(self, text: str) -> Codes:
        """The letters of `text`, whose lines each end with a line break, every line folded as by `fold`: uint32 codes.

        Each letter is looked up in one table of all that occur, which takes a tenth of the time of folding by line.
        """
        codes = encode(text)
        occurring = sorted({*text})
        become = [encode("\n" if letter == "\n" else self._folded[ord(letter)]) for letter in occurring]
        number_of = np.zeros(int(codes.max(initial=0)) + 1, np.int32)
        number_of[[ord(letter) for letter in occurring]] = np.arange(len(occurring))
        letters = number_of[codes]  # by their place in `occurring`
        lengths = np.array([len(folded) for folded in become], np.int32)[letters]
        starts = np.cumsum([0, *map(len, become)], dtype=np.int32)[letters]
        shifts = np.repeat(starts + lengths - np.cumsum(lengths, dtype=np.int32), lengths)
        codes = np.concatenate([*become, np.empty(0, np.uint32)])[shifts + np.arange(len(shifts), dtype=np.int32)]
        return _without_spare_spaces(codes)


class _ByUnicode(dict[int, str]):
    """What Unicode knows about each character, as far as this Python's version of it goes."""

    def __missing__(self, code: int) -> str:
        return fold_by_unicode(chr(code))


class _ByFile(dict[int, str]):
    """What a file says, and for what it leaves out a rule that needs no table."""

    def __missing__(self, code: int) -> str:
        if _SYLLABLES <= code < _SYLLABLES + 19 * 21 * 28:
            return _letters_of_syllable(code - _SYLLABLES)
        if _SELECTORS[0] <= code < _SELECTORS[1]:
            return ""
        return " " if any(first <= code < after for first, after in _PUNCTUATION) else chr(code)


def fold_by_unicode(letter: str) -> str:
    """What one character becomes: the letters it consists of, in lower case, or a space."""
    decomposed = unicodedata.normalize("NFKD", letter)  # before and after: a styled capital only then has a small form
    plain = unicodedata.normalize("NFKD", decomposed.casefold())
    plain = "".join(_WITHOUT_DECOMPOSITION.get(part, part) for part in plain if not unicodedata.combining(part))
    return "".join(part if _is_kept(part) else " " for part in plain)


UNICODE = Folding()
fold = UNICODE.fold  # for texts that belong to no file


def encode(text: str) -> Codes:
    """The code points of `text`, lone surrogates too: uint32 [letters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4")).astype(np.uint32)


def _letters_of_syllable(number: int) -> str:
    """The letters of a Hangul syllable by its number (The Unicode Standard, section 3.12)."""
    initial, rest = divmod(number, 21 * 28)
    medial, final = divmod(rest, 28)
    return chr(_INITIALS + initial) + chr(_MEDIALS + medial) + (chr(_FINALS + final) if final else "")


def _is_kept(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter) == "Mc"


def _without_spare_spaces(codes: Codes) -> Codes:
    """Without spaces after a space, at the start or at the end of a line."""
    before = np.append(np.uint32(LINE_BREAK), codes[:-1])
    codes = codes[(codes != _SPACE) | ((before != _SPACE) & (before != LINE_BREAK))]
    after = np.append(codes[1:], np.uint32(LINE_BREAK))
    return codes[(codes != _SPACE) | (after != LINE_BREAK)]
