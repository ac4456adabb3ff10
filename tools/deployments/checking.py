"""Seeing that a change is there: complete on the platform, answering, and holding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tools.contract import Act, Json, Plan, Verdict
from tools.deployments.remedies import remedy
from tools.errors import Unavailable
from tools.platforms.base import Platform, Status, Traffic
from tools.serving.client import try_out
from tools.world import World

POLL = 0.3
"""Seconds between looks at a deployment."""
SILENCE = 1.0
"""Seconds between looks at a platform that does not answer."""


BLINK = timedelta(seconds=3)
"""An answer that took longer than this came after a silence."""
RENEWAL = timedelta(seconds=60)
"""How long somebody may take to renew credentials while a change is watched."""
T = TypeVar("T")
DEGRADED = timedelta(seconds=60)
"""How long new replicas may be down again after they were all there."""


class _Advance:
    """Notices progress: more new replicas ready, or fewer old ones left, than ever before.

    Counted per revision: a platform that has not looked at the change yet still shows the old one,
    all of it ready, and nothing could ever be further than that.
    """

    def __init__(self) -> None:
        self._revision = -1
        self._ready = -1
        self._others = 1_000_000

    def made(self, status: Status) -> bool:
        """Whether ``status`` is further than every one before it."""
        if status.revision != self._revision:
            self._revision, self._ready, self._others = status.revision, -1, 1_000_000
        ready = sum(r.ready and r.revision == status.revision for r in status.replicas)
        others = sum(r.revision != status.revision for r in status.replicas)
        further = ready > self._ready or others < self._others
        self._ready, self._others = max(ready, self._ready), min(others, self._others)
        return further


@dataclass(frozen=True, slots=True)
class Check:
    """One verification in progress."""

    world: World
    platform: Platform
    ref: str
    act: Act
    ends: datetime
    patience: timedelta
    """How long it may make no progress."""
    template: str = ""
    """Fingerprint of what was approved; another one is another's edit."""
    outage: timedelta = timedelta()
    """How long the platform may answer nothing, beside the time for the change itself."""

    @classmethod
    def of(cls, world: World, plan: Plan, act: Act) -> Check:
        """The verification of a plan, with its deadline from now."""
        platform = world.platforms.named(str(plan.details["platform"]))
        given = plan.details.get("patience")
        patience = timedelta(seconds=given) if isinstance(given, int | float) else plan.deadline
        silence = plan.details.get("silence")
        apart = timedelta(seconds=silence) if isinstance(silence, int | float) else timedelta()
        ends = world.clock.now() + plan.deadline - apart
        mark = str(plan.details.get("template") or "")
        return cls(world, platform, plan.target.name, act, ends, patience, mark, apart)

    def settled(self, done: Callable[[Status], bool]) -> Status | Verdict:
        """Wait until ``done``; a verdict when it failed, was paused, or makes no progress.

        A platform that does not answer for a while is asked again: what it does goes on without
        being watched, and that time is not counted against the change.
        """
        advance, ends = _Advance(), self.ends
        quiet_ends = self.world.clock.now() + self.patience
        fell: datetime | None = None
        while True:
            self.act.check()
            asked = self.world.clock.now()
            status = self._asked(min(ends, quiet_ends))
            silent = self.world.clock.now() - asked
            if silent > BLINK and self.outage:
                ends, quiet_ends = ends + silent, quiet_ends + silent
            if other := self._overtaken(status):
                return other
            if status.phase == "failed":
                return _not(status, f"The roll-out of {self.ref} failed", status.message)
            if status.phase == "paused":
                return _not(status, f"The roll-out of {self.ref} is paused", "paused by a person")
            if done(status):
                return status
            if advance.made(status):
                quiet_ends, fell = self.world.clock.now() + self.patience, None
            fell = fell or (self.world.clock.now() if _fallen(status) else None)
            if fell and _fallen(status) and self.world.clock.now() > fell + DEGRADED:
                return _not(status, f"{self.ref} does not hold", status.message)
            if self.world.clock.now() > min(ends, quiet_ends):
                cause = status.message or f"{status.ready} of {status.wanted} replicas ready"
                return _not(status, f"{self.ref} did not get there in time", cause)
            self._report(status)
            self.world.clock.sleep(POLL)

    def _asked(self, until: datetime) -> Status:
        """The status; a platform that does not answer is asked again until then, and longer."""
        return self._patiently(lambda: self.platform.status(self.ref), until + self.outage)

    def _counted(self, revision: int) -> Traffic | None:
        return self._patiently(
            lambda: self.platform.traffic(self.ref).get(revision), self.ends + self.outage
        )

    def _patiently(self, ask: Callable[[], T], until: datetime) -> T:
        renewed = self.world.clock.now() + RENEWAL
        while True:
            try:
                return ask()
            except Unavailable as error:
                if self.world.clock.now() > (until if error.passes else min(until, renewed)):
                    raise
                self.act.check()
                self.act.progress(f"{self.ref}: {error.en}")
                self.world.clock.sleep(SILENCE)

    def _overtaken(self, status: Status) -> Verdict | None:
        """A verdict where something else than what was approved runs by now."""
        who = overtaken(status, self.template, self.act.id)
        if not who:
            return None
        cause = f"edited by {who} in between"
        return _not(status, f"{self.ref} is not what was approved any more", cause)

    def _report(self, status: Status) -> None:
        share = min(status.updated, status.ready) / status.wanted if status.wanted else None
        text = f"{status.ready} of {status.wanted} replicas ready"
        if status.message:
            text = f"{text}; {status.message}"
        self.act.progress(f"{self.ref}: {text}", share)

    def answers(self, status: Status) -> str | Verdict:
        """Send real requests: evidence, or a verdict when they are not answered as they should."""
        model, version = status.release.model, status.release.version
        if status.endpoint is None or not model:
            return "no request could be sent from here"
        self.act.progress(f"{self.ref}: asking it")
        said = try_out(status.endpoint, model)
        if said.fault:
            return _not(status, f"{self.ref} does not answer as it should", said.fault)
        if said.versions != (version,):
            other = ", ".join(said.versions)
            cause = f"version {other} answered instead of {version}"
            return _not(status, f"{self.ref} answers with another version", cause)
        return (
            f"{said.asked} test requests answered by version {version}, "
            f"slowest {said.slowest * 1000:.0f} ms"
        )

    def holds(self, status: Status, seconds: float, max_error_rate: float) -> str | Verdict:
        """Watch for the soak time: still complete, and errors within what is allowed."""
        if seconds <= 0:
            return ""
        before = self._counted(status.revision)
        self.act.progress(f"{self.ref}: watching it for {seconds:.0f} s")
        end = self.world.clock.now().timestamp() + seconds
        while self.world.clock.now().timestamp() < end:
            self.act.check()
            self.world.clock.sleep(min(POLL, seconds))
            now = self._asked(self.ends)
            if other := self._overtaken(now):
                return other
            if now.phase in ("degraded", "failed") and now.phase != status.phase:
                return _not(now, f"{self.ref} did not hold for {seconds:.0f} s", now.message)
        requests, errors = _between(before, self._counted(status.revision))
        if requests and errors / requests > max_error_rate and errors > 1:
            cause = f"error rate {errors / requests:.1%} over {requests} requests"
            return _not(status, f"{self.ref} did not hold for {seconds:.0f} s", cause)
        if not requests:
            return f"no other traffic during {seconds:g} s of watching"
        return f"{requests} requests during {seconds:g} s of watching, {errors} errors"


