"""Many short texts in little memory: the ids and names of a large catalog, and which row has which id.

A million texts take about 70 MB as a list and 100 MB more as a dictionary, but 15 MB as the bytes of the file. Here a
line becomes a text when it is asked for, and a row is found by the hash of its id.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np

_LINE_FEED = 10
_LINES_AT_ONCE = 1 << 16
_EMPTY = -1


class Lines(Sequence[str]):
    """The lines of a text, each of which ends with a line feed.

    Args:
        data: the text in UTF-8.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED)
        self._ends = array("q", ends.astype(np.int64).tobytes())

    @property
    def parts(self) -> tuple[bytes, array[int]]:
        """The text, and the places of its line feeds."""
        return self._data, self._ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return self.encoded(row).decode()

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.all_encoded())

    def encoded(self, row: int) -> bytes:
        """One line in UTF-8, without its line feed."""
        if row > 0:  # nearly always
            return self._data[self._ends[row - 1] + 1 : self._ends[row]]
        return self._data[self._start(range(len(self))[row]) : self._ends[row]]

    def all_encoded(self) -> Iterator[bytes]:
        """All lines in UTF-8, of which not many exist at a time."""
        for first in range(0, len(self), _LINES_AT_ONCE):
            last = min(first + _LINES_AT_ONCE, len(self)) - 1
            yield from self._data[self._start(first) : self._ends[last]].split(b"\n")

    def _start(self, row: int) -> int:
        return self._ends[row - 1] + 1 if row else 0


class RowOfLine(Mapping[str, int]):
    """{line: row}; lines are all different. A hash table with linear probing: a row and nothing else in each slot."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._mask = (1 << (2 * len(lines)).bit_length()) - 1
        places = np.fromiter(map(hash, lines.all_encoded()), np.int64, len(lines)) & self._mask
        slots = np.full(self._mask + 1, _EMPTY, np.int32)
        waiting = np.arange(len(lines), dtype=np.int32)
        while len(waiting):
            free = slots[places] == _EMPTY
            slots[places[free]] = waiting[free]  # of several for one slot, one gets it
            left = slots[places] != waiting
            waiting, places = waiting[left], (places[left] + 1) & self._mask
        self._slots = array("i", slots.tobytes())

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __getitem__(self, line: str) -> int:
        if not isinstance(line, str):
            raise KeyError(line)
        wanted = line.encode("utf-8", "surrogatepass")
        place = hash(wanted) & self._mask
        while (row := self._slots[place]) != _EMPTY:
            if self._lines.encoded(row) == wanted:
                return row
            place = (place + 1) & self._mask
        raise KeyError(line)
