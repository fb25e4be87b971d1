"""The engine that scans the table in C: the extension `mignon_native`, which lies in `device_runtime/native`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.base import ShortCut
from device_runtime.errors import MissingEngineError
from device_runtime.format.model_file import ModelFile
from device_runtime.results import Neighbor
from device_runtime.scoring.integers import Query, Ranking, Rows
from device_runtime.scoring.objectives import objective_of
from device_runtime.scoring.scan import Best

if TYPE_CHECKING:
    from device_runtime.format.texts import Lines

_MODULE = "mignon_native"
_INTERFACE = 2
_MOST_COLUMNS = 4096  # that the kernel takes
_MOST_FAVORITES = 64  # that a short cut takes
_NONE: Rows = np.empty(0, np.int64)


class NativeEngine:
    """Scores rows where they lie, in integers, and keeps the best; other threads run meanwhile.

    Attributes:
        table: of the extension, over the bytes of the file.
    """

    name = "native"

    def __init__(self, model: ModelFile) -> None:
        self._extension, self._manifest = load_extension(), model.manifest
        manifest = self._manifest
        if manifest.columns > _MOST_COLUMNS or manifest.rows >= 1 << 31:
            raise MissingEngineError(
                f"{model.filename}: engine 'native' takes up to {_MOST_COLUMNS} columns and 2^31 rows; use 'numpy'"
            )
        self.table = self._extension.Table(model.stored, manifest.rows, manifest.columns, manifest.bits)
        self._objective = objective_of(model)

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        return self._rank(self._objective.query_of_rows(rows), rows, k)

    def search(self, query: Query, k: int) -> Ranking:
        """See `Engine.search`."""
        return self._rank(query, _NONE, k)

    def search_each(
        self, queries: NDArray[np.int64], banned: Sequence[Rows], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[Best]:
        """See `Engine.search_each`."""
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        in_order = [np.sort(rows).astype(np.int64, copy=False) for rows in banned]  # 32 bits wide on armv7l
        found = self.table.best(np.ascontiguousarray(queries, np.int64), in_order, k, bits)
        pairs = (np.frombuffer(one, np.int64).reshape(-1, 2) for one in found)
        return [(rows, scores.astype(np.float64)) for rows, scores in (one.T for one in pairs)]

    def open_short_cut(
        self, ids: Sequence[str], names: Sequence[str], row_of_id: Callable[[], Mapping[str, int]]
    ) -> ShortCut | None:
        """See `Engine.open_short_cut`."""
        manifest, rule = self._manifest, self._manifest.preference
        biases = (
            None
            if rule is None
            else np.array([rule.bias_entry(count) for count in range(_MOST_FAVORITES + 1)], np.int64)
        )
        is_listed = isinstance(ids, list)
        catalog: ShortCut = self._extension.Catalog(
            self.table,
            row_of_id() if is_listed else None,
            ids if is_listed else cast("Lines", ids).parts,
            names if is_listed else cast("Lines", names).parts,
            Neighbor,
            manifest.scale,
            manifest.dims,
            0 if rule is None else rule.negative_columns,
            biases,
        )
        return catalog

    def _rank(self, query: Query, banned: Rows, k: int) -> Ranking:
        rows, scores = self.search_each(query, [banned], k)[0]
        return rows, self._objective.cosines(scores, query)


def load_extension() -> Any:
    """The module `mignon_native`.

    Raises:
        MissingEngineError: it is not installed, is of another version, or cannot be imported.
    """
    try:
        extension = importlib.import_module(_MODULE)
    except ModuleNotFoundError as error:
        raise MissingEngineError(
            "engine 'native' needs mignon-native; run `pip install 'mignon[native]'` or use another engine"
        ) from error
    except ImportError as error:  # built for another system, or for a path that is none
        raise MissingEngineError(f"mignon-native is installed but cannot be imported: {error}") from error
    if getattr(extension, "INTERFACE", None) != _INTERFACE:
        raise MissingEngineError(
            "mignon-native is of another version than mignon; run `pip install --upgrade mignon mignon-native`"
        )
    return extension
