"""Judging one canary step: go on, wait, or roll back, and why. Pure; used by every platform.

Error rates are compared by Wilson score intervals (E. B. Wilson, 1927), so that a handful of
requests neither condemns nor acquits; quality by the two-proportion interval (Newcombe, 1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from tools.platforms.base import RollOut, Traffic

Z = 1.645
"""One-sided 95 %."""
MIN_SLOWER = 0.005
"""Seconds of p95 below which a slowdown is noise, whatever its ratio."""
MAX_QUALITY_LOSS = 0.01
"""Share of right answers the new version may lose before it counts as worse."""
MIN_EVIDENCE = 3
"""Errors, or labelled answers, below which nothing is concluded before the step's end."""
PATIENCE = 3
"""Pauses after which a step is judged with the requests it has."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What to do with a step, in one sentence with the numbers seen."""

    go: Literal["continue", "wait", "roll_back"]
    reason: str


def wilson(hits: int, total: int, z: float = Z) -> tuple[float, float]:
    """The Wilson score interval of a share; ``(0, 1)`` without observations."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def judge(
    plan: RollOut,
    *,
    new: Traffic | None,
    stable: Traffic | None,
    healthy: bool,
    unhealthy_cause: str,
    pauses: float,
) -> Ruling:
    """Judge a step.

    Args:
        plan: its thresholds.
        new, stable: what each version did **during this roll-out**; ``None`` without traffic.
        healthy: every replica of the new version that should be ready is.
        unhealthy_cause: why not, when not.
        pauses: how many of ``plan.pause`` this step has lasted.
    """
    if not healthy:
        return Ruling("roll_back", unhealthy_cause or "a replica of the new version is not ready")
    requests = new.requests if new else 0
    if new is not None:
        bad = (
            _errors(plan, new, stable) or _worse(new, stable) or _slower(plan, new, stable, pauses)
        )
        if bad:
            return Ruling("roll_back", bad)
    if pauses < 1:
        return Ruling("wait", f"{requests} requests so far")
    if requests < plan.min_requests and pauses < PATIENCE:
        return Ruling("wait", f"{requests} of {plan.min_requests} requests so far")
    return Ruling("continue", _well(new, requests))


def _errors(plan: RollOut, new: Traffic, stable: Traffic | None) -> str:
    if not new.requests:
        return ""
    rate = new.errors / new.requests
    usual = stable.errors / stable.requests if stable and stable.requests else 0.0
    allowed = max(plan.max_error_rate, usual)
    enough = new.requests >= plan.min_requests
    low, _ = wilson(new.errors, new.requests)
    sure = low > allowed and new.errors >= MIN_EVIDENCE
    if sure or (enough and rate > allowed and new.errors > 1):
        return (
            f"error rate {rate:.1%} over {new.requests} requests, "
            f"allowed {allowed:.1%} (stable {usual:.1%})"
        )
    return ""


def _slower(plan: RollOut, new: Traffic, stable: Traffic | None, pauses: float) -> str:
    if new.p95_seconds is None or stable is None or stable.p95_seconds is None:
        return ""
    fewest = min(new.requests, stable.requests)
    late = pauses >= PATIENCE and fewest >= MIN_EVIDENCE
    if fewest < plan.min_requests and not late:
        return ""
    ratio = new.p95_seconds / max(stable.p95_seconds, 1e-9)
    if ratio <= plan.max_slowdown or new.p95_seconds - stable.p95_seconds <= MIN_SLOWER:
        return ""
    if not _sure_of_p95(plan, new, stable, pauses):
        return ""
    return (
        f"p95 latency {new.p95_seconds * 1000:.0f} ms is {ratio:.1f}× the stable version's "
        f"{stable.p95_seconds * 1000:.0f} ms, allowed {plan.max_slowdown:.1f}×"
    )


def _sure_of_p95(plan: RollOut, new: Traffic, stable: Traffic, pauses: float) -> bool:
    """Of few requests the p95 is the slowest or second: one hiccup of the machine.

    Then the median must be slower too.
    """
    if new.requests >= 5 * plan.min_requests:
        return True
    if new.p50_seconds is None or stable.p50_seconds is None:
        return pauses >= 1 and new.requests >= plan.min_requests
    return new.p50_seconds > plan.max_slowdown * stable.p50_seconds


def _worse(new: Traffic, stable: Traffic | None) -> str:
    if new.quality is None or stable is None or stable.quality is None:
        return ""
    new_n, stable_n = new.labelled or new.requests, stable.labelled or stable.requests
    if min(new_n, stable_n) < MIN_EVIDENCE:
        return ""
    loss = stable.quality - new.quality
    _, new_high = wilson(round(new.quality * new_n), new_n)
    stable_low, _ = wilson(round(stable.quality * stable_n), stable_n)
    margin = sqrt((new_high - new.quality) ** 2 + (stable.quality - stable_low) ** 2)
    if loss > MAX_QUALITY_LOSS and loss - margin > 0:
        return (
            f"quality {new.quality:.1%} over {new_n} labelled answers, "
            f"stable {stable.quality:.1%}: {loss * 100:.1f} points worse"
        )
    return ""


def _well(new: Traffic | None, requests: int) -> str:
    if new is None or not requests:
        return "no traffic to judge by; its replicas are ready"
    rate = new.errors / requests
    p95 = f", p95 {new.p95_seconds * 1000:.0f} ms" if new.p95_seconds is not None else ""
    return f"{requests} requests, error rate {rate:.1%}{p95}"
