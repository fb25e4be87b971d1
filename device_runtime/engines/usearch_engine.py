"""An approximate engine for large tables: a graph proposes rows, and integers from the table rank them.

The graph is a hierarchical navigable small world (Malkov and Yashunin, 2016) that usearch builds over the int8 rows. It
lies in a file beside the model and is mapped. A row that it does not propose is missed; the scores and the order of
those found are exact.
"""

from __future__ import annotations

import hashlib
import importlib
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.errors import DamagedIndexError, FileFormatError, IndexFileError, MissingEngineError
from device_runtime.format.layout import LARGEST_ENTRY
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import Ranking, Rows, Scores, cosines, sum_of_rows
from device_runtime.scoring.scan import Best, score_rows
from device_runtime.scoring.top_k import positions_without, top_k

SUFFIX = ".usearch"
ROWS_TO_A_CANDIDATE = 300
_SIDES = 8
_LEAN = 0.3
_NONE: Rows = np.empty(0, np.int64)


@dataclass(frozen=True)
class IndexRecord:
    """What the manifest of a model says of the index beside it.

    Attributes:
        sha256: of the index file, in hexadecimal.
        bytes: of the index file.
        library: the name and version of what built it.
        connectivity: links of a row in each layer of the graph; twice as many in the lowest.
        expansion_add, expansion_search: candidates kept while a row is added and while the graph is searched.
        recall_at_10: the share of the ten best by exact integers that are found: of single `items`, and of `baskets` of
            several favorites drawn at random.
    """

    sha256: str
    bytes: int
    library: str
    connectivity: int
    expansion_add: int
    expansion_search: int
    recall_at_10: dict[str, float]


class Graph:
    """A usearch index over the rows of a table.

    Args:
        table: int8 [rows, columns].
        data: the bytes of the index file, usually mapped. They must be whole: usearch crashes on others.
        expansion: how many candidates a search keeps.
    """

    def __init__(self, table: NDArray[np.int8], data: mmap.mmap | bytes, expansion: int) -> None:
        self._table = table
        self._data = data  # usearch reads from it as long as it is asked
        self._expansion = expansion
        self._index = library().Index(
            ndim=table.shape[1], metric="ip", dtype="i8", expansion_search=expansion, enable_key_lookups=False
        )
        self._index.view(data)

    def best(self, query: NDArray[np.int64], k: int, favorites: Rows = _NONE) -> tuple[Rows, Scores]:
        """The rows of the k greatest integer scores among the candidates, ties by the lower row, and those scores.

        They are fewer where the graph leads to fewer. `query` [columns] must not be zero.

        Args:
            favorites: whose sum the query is, where it is one.
        """
        rows = self._candidates(query, k, favorites)
        scores = score_rows(self._table[rows], query)
        best = top_k(scores, k)
        return rows[best], scores[best]

    def cost(self, k: int, favorites: Rows = _NONE) -> int:
        """How many candidates `best` keeps on the way."""
        return _searches(favorites) * max(k, self._expansion)

    def _candidates(self, query: NDArray[np.int64], k: int, favorites: Rows) -> Rows:
        """Rows near the query, in order.

        The sum of unlike favorites lies far from all rows, and a search for it ends in whatever cluster it meets first.
        So it is searched for from several sides: as it is, and leaning toward some of its favorites.
        """
        asked = query[None].astype(np.float64)
        if _searches(favorites) > 1:
            toward = self._table[favorites[:_SIDES]].astype(np.float64)
            toward *= _LEAN * np.linalg.norm(asked) / np.linalg.norm(toward, axis=1, keepdims=True)
            asked = np.concatenate([asked, asked + toward])
        greatest = np.maximum(1.0, np.abs(asked).max(axis=1, keepdims=True))
        rounded = np.rint(asked * (LARGEST_ENTRY / greatest)).astype(np.int8)
        found = self._index.search(rounded, max(k, self._expansion), threads=1)
        if len(asked) == 1:
            return np.sort(found.keys).astype(np.int64)
        filled = np.arange(found.keys.shape[1]) < np.asarray(found.counts)[:, None]
        return np.unique(found.keys[filled]).astype(np.int64)


