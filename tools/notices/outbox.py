"""The notices port: targets, routes, outbox and escalation together."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import Failed, ToolError, Unavailable, unknown
from tools.notices import destinations
from tools.notices.base import Notice, NoticeTarget, Sender, Severity
from tools.notices.escalation import Step, Threads
from tools.notices.quiet import earliest
from tools.notices.rows import ESCALATION, Outbox, notice_id
from tools.notices.to_file import append, path_of
from tools.notices.written import Rules, rules
from tools.zone import zone_of

if TYPE_CHECKING:
    from datetime import datetime

    from tools.world import World

FRONTS = ("slack",)
"""Kinds that only a front can deliver."""


def build(world: World) -> SqlNotices:
    """The notices port of a world."""
    return SqlNotices(world)


class SqlNotices:
    """:class:`tools.notices.base.Notices` over the store."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._outbox = Outbox(world.store)
        self._threads = Threads(world.store)
        self._senders: dict[str, Sender] = {}
        self._owner = uuid.uuid4().hex

    @property
    def _rules(self) -> Rules:
        return rules(self._world.fleet)

    def targets(self) -> Sequence[NoticeTarget]:
        """Every target of the fleet."""
        return destinations.targets(self._rules)

    def target(self, name: str) -> NoticeTarget:
        """One target by name; raises ``BadArguments`` with the nearest names."""
        return destinations.find(self._world.fleet, self._rules, name)

    def check(self, name: str) -> None:
        """Raise ``Failed`` when the target's URL cannot be understood; touches no network."""
        destination = self._rules.destinations.get(name)
        if destination is None or destination.file is not None:
            return
        try:
            url = destinations.secret_url(destination)
        except Unavailable:
            return
        from tools.notices import through_apprise

        through_apprise.check(name, url)

    def send(
        self,
        key: str,
        target: str,
        text: str,
        *,
        subject: str = "",
        severity: Severity = "info",
        attachment: Path | None = None,
    ) -> Notice:
        """Write a notice to one target once per ``key``, to go out at any hour."""
        now = self._world.clock.now()
        self._outbox.put(self._draft(key, target, severity, text, subject, now, None, attachment))
        return self._kept(key)

    def publish(
        self, key: str, severity: Severity, text: str, *, subject: str, thread: str | None = None
    ) -> Sequence[Notice]:
        """Write a notice to every target of the routes, once per ``key``; escalate a thread."""
        now, found = self._world.clock.now(), self._rules
        when = earliest(found.quiet, severity, now, zone_of(self._world.fleet))
        keys = [f"{key}:{name}" for name in found.routes.get(severity, ())]
        for name, one in zip(found.routes.get(severity, ()), keys, strict=True):
            self._outbox.put(self._draft(one, name, severity, text, subject, when, thread, None))
        plan = found.escalation.get(severity)
        if thread is not None and plan is not None:
            self._threads.open(thread, severity, subject, text, now + plan.after)
        return [self._kept(one) for one in keys]

    def _draft(
        self,
        key: str,
        target: str,
        severity: Severity,
        text: str,
        subject: str,
        when: datetime,
        thread: str | None,
        attachment: Path | None,
    ) -> Notice:
        where = self.target(target)
        return Notice(
            id=notice_id(key),
            key=key,
            target=where.name,
            kind=where.kind,
            severity=severity,
            subject=subject or f"Steward, {self._world.fleet.name}",
            text=text,
            state="queued",
            created_at=self._world.clock.now(),
            next_try=when,
            gives_up=when + self._rules.retry_for,
            thread=thread,
            attachment=attachment,
        )

    def _kept(self, key: str) -> Notice:
        found = self._outbox.get(key)
        if found is None:
            raise unknown("notice", key, [], "通知")
        return found

    def notice(self, key: str) -> Notice | None:
        """The notice of a key."""
        return self._outbox.get(key)

    def deliver(self, key: str) -> Notice:
        """Try this notice now if nobody else is at it; what became of it."""
        notice = self._kept(key)
        if notice.kind not in self._unable():
            self._attempt(notice)
        return self._kept(key)

    def drain(self, limit: int = 20) -> int:
        """Try what is due now; how many were delivered."""
        due = self._outbox.due(self._world.clock.now(), self._unable(), limit)
        return sum(self._attempt(notice) for notice in due)

    def _unable(self) -> list[str]:
        return [kind for kind in FRONTS if kind not in self._senders]

    def _attempt(self, seen: Notice) -> bool:
        clock = self._world.clock
        notice = self._outbox.take(seen, self._owner, clock.now())
        if notice is None:
            return False
        try:
            self._transmit(notice)
        except Failed as error:
            self._outbox.failed(notice, self._owner, error.en)
            return False
        except ToolError as error:
            self._outbox.again(notice, self._owner, clock.now(), error.en)
            return False
        except Exception as error:  # noqa: BLE001  a sender's bug must not stop the outbox
            # Only the type: what the error says may hold the URL.
            said = f"{notice.target}: the sender broke ({type(error).__name__})."
            self._outbox.again(notice, self._owner, clock.now(), said)
            return False
        return self._outbox.delivered(notice, self._owner, clock.now())

    def _transmit(self, notice: Notice) -> None:
        if notice.kind in self._senders:
            self._senders[notice.kind](notice)
            return
        destination = self._rules.destinations.get(notice.target)
        if destination is None:
            raise Unavailable(f"Target {notice.target} is no longer in steward.yaml.")
        if destination.file is not None:
            append(notice, path_of(self._world.home, destination.file))
            return
        from tools.notices import through_apprise

        through_apprise.send(notice, destinations.secret_url(destination))

    def escalate(self) -> int:
        """Write the next level of every thread nobody acknowledged in time; how many."""
        tables = self._outbox.tables

        def write(c: object, step: Step) -> None:
            self._outbox.put_in(c, tables, self._escalated(step))  # type: ignore[arg-type]

        now = self._world.clock.now()
        return len(self._threads.climb(self._rules.escalation, now, write))

    def _escalated(self, step: Step) -> Notice:
        key = f"{ESCALATION}{step.thread}:{step.level}"
        text = f"Nobody has acknowledged this yet (escalation {step.level}).\n\n{step.text}"
        now = self._world.clock.now()
        return self._draft(
            key, step.target, step.severity, text, step.subject, now, step.thread, None
        )

    def acknowledge(self, thread: str, who: str) -> bool:
        """A person has it: no further escalation."""
        first = self._threads.acknowledge(thread, who, self._world.clock.now())
        self._outbox.cancel_escalations(thread)
        return first

    def acknowledged_by(self, thread: str) -> str | None:
        """Who has it."""
        return self._threads.acknowledged_by(thread)

    def cancel(self, key: str) -> bool:
        """Do not send it; false when it was sent, or is being sent."""
        return self._outbox.cancel(key)

    def recent(self, limit: int = 20) -> Sequence[Notice]:
        """Newest first."""
        return self._outbox.recent(limit)

    def deliver_with(self, kind: str, sender: Sender) -> None:
        """Let this process deliver notices of a kind that only a front can."""
        self._senders[kind] = sender
