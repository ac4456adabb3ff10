"""The one contract every platform obeys: local processes, Docker, Kubernetes, and the test double.

Words are Kubernetes' own where it has one. All values are plain and frozen; no SDK type crosses.
``tests/contract/test_platform.py`` is the contract's suite; a new platform is done when it passes.

Changing methods are convergent (they state the target) and idempotent under the same ``act.id``.
The effect carries ``act.id``, so that :meth:`Platform.happened` can answer after a crash.
They return when the platform has accepted the change; :meth:`Platform.status` tells when it is
complete. Errors are :mod:`tools.errors` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from tools.contract import Act, Happened, Json

StrategyName = Literal["rolling", "canary", "blue_green"]
Phase = Literal["complete", "progressing", "paused", "degraded", "failed"]


@dataclass(frozen=True, slots=True)
class Release:
    """What a deployment runs: weights and configuration together."""

    model: str | None
    version: str | None
    """Registry version number as text, or ``None`` where the deployment has no model."""
    digest: str | None
    """sha256 of the artefact."""
    artifact: str | None
    """Path or URI the server loads."""
    image: str | None = None
    config: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Replica:
    """One process, container or pod."""

    id: str
    ready: bool
    revision: int
    version: str | None
    started_at: datetime
    restarts: int = 0
    node: str | None = None
    state: str = "running"
    """``running``, ``starting``, ``draining``, ``crashed``, ``pending``, … in the platform's words."""
    message: str = ""
    """Why it is not ready, when it is not."""


@dataclass(frozen=True, slots=True)
class Status:
    """A deployment now."""

    name: str
    namespace: str | None
    platform: str
    uid: str
    generation: str
    """Changes when the desired state is edited, not when status changes."""
    revision: int
    release: Release
    wanted: int
    ready: int
    updated: int
    """Replicas of the newest revision."""
    phase: Phase
    replicas: tuple[Replica, ...]
    message: str = ""
    """Named cause when degraded or failed (``image cannot be pulled``, ``crash loop``, …)."""
    action_id: str | None = None
    """The last action that changed it, as carried by the effect."""
    traffic: Mapping[int, float] = field(default_factory=dict[int, float])
    """Revision → share of traffic, during a canary."""
    endpoint: str | None = None
    template: str = ""
    """Fingerprint of what its replicas are made from; empty where the platform tells none."""
    edited_by: str = ""
    """Who edited it since the action that it carries, by another way than Steward, where known."""

    @property
    def ref(self) -> str:
        """``namespace/name``, or just the name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a deployment's history, newest first where listed."""

    number: int
    release: Release
    created_at: datetime
    action_id: str | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line with its time (if known) and source (replica, container, job rank, kernel)."""

    at: datetime | None
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """Something the platform reports: a restart, a failed probe, a pull error."""

    at: datetime
    target: str
    kind: Literal["normal", "warning"]
    reason: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters of one revision's servers since their start, summed over replicas."""

    requests: int
    errors: int
    p95_seconds: float | None
    quality: float | None = None
    """The model's own metric, where labels arrive."""
    labelled: int = 0
    """How many answers ``quality`` is the share of; 0 where it is not known."""
    p50_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do, according to the platform (server-side dry run where it has one)."""

    diff: str
    warnings: tuple[str, ...] = ()
    least: int | None = None
    """The fewest replicas that serve while it is carried out, by the deployment's own strategy."""
    patience: timedelta | None = None
    """How long a batch of replicas may take without progress, by its own probes and deadlines."""
    batches: int = 1
    """How many batches its replicas are replaced in."""
    leaving: timedelta = timedelta()
    """How long a replica that was told to go may take, by its own grace period."""
    template: str = ""
    """The fingerprint (:attr:`Status.template`) that the change leads to, where it is known."""


@dataclass(frozen=True, slots=True)
class RollOut:
    """Bring a deployment to ``release`` with ``replicas``; replacing it by ``strategy``."""

    release: Release
    replicas: int
    strategy: StrategyName = "rolling"
    steps: tuple[float, ...] = (0.25, 0.5, 1.0)
    """Canary: shares of replicas (and so of traffic)."""
    pause: timedelta = timedelta(seconds=10)
    min_requests: int = 20
    """Canary: judge a step only after so many requests of the new revision (or after 3 pauses)."""
    max_error_rate: float = 0.02
    max_slowdown: float = 1.5
    """Canary: new p95 / stable p95 at most this."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Set the number of replicas."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Restart:
    """Replace every replica gracefully, same release."""


@dataclass(frozen=True, slots=True)
class RollBack:
    """Return to an earlier revision: weights and configuration both."""

    revision: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop a roll-out where it stands."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue a paused roll-out."""


Edit = RollOut | Scale | Restart | RollBack | Pause | Resume


class Platform(Protocol):
    """A place where deployments run."""

    @property
    def name(self) -> str:
        """Its name in steward.yaml."""
        ...

    def deployments(self) -> Sequence[Status]:
        """Every deployment, bounded; raises ``Unavailable`` if the platform does not answer."""
        ...

    def status(self, ref: str) -> Status:
        """One deployment; raises ``BadArguments`` (unknown, with nearest names)."""
        ...

    def history(self, ref: str) -> Sequence[Revision]:
        """Revisions, newest first."""
        ...

    def logs(
        self, ref: str, *, since: timedelta, limit: int = 500, previous: bool = False
    ) -> Sequence[LogLine]:
        """Newest last, over all replicas."""
        ...

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        """Newest last; all deployments when ``ref`` is ``None``."""
        ...

    def traffic(self, ref: str) -> Mapping[int, Traffic]:
        """Revision → counters, from the servers' own metrics; empty where there are none."""
        ...

    def preview(self, ref: str, edit: Edit) -> Preview:
        """What ``edit`` would change; raises ``ToolError`` when it is impossible."""
        ...

    def edit(self, ref: str, edit: Edit, act: Act) -> str:
        """Carry out ``edit`` and return one sentence. A refused precondition raises ``Refused``."""
        ...

    def abort(self, ref: str, act: Act) -> str:
        """Stop the roll-out in progress and return to the stable revision."""
        ...

    def happened(self, ref: str, action_id: str) -> Happened:
        """Did the edit of this action reach the platform?"""
        ...


class Platforms(Protocol):
    """All platforms of the fleet, and which one a deployment lives on."""

    def all(self) -> Sequence[Platform]:
        """Every configured platform."""
        ...

    def named(self, name: str) -> Platform:
        """A platform by its name in steward.yaml."""
        ...

    def of(self, deployment: str) -> tuple[Platform, str]:
        """The platform of a deployment and its full reference.

        Raises ``BadArguments`` when the name is unknown or stands for several deployments.
        """
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a cluster."""

    name: str
    ready: bool
    schedulable: bool
    uid: str
    generation: str
    pods: int
    gpus: int
    message: str = ""


class Cluster(Platform, Protocol):
    """A platform that also has nodes (Kubernetes)."""

    def nodes(self) -> Sequence[Node]:
        """Every node."""
        ...

    def set_schedulable(self, node: str, schedulable: bool, act: Act) -> str:
        """Cordon or uncordon."""
        ...

    def drain_preview(self, node: str) -> Preview:
        """Which pods would be evicted and what blocks them."""
        ...

    def drain(self, node: str, act: Act) -> str:
        """Cordon and evict, respecting disruption budgets."""
        ...

    def node_happened(self, node: str, action_id: str) -> Happened:
        """Did the cordon, uncordon or drain of this action reach the node?"""
        ...
