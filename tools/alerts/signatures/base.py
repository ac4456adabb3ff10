"""The values that reading a log yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a signature says about causes."""

    ROOT = "root"
    """May be the first cause."""
    CASCADE = "cascade"
    """Follows from something else, unless nothing precedes it."""
    CONFIRMATION = "confirmation"
    """Says that something ended, not why (an exit code, a SIGTERM)."""
    ADVICE = "advice"
    """Text that accompanies errors; never a cause."""


@dataclass(frozen=True, slots=True)
class Line:
    """One log line, without its prefixes."""

    number: int
    """Position in what was read, from 0."""
    at: datetime | None
    uptime: float | None
    """Seconds since boot, where only that is known (``dmesg``)."""
    source: str
    """Rank, replica, container or ``kernel``, as far as the line says."""
    rank: int | None
    level: str
    """``error``, ``warning``, ``info`` or ``""``."""
    body: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A line that means something."""

    category: str
    """``xid``, ``sxid``, ``cuda_oom``, ``nccl_timeout``, …"""
    family: str
    """``gpu``, ``network``, ``memory``, ``storage``, ``numerics``, ``software``, ``platform``, …"""
    role: Role
    line: Line
    en: str
    """What it means, one sentence."""
    zh: str
    code: int | None = None
    """XID or SXid number."""
    device: str | None = None
    """PCI address or GPU index."""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    weak: bool = False
    """Too general to win against a specific signature close to it."""

    @property
    def key(self) -> str:
        """Category with its code: ``xid 79``."""
        return self.category if self.code is None else f"{self.category} {self.code}"

    @property
    def quote(self) -> str:
        """The line as evidence, at most 240 characters."""
        body = self.line.body
        return body if len(body) <= 240 else body[:237] + "…"
