"""Shares in words: percent and percentage points."""

from __future__ import annotations


def percent(share: float | None) -> str:
    """A share of 0..1: ``98.9 %``; ``n/a`` when unknown."""
    return "n/a" if share is None else f"{100 * share:.1f} %"


def points(share: float, signed: bool = True) -> str:
    """A difference of shares in percentage points: ``-0.3``."""
    return f"{100 * share:+.1f}" if signed else f"{100 * share:.1f}"
