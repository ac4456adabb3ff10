"""The clock as an actor: it asks for due summaries, drains the outbox, climbs escalations.

It speaks to the assistant like any front does, with a message of its own, so that a summary is
written by whatever brain is at work. It has no way to decide: it is handed no ``decide``, and
policy refuses the front ``scheduler`` besides.

A slot is taken, its text is written, the text is put in the outbox under the slot's own key, and
only then is the slot done. A process that dies anywhere in between is followed by another, whose
message has the same id (so the same answer comes back) and whose notice has the same key (so it
is there once).
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from agent.events import Actor, Event, Message
from agent.fronts.written import Written
from agent.redaction import mask
from tools.errors import ToolError, Unavailable
from tools.notices.base import Notice, Sender
from tools.schedules.base import Due
from tools.words import Lang

log = logging.getLogger(__name__)
HEARTBEAT = 20.0
"""Seconds between renewals of a slot's lease."""
LATE = timedelta(minutes=10)
"""A summary later than this says so."""


class Slots(Protocol):
    """The part of :class:`tools.schedules.base.Schedules` that the clock needs."""

    def claim(self, owner: str) -> Sequence[Due]: ...  # noqa: D102
    def renew(self, due: Due, owner: str) -> bool: ...  # noqa: D102
    def finish(  # noqa: D102
        self, due: Due, owner: str, state: Literal["done", "failed"], note: str
    ) -> bool: ...


class Outbox(Protocol):
    """The part of :class:`tools.notices.base.Notices` that the clock needs."""

    def send(  # noqa: D102
        self,
        key: str,
        target: str,
        text: str,
        *,
        subject: str = "",
        attachment: Path | None = None,
    ) -> Notice: ...
    def drain(self, limit: int = 20) -> int: ...  # noqa: D102
    def escalate(self) -> int: ...  # noqa: D102
    def deliver_with(self, kind: str, sender: Sender) -> None: ...  # noqa: D102