class UsearchEngine:
    """Asks the index beside the model, or scans the table where that takes no longer; a scan is exact.

    A candidate takes about as long as a scan takes for 300 rows. Favorites that cancel out are left to the scan too.

    Raises:
        MissingEngineError: usearch is not installed.
        IndexFileError: the model was exported without an index, or its index is missing or damaged.
    """

    name = "usearch"

    def __init__(self, model: ModelFile) -> None:
        self._graph = open_graph(model)
        self._table = model.table
        self._scale = model.manifest.scale
        self._exact = NumpyEngine(model)

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        query = sum_of_rows(self._table, rows)
        if query.any() and self._is_worth_it(k + len(rows), rows):
            found, scores = self._graph.best(query, k + len(rows), rows)
            kept = positions_without(found, rows, k)
            if len(kept) == k:
                return found[kept], cosines(scores[kept], query, self._scale)
        return self._exact.nearest(rows, k)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if query.any() and self._is_worth_it(k):
            found, scores = self._graph.best(query, k)
            if len(found) == k:
                return found, cosines(scores, query, self._scale)
        return self._exact.search(query, k)

    def search_each(self, queries: NDArray[np.int64], banned: Rows, k: int) -> list[Best]:
        """See `Engine.search_each`."""
        return self._exact.search_each(queries, banned, k)

    def _is_worth_it(self, k: int, favorites: Rows = _NONE) -> bool:
        return self._graph.cost(k, favorites) * ROWS_TO_A_CANDIDATE <= len(self._table)


def index_path(model: Path) -> Path:
    """Where the index of the model at `model` lies: beside it."""
    return model.with_name(model.name + SUFFIX)


def open_graph(model: ModelFile) -> Graph:
    """Maps the index beside `model` once its digest is found to be the one in the manifest.

    Raises:
        MissingEngineError: usearch is not installed.
        IndexFileError: the model was exported without an index, its index is missing, or usearch cannot read it.
        DamagedIndexError: the index is of another export, was cut short or altered.
    """
    library()
    record = record_of(model)
    path = index_path(model.path)
    data = _map(path)
    with memoryview(data) as view:
        digest = hashlib.sha256(view).hexdigest()
    if digest != record.sha256:
        raise DamagedIndexError(
            f"{path}: its {len(data):,} bytes are not the {record.bytes:,} that {model.path} was exported with: it was "
            "cut short or altered, or is of another export; copy both files again, or export with --index"
        )
    try:
        return Graph(model.table, data, record.expansion_search)
    except RuntimeError as error:
        raise IndexFileError(f"{path}: was written by {record.library} and cannot be read here ({error})") from error


def record_of(model: ModelFile) -> IndexRecord:
    """What the manifest says of the index.

    Raises:
        IndexFileError: the model was exported without one.
        FileFormatError: the manifest does not say what it should.
    """
    if model.manifest.preference is not None:
        raise IndexFileError(f"{model.path}: is a model of what people like, which has no index; use another engine")
    raw = model.manifest.approximate_index
    if raw is None:
        raise IndexFileError(
            f"{model.path}: was exported without an index; export it with --index, or use another engine"
        )
    try:
        record = IndexRecord(**raw)
    except TypeError as error:
        raise FileFormatError(f"{model.path}: the manifest's index is not as it should be ({error})") from None
    if type(record.expansion_search) is not int or not 0 < record.expansion_search <= model.manifest.rows:
        raise FileFormatError(
            f"{model.path}: the manifest gives expansion_search as {record.expansion_search!r} for "
            f"{model.manifest.rows} rows"
        )
    return record


def library() -> Any:
    """The module `usearch.index`, imported when first asked for.

    Raises:
        MissingEngineError: it is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module("usearch.index")
    except ModuleNotFoundError as error:
        raise MissingEngineError(
            f"engine 'usearch' needs {error.name}; run `pip install 'mignon[index]'` or use another engine"
        ) from error
    except (ImportError, OSError) as error:  # built for another system
        raise MissingEngineError(f"usearch is installed but cannot be imported ({error})") from error


def _searches(favorites: Rows) -> int:
    return 1 if len(favorites) < 2 else 1 + min(len(favorites), _SIDES)


def _map(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise DamagedIndexError(f"{path}: is empty; copy it again, or export with --index") from None
    except OSError as error:
        raise IndexFileError(
            f"{path}: cannot be opened ({error.strerror}); copy it beside the model, or export with --index"
        ) from error
