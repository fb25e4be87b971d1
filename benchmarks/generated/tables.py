"""Trained folders of any size with generated tables, to see how the rest of the pipeline grows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.inputs.catalog import Catalog, Item
from training.trained import Trained, save

CLUSTERS = 200
SPREAD = 0.5


def generate(rows: int, dims: int, folder: Path, seed: int = 0) -> None:
    """Writes a trained folder of `rows` items around 200 clusters, some larger than others, each an attribute value.

    Raises:
        TrainedFolderError: `folder` exists and is not a trained folder.
    """
    rng = np.random.default_rng(seed)
    clusters = min(CLUSTERS, rows)
    centers = rng.normal(size=(clusters, dims)).astype(np.float32)
    of_item = np.minimum(rng.zipf(1.2, rows), clusters) - 1
    width = len(str(rows))
    items = tuple(
        Item(row + 1, f"{row:0{width}}", f"Item {row:0{width}}", (), {"cluster": (str(cluster),)})
        for row, cluster in enumerate(of_item.tolist())
    )
    values = tuple(("cluster", str(cluster)) for cluster in range(clusters))
    table = _table(centers, of_item, rng)
    save(Trained(Catalog(items, ("cluster",)), table, values, centers, {"generated": True}, {"dims": dims}), folder)


def _table(centers: NDArray[np.float32], of_item: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
    noise = rng.standard_normal((len(of_item), centers.shape[1]), np.float32)
    table = centers[of_item] + np.float32(SPREAD) * noise
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    return table
