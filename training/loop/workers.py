"""Several workers that train one model: TensorFlow's environment variable `TF_CONFIG` says who they are."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.errors import SettingsError

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Worker:
    """Which of so many workers: it takes every so many-th user of a step, the first from `number`."""

    number: int = 0
    count: int = 1


def read_worker() -> Worker:
    """Which of the workers of `TF_CONFIG` this process is; the only one where there is none.

    Raises:
        SettingsError: the variable is not what TensorFlow describes.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return Worker()
    try:
        config = json.loads(text)
        worker = Worker(config["task"]["index"], len(config["cluster"]["worker"]))
        fits = config["task"]["type"] == "worker" and 0 <= worker.number < worker.count
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"TF_CONFIG cannot be understood ({error!r}); see docs/training.md") from None
    if not fits:
        raise SettingsError(f"TF_CONFIG: task {config['task']} is none of the workers; see docs/training.md")
    return worker


def join_workers() -> tf.distribute.Strategy | None:
    """Joins the workers of `TF_CONFIG`, waiting for all of them; None where there is none. To be called first of all.

    Raises:
        SettingsError: the variable is not what TensorFlow describes.
    """
    read_worker()
    if not os.environ.get("TF_CONFIG"):
        return None
    import tensorflow as tf

    return tf.distribute.MultiWorkerMirroredStrategy()


def get_worker(strategy: tf.distribute.Strategy) -> Worker:
    """Which of the workers this process is."""
    resolver = getattr(strategy, "cluster_resolver", None)
    return Worker() if resolver is None else Worker(resolver.task_id, strategy.num_replicas_in_sync)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files and prints."""
    return get_worker(strategy).number == 0
