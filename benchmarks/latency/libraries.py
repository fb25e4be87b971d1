"""Libraries for nearest neighbors, and numpy by hand: how each builds its index of a table, and how it is asked.

Each library is imported where it is used: an environment has some of them, and the process that asks mignon none.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.layout import LARGEST_ENTRY
from device_runtime.format.manifest import Manifest

K = 10
Table = NDArray[np.float32]
Search = Callable[[NDArray[np.float32], int], tuple[Any, Any]]

_HNSW_LINKS, _HNSW_BUILD, _HNSW_SEARCH = 16, 200, 64
_ROWS_IN_BLOCK = 64


class Index(Protocol):
    """What a peer builds from the table, saves and loads; `search` gives rows and inner products, best first."""

    def build(self, table: Table, folder: Path) -> None:
        """Writes the index of `table` [rows, columns] into `folder`."""

    def load(self, folder: Path, manifest: Manifest) -> Search:
        """How to ask the index that was written there."""


class Faiss(NamedTuple):
    """Faiss by the text of its index factory."""

    factory: str

    def build(self, table: Table, folder: Path) -> None:  # noqa: D102
        faiss = import_module("faiss")
        index = faiss.index_factory(table.shape[1], self.factory, faiss.METRIC_INNER_PRODUCT)
        index.train(table)
        index.add(table)
        faiss.write_index(index, str(folder / "index"))

    def load(self, folder: Path, manifest: Manifest) -> Search:  # noqa: ARG002, D102
        faiss = import_module("faiss")
        faiss.omp_set_num_threads(1)
        index = faiss.read_index(str(folder / "index"))

        def search(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
            scores, found = index.search(query[None], k)
            return found[0], scores[0]

        return search


class Hnswlib(NamedTuple):
    """Hnswlib, by brute force or by its graph."""

    exact: bool

    def build(self, table: Table, folder: Path) -> None:  # noqa: D102
        index = self._index(table.shape[1])
        if self.exact:
            index.init_index(max_elements=len(table))
        else:
            index.init_index(max_elements=len(table), M=_HNSW_LINKS, ef_construction=_HNSW_BUILD)
        index.add_items(table)
        index.save_index(str(folder / "index"))

    def load(self, folder: Path, manifest: Manifest) -> Search:  # noqa: D102
        index = self._index(manifest.columns)
        index.load_index(str(folder / "index"), max_elements=manifest.rows)
        index.set_num_threads(1)
        if not self.exact:
            index.set_ef(_HNSW_SEARCH)

        def search(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
            found, distances = index.knn_query(query, k=k)
            return found[0], 1 - distances[0]

        return search

    def _index(self, columns: int) -> Any:
        hnswlib = import_module("hnswlib")
        return (hnswlib.BFIndex if self.exact else hnswlib.Index)(space="ip", dim=columns)


class Usearch(NamedTuple):
    """Usearch over float32 rows by exact search, or over 8-bit rows by its graph."""

    exact: bool

    def build(self, table: Table, folder: Path) -> None:  # noqa: D102
        if self.exact:
            np.save(folder / "index.npy", table)
            return
        index = self._graph(table.shape[1])
        index.add(np.arange(len(table)), table / np.linalg.norm(table, axis=1, keepdims=True), threads=1)
        index.save(str(folder / "index"))

    def load(self, folder: Path, manifest: Manifest) -> Search:  # noqa: D102
        usearch = import_module("usearch.index")
        if self.exact:
            table = np.load(folder / "index.npy")
            metric = usearch.MetricKind.IP

            def exhaustive(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
                found = usearch.search(table, query, k, metric, exact=True, threads=1)
                return found.keys, 1 - found.distances

            return exhaustive
        index = self._graph(manifest.columns)
        index.view(str(folder / "index"))

        def search(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
            length = np.linalg.norm(query)
            found = index.search(query / length, k, threads=1)
            return found.keys, (1 - found.distances) * (length / manifest.scale)

        return search

    def _graph(self, columns: int) -> Any:
        usearch = import_module("usearch.index")
        return usearch.Index(ndim=columns, metric="ip", dtype="i8", expansion_search=_HNSW_SEARCH)


class Scann(NamedTuple):
    """Scann by brute force, over float32 rows or rows that it rounds to 8 bits."""

    quantize: bool

    def build(self, table: Table, folder: Path) -> None:  # noqa: D102
        scann = import_module("scann")
        searcher = scann.scann_ops_pybind.builder(table, 2 * K, "dot_product").score_brute_force(self.quantize).build()
        (folder / "index").mkdir(exist_ok=True)
        searcher.serialize(str(folder / "index"))

    def load(self, folder: Path, manifest: Manifest) -> Search:  # noqa: ARG002, D102
        scann = import_module("scann")
        searcher = scann.scann_ops_pybind.load_searcher(str(folder / "index"))
        return lambda query, k: searcher.search(query, final_num_neighbors=k)


class Voyager(NamedTuple):
    """Voyager's graph over float32 or 8-bit floats."""

    storage: str

    def build(self, table: Table, folder: Path) -> None:  # noqa: D102
        voyager = import_module("voyager")
        storage = getattr(voyager.StorageDataType, self.storage)
        options = {"M": _HNSW_LINKS, "ef_construction": _HNSW_BUILD, "storage_data_type": storage}
        index = voyager.Index(voyager.Space.InnerProduct, table.shape[1], **options)
        index.add_items(table / LARGEST_ENTRY, num_threads=1)
        index.save(str(folder / "index"))

    def load(self, folder: Path, manifest: Manifest) -> Search:  # noqa: ARG002, D102
        voyager = import_module("voyager")
        index = voyager.Index.load(str(folder / "index"))

        def search(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
            length = np.linalg.norm(query)
            found, distances = index.query(query / length, k=k, num_threads=1, query_ef=_HNSW_SEARCH)
            return found, (1 - distances) * (length * LARGEST_ENTRY)

        return search


class ByHand(NamedTuple):
    """numpy over a float32 table: argpartition of all scores, or only of those above a threshold from block maxima."""

    threshold: bool

    def build(self, table: Table, folder: Path) -> None:  # noqa: D102
        np.save(folder / "index.npy", np.ascontiguousarray(table.T))

    def load(self, folder: Path, manifest: Manifest) -> Search:  # noqa: D102
        transposed = np.load(folder / "index.npy")
        rows, blocks = manifest.rows, manifest.rows // _ROWS_IN_BLOCK

        def by_argpartition(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
            scores = query @ transposed
            found = np.argpartition(scores, rows - k)[-k:]
            found = found[np.argsort(-scores[found])]
            return found, scores[found]

        def by_threshold(query: NDArray[np.float32], k: int) -> tuple[Any, Any]:
            scores = query @ transposed
            maxima = scores[: blocks * _ROWS_IN_BLOCK].reshape(_ROWS_IN_BLOCK, blocks).max(axis=0)
            found = np.flatnonzero(scores >= np.partition(maxima, blocks - k)[blocks - k])
            found = found[np.argsort(-scores[found], kind="stable")][:k]
            return found, scores[found]

        return by_threshold if self.threshold and blocks >= 4 * K else by_argpartition


EXACT: dict[str, Index] = {
    "faiss SQ8 direct signed": Faiss("SQ8_direct_signed"),
    "faiss SQ8": Faiss("SQ8"),
    "faiss Flat": Faiss("Flat"),
    "scann brute force": Scann(quantize=False),
    "scann brute force int8": Scann(quantize=True),
    "hnswlib brute force": Hnswlib(exact=True),
    "usearch exact": Usearch(exact=True),
    "numpy argpartition": ByHand(threshold=False),
    "numpy block maxima": ByHand(threshold=True),
}
APPROXIMATE: dict[str, Index] = {
    "hnswlib HNSW": Hnswlib(exact=False),
    "voyager": Voyager("Float32"),
    "voyager E4M3": Voyager("E4M3"),
    "usearch HNSW int8": Usearch(exact=False),
}
PEERS = EXACT | APPROXIMATE