class Posting(Protocol):
    """Posts to a chat channel, once per key; raises ``Unavailable`` while it is not connected."""

    def __call__(  # noqa: D102
        self, target: str, text: str, files: Sequence[Path] = (), key: str = ""
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What the composition root gives to the clock."""

    slots: Slots
    outbox: Outbox
    ask: Callable[[Message], Iterator[Event]]
    """``Assistant.handle``."""
    summary: Callable[[str, Lang], str]
    """The status summary of a window without any brain, for when that fails."""
    now: Callable[[], datetime]
    language: Lang = "en"
    names: Callable[[], Collection[str]] = tuple
    """Names of the fleet: people, deployments, models, targets."""
    chart: Callable[[str], Path] | None = None
    """Draws the window; a chart that fails is left out."""
    rules: Callable[[], object] | None = None
    """Evaluates the alert rules of this machine once."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do again and again."""

    name: str
    every: float
    """Seconds between the end of one run and the start of the next."""
    run: Callable[[Posting | None], None]


@dataclass
class Scheduler:
    """The duties of the clock; each may run in a thread of its own, in any number of processes."""

    hands: Hands
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)

    def duties(self) -> tuple[Duty, ...]:
        """What to run how often."""
        found = [
            Duty("summaries", 1.0, self.summaries),
            Duty("notices", 1.0, self.notices),
            Duty("escalation", 5.0, self.escalation),
        ]
        if self.hands.rules is not None:
            found.append(Duty("rules", 10.0, self.rules))
        return tuple(found)

    def run(self, stop: threading.Event, post: Posting | None = None) -> None:
        """All duties until ``stop``, each in its own thread; returns when the last one ended."""
        threads = [
            threading.Thread(target=_repeat, args=(duty, stop, post), name=duty.name, daemon=True)
            for duty in self.duties()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def summaries(self, _post: Posting | None = None) -> None:
        """Serve the slots that are due."""
        for due in self.hands.slots.claim(self.owner):
            self._serve(due)

    def notices(self, post: Posting | None = None) -> None:
        """Try what is due in the outbox; chat channels go through ``post``."""
        if post is not None:
            self.hands.outbox.deliver_with("slack", _sender(post))
        self.hands.outbox.drain()

    def escalation(self, _post: Posting | None = None) -> None:
        """Go on to the next target of what nobody acknowledged in time."""
        self.hands.outbox.escalate()

    def rules(self, _post: Posting | None = None) -> None:
        """Evaluate the alert rules once."""
        if self.hands.rules is not None:
            self.hands.rules()

    def _serve(self, due: Due) -> None:
        beating = threading.Event()
        heart = threading.Thread(target=self._beat, args=(due, beating), daemon=True)
        heart.start()
        try:
            text = f"{self._preface(due)}{self._text(due)}"
            name = due.schedule.name
            self.hands.outbox.send(
                due.key,
                due.schedule.channel,
                mask(text),
                subject=f"状态摘要：{name}" if self.hands.language == "zh" else f"Summary: {name}",
                attachment=self._chart(due),
            )
            self.hands.slots.finish(due, self.owner, "done", "")
        except Unavailable as error:
            log.warning("summary %s waits: %s", due.key, mask(error.en))
        except ToolError as error:
            self.hands.slots.finish(due, self.owner, "failed", mask(error.en))
            log.warning("summary %s failed: %s", due.key, mask(error.en))
        finally:
            beating.set()
            heart.join(5)

    def _beat(self, due: Due, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT):
            self.hands.slots.renew(due, self.owner)

    def _text(self, due: Due) -> str:
        """The agent's own words; without a usable answer, the plain report."""
        schedule = due.schedule
        zh = self.hands.language == "zh"
        asked = f"最近 {schedule.window} 的总结" if zh else f"summary of the last {schedule.window}"
        actor = Actor("scheduler", "scheduler", schedule.name)
        message = Message(f"schedule:{due.key}", due.key, actor, asked, self.hands.now())
        hands = self.hands
        written = Written(hands.ask, hands.summary, hands.language, hands.names)
        return written.text(message, schedule.window)

    def _preface(self, due: Due) -> str:
        zh = self.hands.language == "zh"
        said: list[str] = []
        if self.hands.now() - due.at > LATE:
            at = f"{due.at:%Y-%m-%d %H:%M} UTC"
            said.append(f"迟到的摘要（应于 {at} 发出）。" if zh else f"Late: this was due at {at}.")
        if due.missed:
            count = due.missed
            verb = "was" if count == 1 else "were"
            en = f"{count} earlier {verb} missed while nothing ran."
            said.append(f"此前有 {count} 次因服务未运行而错过。" if zh else en)
        return " ".join(said) + "\n\n" if said else ""

    def _chart(self, due: Due) -> Path | None:
        if self.hands.chart is None:
            return None
        try:
            return self.hands.chart(due.schedule.window)
        except ToolError as error:
            log.warning("summary %s has no chart: %s", due.key, mask(error.en))
        except Exception as error:  # noqa: BLE001  a picture must not cost the report
            log.warning("summary %s has no chart: %s", due.key, type(error).__name__)
        return None


def _sender(post: Posting) -> Sender:
    def send(notice: Notice) -> None:
        files = [notice.attachment] if notice.attachment else []
        post(notice.target, notice.text, files, notice.id)

    return send


def _repeat(duty: Duty, stop: threading.Event, post: Posting | None) -> None:
    while not stop.is_set():
        try:
            duty.run(post)
        except ToolError as error:
            log.warning("%s: %s", duty.name, mask(error.en))
        except Exception as error:  # noqa: BLE001  one duty's bug must not end the clock
            log.error("%s broke: %s: %s", duty.name, type(error).__name__, mask(str(error))[:200])
        stop.wait(duty.every)


__all__ = ["Duty", "Hands", "Outbox", "Posting", "Scheduler", "Slots"]
