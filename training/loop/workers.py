"""Several workers that train one model: TensorFlow's environment variable `TF_CONFIG` says who they are."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from training.by_interactions.batches import Worker
from training.errors import SettingsError


def strategy_of_environment() -> tf.distribute.Strategy | None:
    """Joins the workers of `TF_CONFIG`, waiting for all of them; None where there is none. To be called first of all.

    Raises:
        SettingsError: the variable is not what TensorFlow describes.
    """
    if not os.environ.get("TF_CONFIG"):
        return None
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        addresses, number = config["cluster"]["worker"], config["task"]["index"]
        fits = config["task"]["type"] == "worker" and 0 <= number < len(addresses)
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"TF_CONFIG cannot be understood ({error!r}); see docs/training.md") from None
    if not fits:
        raise SettingsError(f"TF_CONFIG: task {config['task']} is none of the workers; see docs/training.md")
    return tf.distribute.MultiWorkerMirroredStrategy()


def worker_of(strategy: tf.distribute.Strategy) -> Worker:
    """Which of the workers this process is."""
    resolver = getattr(strategy, "cluster_resolver", None)
    return Worker() if resolver is None else Worker(resolver.task_id, strategy.num_replicas_in_sync)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files and prints."""
    return worker_of(strategy).number == 0
