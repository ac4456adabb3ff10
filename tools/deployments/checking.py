"""Seeing that a change is there: complete on the platform, answering, and holding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tools.contract import Act, Plan, Verdict
from tools.deployments.judging import NODE_LOST, Advance, draining, failed, fallen, overtaken
from tools.deployments.wording import error_rate, ready, rollout, tried, watched
from tools.errors import BadArguments, Refused, Unavailable
from tools.platforms.base import Platform, Status, Traffic
from tools.serving.client import try_out
from tools.words import Said
from tools.world import World

POLL = 0.3
"""Seconds between looks at a deployment."""
SILENCE = 1.0
"""Seconds between looks at a platform that does not answer."""
BLINK = timedelta(seconds=3)
"""An answer that took longer than this came after a silence."""
RENEWAL = timedelta(minutes=5)
"""How long somebody may take to renew credentials while a change is watched."""
HEALING = timedelta(minutes=6)
"""How long a cluster may take to replace what was on a lost node: it waits five minutes by itself."""
T = TypeVar("T")
DEGRADED = timedelta(seconds=60)
"""How long new replicas may be down again after they were all there."""


def still_there(platform: Platform, ref: str) -> Status:
    """The status of what is being changed; raises ``Refused`` when somebody deleted it meanwhile."""
    try:
        return platform.status(ref)
    except BadArguments:
        raise Refused(
            f"{ref} is gone: somebody deleted it meanwhile. Create it again from its manifests;"
            " there is nothing left to put back.",
            f"{ref} 已不存在：其间有人删除了它。请用其清单重新创建；已没有可以恢复的内容。",
        ) from None


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
    heals: bool = False
    """Whether replicas on a lost node are waited for: it returns to what is known to be good."""
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
        heals = plan.details.get("heals") is True
        return cls(world, platform, plan.target.name, act, ends, patience, mark, heals, apart)

    def settled(self, done: Callable[[Status], bool]) -> Status | Verdict:
        """Wait until ``done``; a verdict when it failed, was paused, or makes no progress.

        A platform that does not answer for a while is asked again: what it does goes on without
        being watched, and that time is not counted against the change.
        """
        advance, ends = Advance(), self.ends
        quiet_ends = self.world.clock.now() + self.patience
        healed_by = self.world.clock.now() + HEALING
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
            lost = status.message.startswith(NODE_LOST)
            healing = self.heals and lost and self.world.clock.now() < healed_by
            if status.phase == "failed" and not healing:
                return failed(status, rollout(self.ref, "failed", "失败"), status.message)
            if status.phase == "paused":
                what = rollout(self.ref, "is paused", "已暂停")
                return failed(status, what, "paused by a person")
            if done(status):
                return status
            if advance.made(status) or draining(status) or healing:
                quiet_ends, fell = self.world.clock.now() + self.patience, None
            fell = fell or (self.world.clock.now() if fallen(status) else None)
            if fell and fallen(status) and self.world.clock.now() > fell + DEGRADED:
                what = Said(f"{self.ref} does not hold", f"{self.ref} 不稳定")
                return failed(status, what, status.message)
            if self.world.clock.now() > min(ends, quiet_ends):
                what = Said(f"{self.ref} did not get there in time", f"{self.ref} 未能按时完成")
                return failed(status, what, status.message or ready(status))
            self._report(status)
            self.world.clock.sleep(POLL)

    def _asked(self, until: datetime) -> Status:
        """The status; a platform that does not answer is asked again until then, and longer."""
        return self._patiently(lambda: still_there(self.platform, self.ref), until + self.outage)

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
        what = Said(
            f"{self.ref} is not what was approved any more", f"{self.ref} 已不是当初批准的内容"
        )
        return failed(status, what, Said(f"edited by {who} in between", f"其间被 {who} 修改"))

    def _report(self, status: Status) -> None:
        share = min(status.updated, status.ready) / status.wanted if status.wanted else None
        text = f"{status.ready} of {status.wanted} replicas ready"
        if status.message:
            text = f"{text}; {status.message}"
        self.act.progress(f"{self.ref}: {text}", share)

    def answers(self, status: Status) -> Said | Verdict:
        """Send real requests: evidence, or a verdict when they are not answered as they should."""
        model, version = status.release.model, status.release.version
        if status.endpoint is None or not model:
            return Said("no request could be sent from here", "无法从这里发送请求")
        self.act.progress(f"{self.ref}: asking it")
        said = try_out(status.endpoint, model)
        if said.fault:
            what = Said(f"{self.ref} does not answer as it should", f"{self.ref} 应答不正常")
            return failed(status, what, said.fault)
        if said.versions != (version,):
            other = ", ".join(said.versions)
            cause = Said(
                f"version {other} answered instead of {version}",
                f"应答的是版本 {other}，而不是 {version}",
            )
            what = Said(f"{self.ref} answers with another version", f"{self.ref} 由另一个版本应答")
            return failed(status, what, cause)
        return tried(said, version)

    def holds(self, status: Status, seconds: float, max_error_rate: float) -> Said | Verdict | None:
        """Watch for the soak time: still complete, and errors within what is allowed."""
        if seconds <= 0:
            return None
        what = Said(
            f"{self.ref} did not hold for {seconds:.0f} s", f"{self.ref} 未能稳定 {seconds:.0f} 秒"
        )
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
                return failed(now, what, now.message)
        requests, errors = _between(before, self._counted(status.revision))
        if requests and errors / requests > max_error_rate and errors > 1:
            return failed(status, what, error_rate(errors, requests))
        return watched(requests, errors, seconds)


def _between(before: Traffic | None, after: Traffic | None) -> tuple[int, int]:
    if after is None:
        return 0, 0
    if before is None or after.requests < before.requests:
        return after.requests, after.errors
    return after.requests - before.requests, after.errors - before.errors
