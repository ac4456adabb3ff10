"""How the learning rate goes over a run."""

from __future__ import annotations

import math

_WARMUP = 0.05
"""Share of the steps over which the rate rises."""


def rate(schedule: str, step: int, total: int) -> float:
    """The share of the full rate at ``step`` of ``total``: warm-up, then a half cosine."""
    if schedule == "constant":
        return 1.0
    warm = max(1, int(total * _WARMUP))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))
