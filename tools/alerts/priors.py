"""Priors that learn: what people confirmed, as counts beside the playbook's own (Dirichlet).

A playbook's prior weighs as much as :data:`STRENGTH` confirmed cases. Every verdict adds one (a
withdrawal takes it back), fading by half in :data:`HALF_LIFE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from tools.alerts.base import Feedback
from tools.alerts.playbook import Playbook

STRENGTH = 8.0
HALF_LIFE = timedelta(days=180)


def learnt(
    playbook: Playbook, feedback: Iterable[Feedback], known: Iterable[str], now: datetime
) -> dict[str, float]:
    """The playbook's priors after what people confirmed.

    Causes that the playbook does not list join it when somebody confirmed them.
    """
    total = sum(playbook.priors.values())
    counts = {name: STRENGTH * prior / max(1.0, total) for name, prior in playbook.priors.items()}
    causes = set(known)
    for verdict in feedback:
        if verdict.playbook != playbook.name or verdict.cause not in causes:
            continue
        age = max(0.0, (now - verdict.at) / HALF_LIFE)
        counts[verdict.cause] = counts.get(verdict.cause, 0.0) + verdict.weight * 0.5**age
    kept = {name: max(0.02, count) for name, count in counts.items()}
    rest = STRENGTH * max(0.0, 1.0 - total)
    whole = sum(kept.values()) + rest
    return {name: count / whole for name, count in kept.items()}


def moved(before: Mapping[str, float], after: Mapping[str, float], cause: str) -> str:
    """``12 % -> 21 %`` for one cause."""
    return f"{before.get(cause, 0.0):.0%} -> {after.get(cause, 0.0):.0%}"
