"""Shares and rates from two readings of the kernel's counters. Pure."""

from __future__ import annotations

from typing import Any


def total(times: Any) -> float:
    """Seconds of all kinds together."""
    # guest time is already part of user time
    return sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)


def share(before: Any, now: Any, name: str) -> float | None:
    """Share of one kind of time between two readings, 0..100."""
    if not hasattr(now, name):
        return None
    whole = total(now) - total(before)
    part = getattr(now, name) - getattr(before, name)
    return min(max(100.0 * part / whole, 0.0), 100.0) if whole > 0 else 0.0


def busy(before: Any, now: Any) -> float:
    """Share of time neither idle nor waiting for disks, 0..100."""
    idle = share(before, now, "idle") or 0.0
    return max(100.0 - idle - (share(before, now, "iowait") or 0.0), 0.0)


def rate(before: Any, now: Any, name: str, seconds: float) -> float | None:
    """Growth of a counter per second; ``None`` without two readings."""
    if before is None or now is None:
        return None
    return max(getattr(now, name) - getattr(before, name), 0) / seconds
