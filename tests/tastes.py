"""Users of like taste in clusters, small enough to train on in a second."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

CLUSTERS = 6


def clusters_of(items: int) -> NDArray[np.int64]:
    """The cluster of each item."""
    return np.arange(items) % CLUSTERS


def clustered(users: int = 900, items: int = 120, seed: int = 0) -> csr_matrix:
    """0/1 [users, items]: four of five choices are of the user's own cluster; low numbers are popular."""
    rng = np.random.default_rng(seed)
    popularity = 1 / (5 + np.arange(items))
    own = clusters_of(items)[None] == rng.integers(0, CLUSTERS, users)[:, None]
    chance = popularity * np.where(own, 4 * (CLUSTERS - 1), 1)
    chance *= 9 / chance.sum(axis=1, keepdims=True)
    return csr_matrix((rng.random((users, items)) < chance).astype(np.float32))


def write_log(matrix: csr_matrix, path: Path) -> Path:
    """The log of a matrix as CSV."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user_id", "item_id"])
        writer.writerows((f"u{user:04}", f"i{item:04}") for user, item in zip(rows, matrix.indices, strict=True))
    return path


def write_catalog(items: int, path: Path) -> Path:
    """A catalog of `items` items, whose `kind` is their cluster."""
    lines = [f"i{item:04},Item {item},k{cluster}\n" for item, cluster in enumerate(clusters_of(items))]
    path.write_text("id,name,kind\n" + "".join(lines), "utf-8")
    return path
