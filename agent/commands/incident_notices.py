"""Incidents as notices: to the targets that the routes give their severity, until somebody has them.

Without ``notices.routes`` in steward.yaml nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.fronts.notes import IncidentNote
from tools.notices.base import Severity, notices

if TYPE_CHECKING:
    from tools.world import World

_AS: Mapping[str, Severity] = {
    "page": "critical",
    "critical": "critical",
    "error": "critical",
    "warning": "warning",
}


def publisher(world: World, notes: Callable[[], Sequence[IncidentNote]]) -> Callable[[], None]:
    """What to run again and again: writes each notice once, whoever runs it."""
    seen: set[str] = set()

    def publish() -> None:
        for note in notes():
            if note.id not in seen and note.change in ("opened", "resolved") and not note.quiet:
                _publish(world, note)
            seen.add(note.id)

    return publish


def acknowledger(world: World) -> Callable[[str, str], bool]:
    """``(thread, who) -> first``: nobody further is called."""
    return lambda thread, who: notices(world).acknowledge(thread, who)


def escalates(world: World, severity: str) -> bool:
    """Whether an incident of this severity calls further people."""
    section = world.fleet.sections.get("notices")
    plans = section.get("escalation") if isinstance(section, Mapping) else None
    return isinstance(plans, Mapping) and _severity(severity) in plans


def _publish(world: World, note: IncidentNote) -> None:
    box, severity = notices(world), _severity(note.severity)
    zh = world.fleet.language == "zh"
    over = note.change == "resolved"
    if over and note.thread:
        box.acknowledge(note.thread, "resolved")
    word = ("已恢复" if over else "事件") if zh else ("Resolved" if over else "Incident")
    subject = f"{word} {note.incident}: {note.title}"
    text = f"{subject}\n{note.text}"
    thread = None if over else note.thread or None
    box.publish(f"incident:{note.id}", severity, text, subject=subject, thread=thread)


def _severity(word: str) -> Severity:
    return _AS.get(word.lower(), "info")
