"""How to learn from what items are like: the numbers, what each means and where it may lie."""

from __future__ import annotations

from dataclasses import dataclass

from training.loop.settings import check_settings, setting


@dataclass(frozen=True)
class AttributeSettings:
    """How to train.

    Attributes:
        dims: numbers in a vector.
        hidden: the share of an item's values hidden at each step.
        temperature: of the softmax over attribute likeness; lower ones look at the nearest neighbors only.
        stress: what keeping every cosine itself near the likeness counts beside keeping neighbors.
        reconstruction: what predicting hidden values counts beside keeping neighbors.
        own_penalty: what keeps the part of an item's vector that its attributes do not explain small.
        patience: epochs without a better held-out measure before training stops.

    Raises:
        SettingsError: one is out of its range.
    """

    dims: int = setting(16, 2, 1024, "numbers in a vector")
    epochs: int = setting(40, 1, 100_000, "epochs at most")
    batch: int = setting(256, 1, 1 << 20, "items in a step, or users with --interactions")
    learning_rate: float = setting(0.02, 0, 10)
    hidden: float = setting(0.3, 0, 1)
    temperature: float = setting(0.08, 1e-6, 1e6)
    stress: float = setting(300.0, 0, 1e6)
    reconstruction: float = setting(0.1, 0, 1e6)
    own_penalty: float = setting(0.2, 0, 1e6)
    patience: int = setting(15, 1, 100_000, "epochs without a better held-out measure before training stops")
    seed: int = setting(0, 0, 200_000, "of every random choice")

    def __post_init__(self) -> None:
        check_settings(self)
