"""The fleet as data: what a team runs, who they are, and what they allow. Read from steward.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tools.contract import Json

UNNAMED = "this machine"
"""The name of a fleet that steward.yaml gives none."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model kind: where its code is and how to use it. Paths are relative to ``root``."""

    name: str
    kind: str
    """``image-classifier``, ``text-classifier``, or the team's own word."""
    root: Path
    module: str
    """Python file with the model contract (see docs/models.md)."""
    aliases: tuple[str, ...] = ()
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A deployment the team names; ``options`` belong to its platform."""

    name: str
    platform: str
    model: str | None = None
    namespace: str | None = None
    replicas: int = 2
    port: int | None = None
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def ref(self) -> str:
        """``namespace/name``, or just the name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may ask or approve; identities are per front."""

    name: str
    groups: tuple[str, ...] = ()
    slack: str | None = None
    unix: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Freeze:
    """A window in which nothing changes: cron start and a length, or fixed times."""

    name: str
    start: str
    duration: timedelta
    timezone: str = "UTC"
    except_tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreApproved:
    """A class of actions its author approves in advance, at most ``per_hour`` times."""

    name: str
    tool: str
    author: str
    per_hour: int
    where: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """Who may approve what, how long a proposal lives, and how much may happen."""

    approvers: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Tool name or ``*`` → people or ``group:NAME``; a tool's own line wins over ``*``."""
    self_approval: bool = True
    """May the requester approve their own request?"""
    destroy_approvals: int = 2
    expiry: timedelta = timedelta(hours=1)
    freezes: tuple[Freeze, ...] = ()
    actions_per_hour: int = 30
    gpu_hours_per_day: float = 1000.0
    breaker_failures: int = 3
    """So many failed or unverified actions in an hour open the breaker; a person resets it."""
    preapproved: tuple[PreApproved, ...] = ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything steward.yaml says. ``sections`` keeps parts other rooms read (notices, …)."""

    path: Path | None
    name: str = UNNAMED
    models: Mapping[str, ModelSpec] = field(default_factory=dict[str, ModelSpec])
    deployments: Mapping[str, DeploymentSpec] = field(default_factory=dict[str, DeploymentSpec])
    platforms: Mapping[str, Mapping[str, Json]] = field(
        default_factory=dict[str, Mapping[str, Json]]
    )
    people: Mapping[str, Person] = field(default_factory=dict[str, Person])
    policy: PolicySpec = field(default_factory=PolicySpec)
    language: str = "en"
    sections: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Raw mappings for ``prometheus``, ``alertmanager``, ``notices``, ``schedules``, ``slack``, …"""
