"""Many short texts in little memory: the ids and names of a large catalog, and which row has which id.

A million texts take about 70 MB as a list and 100 MB more as a dictionary, but 15 MB as the bytes of the file. Here a
line becomes a text when it is asked for, and a row is found by the hash of its id among the sorted hashes of all.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np

_LINE_FEED = 10
_LINES_AT_ONCE = 1 << 16


class Lines(Sequence[str]):
    """The lines of a text, each of which ends with a line feed.

    Args:
        data: the text in UTF-8.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED)
        self._ends = array("q", ends.astype(np.int64).tobytes())

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return self.encoded(row).decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.all_encoded())

    def encoded(self, row: int) -> bytes:
        """One line in UTF-8, without its line feed."""
        if row < 0:
            row += len(self._ends)
        end = self._ends[row]
        return self._data[self._start(row) : end]

    def all_encoded(self) -> Iterator[bytes]:
        """All lines in UTF-8, of which not many exist at a time."""
        for first in range(0, len(self), _LINES_AT_ONCE):
            last = min(first + _LINES_AT_ONCE, len(self)) - 1
            yield from self._data[self._start(first) : self._ends[last]].split(b"\n")

    def _start(self, row: int) -> int:
        return self._ends[row - 1] + 1 if row else 0


class RowOfLine(Mapping[str, int]):
    """{line: row}; lines are all different."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        hashes = np.fromiter(map(hash, lines.all_encoded()), np.int64, len(lines))
        order = np.argsort(hashes, kind="stable")
        self._hashes = array("q", hashes[order].tobytes())
        self._rows = array("i", order.astype(np.int32).tobytes())

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __getitem__(self, line: str) -> int:
        if not isinstance(line, str):
            raise KeyError(line)
        wanted = line.encode("utf-8", "surrogatepass")
        hashed = hash(wanted)
        place = bisect_left(self._hashes, hashed)
        while place < len(self._hashes) and self._hashes[place] == hashed:
            row = self._rows[place]
            if self._lines.encoded(row) == wanted:
                return row
            place += 1
        raise KeyError(line)
