"""Against recommenders, on held-out users."""

from __future__ import annotations

from typing import Literal

SplitName = Literal["strong", "leave-one-out", "time"]
"""How a log is split into what is trained on and what is asked for."""