def overtaken(status: Status, template: str, action_id: Json) -> str:
    """Who changed what runs since an action that led to ``template``; empty where nobody did.

    Without a sign of another's hand a difference is left alone: a webhook may have written it.
    """
    if not template or not status.template or status.template == template:
        return ""
    if status.action_id not in (None, action_id):
        return f"another action ({status.action_id})"
    return status.edited_by


def _fallen(status: Status) -> bool:
    """Whether replicas of the newest revision, which were all there, are down again."""
    newest = [r for r in status.replicas if r.revision == status.revision]
    return status.phase == "degraded" and any(not r.ready for r in newest)


def _between(before: Traffic | None, after: Traffic | None) -> tuple[int, int]:
    if after is None:
        return 0, 0
    if before is None or after.requests < before.requests:
        return after.requests, after.errors
    return after.requests - before.requests, after.errors - before.errors


def _not(status: Status, what: str, cause: str) -> Verdict:
    versions = sorted({r.version for r in status.replicas if r.ready and r.version})
    serving = f"{status.ready} of {status.wanted} replicas ready"
    if versions:
        serving += f", version {' and '.join(versions)}"
    mend = remedy(cause)
    tail = f" Remedy: {mend}." if mend else ""
    return Verdict(False, f"{what}: {cause}. Now: {serving}.{tail}", cause)


def complete(status: Status, apart: frozenset[str] = frozenset()) -> bool:
    """As wanted, everything ready, nothing of another revision left.

    ``apart`` are replicas that were stuck before the change began; they are no part of it.
    """
    left = [r for r in status.replicas if r.id not in apart]
    others = [r for r in left if r.revision != status.revision and r.state != "crashed"]
    held = status.phase == "degraded" and len(left) < len(status.replicas)
    return (
        (status.phase == "complete" or (held and all(r.ready for r in left)))
        and status.ready == status.wanted
        and status.updated >= status.wanted
        and not others
    )
