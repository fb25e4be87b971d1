"""What is measured: size, latency, and whether likeness means anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.one_hot.encodings import Encoding, OneHotRanker, encode_embedding, encode_one_hot
from device_runtime import Recommender
from device_runtime.errors import UnknownItemError
from device_runtime.format.layout import IDS
from device_runtime.format.model_file import ModelFile

FAVORITES = 8
K = 10
LIKENESS = (
    ("hot dog", "shawarma", "Greek salad"),
    ("pancakes", "crêpes", "borscht"),
    ("pizza margherita", "lahmacun", "tiramisu"),
)
_LARGEST_ONE_HOT = 20_000


@dataclass(frozen=True)
class Latency:
    """Medians, in microseconds, of interleaved answers: ids of favorites in, the best others out."""

    name: str
    microseconds: float
    ratio_to_one_hot: float | None


@dataclass(frozen=True)
class Likeness:
    """Is `item` more like `near` than like `far`? By distance of one-hot indices, one-hot cosine and embedding."""

    item: str
    near: str
    far: str
    index_near: int
    index_far: int
    one_hot_near: float
    one_hot_far: float
    embedding_near: float
    embedding_far: float


def measure_sizes(model: ModelFile) -> list[Encoding]:
    """The costs of one-hot encodings and of the embedding, for the same items."""
    manifest = model.manifest
    return [
        encode_one_hot(manifest.rows, 32, "one-hot float32"),
        encode_one_hot(manifest.rows, 8, "one-hot int8"),
        encode_one_hot(manifest.rows, 1, "one-hot packed bits"),
        encode_embedding(manifest.rows, manifest.dims, manifest.columns),
    ]


def measure_latency(model: ModelFile, engines: Sequence[str], rounds: int = 300, seed: int = 0) -> list[Latency]:
    """Times one answer by each engine, through the public API, and by one-hot vectors, in turn."""
    rows = model.manifest.rows
    rng = np.random.default_rng(seed)
    baskets = [rng.choice(rows, min(FAVORITES, rows), replace=False) for _ in range(rounds)]
    ids = model.lines(IDS)
    answers: dict[str, Callable[[NDArray[np.int64]], object]] = {}
    if rows <= _LARGEST_ONE_HOT:
        ranker = OneHotRanker(rows)
        answers["one-hot float32"] = lambda basket: ranker.recommend(basket, min(K, rows - 1))
    for engine in engines:
        answers[f"embedding, {engine}"] = _through_api(Recommender.open(model.path, engine=engine), ids)  # type: ignore[arg-type]
    times: dict[str, list[float]] = {name: [] for name in answers}
    for basket in tqdm(baskets, desc="latency", unit="round"):
        for name, answer in answers.items():
            start = time.perf_counter()
            answer(basket)
            times[name].append(time.perf_counter() - start)
    medians = {name: 1e6 * median(samples[rounds // 10 :]) for name, samples in times.items()}
    base = medians.get("one-hot float32")
    return [Latency(name, value, value / base if base else None) for name, value in medians.items()]


def measure_likeness(recommender: Recommender, triplets: Sequence[tuple[str, str, str]] = LIKENESS) -> list[Likeness]:
    """The triplets whose items are in the catalog, as one-hot and the embedding see them."""
    found = []
    for item, near, far in triplets:
        try:
            vectors = [recommender.vector(name) for name in (item, near, far)]
            indices = [recommender.row(name) for name in (item, near, far)]
        except UnknownItemError:
            continue
        (item_at, near_at, far_at), (of_item, of_near, of_far) = indices, vectors
        found.append(
            Likeness(
                item=item,
                near=near,
                far=far,
                index_near=abs(item_at - near_at),
                index_far=abs(item_at - far_at),
                one_hot_near=float(item_at == near_at),
                one_hot_far=float(item_at == far_at),
                embedding_near=_cosine(of_item, of_near),
                embedding_far=_cosine(of_item, of_far),
            )
        )
    return found


def _through_api(recommender: Recommender, ids: Sequence[str]) -> Callable[[NDArray[np.int64]], object]:
    return lambda basket: recommender.recommend([ids[row] for row in basket], k=K, blend="together")


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
