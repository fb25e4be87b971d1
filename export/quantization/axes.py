"""Fewer dims from a trained table: an orthogonal rotation after which the first d numbers are the best d."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.table import normalize_rows


def find_principal_axes(table: NDArray[np.float32], dims: int) -> NDArray[np.float32]:
    """The orthogonal columns float32 [width, dims] that keep most of the dot products of `table` [items, width].

    They are the first right singular vectors (Eckart and Young, 1936), each signed so that its greatest entry is
    positive. All dims need no rotation and get the identity.
    """
    width = table.shape[1]
    if dims == width:
        return np.eye(width, dtype=np.float32)
    wide = table.astype(np.float64)
    _, vectors = np.linalg.eigh(wide.T @ wide)
    axes = vectors[:, ::-1][:, :dims]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dims)])
    return (axes * signs).astype(np.float32)


def truncate_table(table: NDArray[np.float32], dims: int) -> NDArray[np.float32]:
    """Unit rows float32 [items, dims] of `table`, turned to its principal axes and cut."""
    return normalize_rows(table @ find_principal_axes(table, dims))
