"""Logs of any size with popular and rare items and users of like taste, written in chunks in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars
from numpy.typing import NDArray
from polars.io.plugins import register_io_source

from device_runtime.errors import InvalidArgumentError
from training.console.files import replacing

ITEMS_A_CLUSTER = 500
ZIPF_EXPONENT = 1.0
OWN_CLUSTER = 0.6
ACTIVITY_SPREAD = 1.0
CHUNK = 1_000_000
START = 1_577_836_800  # 2020-01-01, in seconds
SPAN = 365 * 86_400
WRITERS = {".parquet": "sink_parquet", ".csv": "sink_csv", ".jsonl": "sink_ndjson"}
_SCHEMA = {
    "user_id": polars.String,
    "item_id": polars.String,
    "weight": polars.Float64,
    "timestamp": polars.Int64,
}


@dataclass(frozen=True)
class LogShape:
    """How large a log is and the seed of its random numbers."""

    interactions: int
    items: int
    users: int
    seed: int = 0


@dataclass(frozen=True)
class _World:
    """Cumulative popularity of the items, cluster by cluster, and of the users."""

    items: NDArray[np.float64]
    users: NDArray[np.float64]
    edges: NDArray[np.float64]
    """clusters + 1 values of `items`: between two of them lie the items of a cluster"""
    cluster_of_user: NDArray[np.int64]
    user_ids: polars.Series
    item_ids: polars.Series


def write_log(shape: LogShape, path: Path) -> None:
    """Writes a log as Parquet, CSV or JSON Lines, by the ending of `path`; the same shape gives the same rows.

    Item k of the most popular ones is drawn in proportion to 1 / k (Zipf's law). Every item and user belongs to
    a cluster, one for each 500 items; three of five rows of a user are items of the user's own cluster. Users differ
    in activity log-normally. Weights are 1 to 5, timestamps lie within one year.

    Raises:
        InvalidArgumentError: `path` ends in none of these.
    """
    if path.suffix not in WRITERS:
        raise InvalidArgumentError(f"{path} must end in one of {', '.join(WRITERS)}")
    frame = register_io_source(lambda *_: _chunks(shape), schema=_SCHEMA, is_pure=True)
    with replacing(path) as temporary:
        try:
            getattr(frame, WRITERS[path.suffix])(temporary)
        except polars.exceptions.PolarsError as error:  # so it says that a disk is full, of Parquet
            raise OSError(str(error).partition("\n")[0]) from None


def _chunks(shape: LogShape) -> Iterator[polars.DataFrame]:
    rng = np.random.default_rng(shape.seed)
    world = _world(shape, rng)
    for start in range(0, shape.interactions, CHUNK):
        yield _rows(world, min(CHUNK, shape.interactions - start), rng)


def _world(shape: LogShape, rng: np.random.Generator) -> _World:
    clusters = max(1, shape.items // ITEMS_A_CLUSTER)
    cluster_of_item = np.sort(np.concatenate([np.arange(clusters), rng.integers(0, clusters, shape.items - clusters)]))
    popularity = 1 / (1 + rng.permutation(shape.items)) ** ZIPF_EXPONENT
    cumulative = np.concatenate([[0.0], np.cumsum(popularity)])
    edges = cumulative[np.searchsorted(cluster_of_item, np.arange(clusters + 1))]
    activity = np.cumsum(rng.lognormal(0, ACTIVITY_SPREAD, shape.users))
    cluster_of_user = rng.integers(0, clusters, shape.users)
    item_ids = _names("i", shape.items).gather(rng.permutation(shape.items))
    return _World(cumulative[1:], activity, edges, cluster_of_user, _names("u", shape.users), item_ids)


def _rows(world: _World, count: int, rng: np.random.Generator) -> polars.DataFrame:
    users = _draw(world.users, np.zeros(count), np.full(count, world.users[-1]), rng)
    cluster, own = world.cluster_of_user[users], rng.random(count) < OWN_CLUSTER
    low = np.where(own, world.edges[cluster], 0)
    high = np.where(own, world.edges[cluster + 1], world.items[-1])
    items = _draw(world.items, low, high, rng)
    return polars.DataFrame(
        {
            "user_id": world.user_ids.gather(users),
            "item_id": world.item_ids.gather(items),
            "weight": rng.integers(1, 6, count).astype(np.float64),
            "timestamp": rng.integers(START, START + SPAN, count),
        }
    )


def _draw(
    cumulative: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    at = np.searchsorted(cumulative, low + rng.random(len(low)) * (high - low), side="right")
    return np.minimum(at, len(cumulative) - 1)


def _names(letter: str, count: int) -> polars.Series:
    width = len(str(count - 1))
    return polars.Series([f"{letter}{number:0{width}}" for number in range(count)])
