"""Diagnose: gather side by side, score, and say what is most likely, or that nothing stands out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tools.alerts.base import Incident, alerts
from tools.alerts.collect import services
from tools.alerts.collect.base import Subject
from tools.alerts.collect.every import COLLECTORS
from tools.alerts.collect.run import Gathered, gather
from tools.alerts.facts import Fact, Facts
from tools.alerts.library import playbooks
from tools.alerts.playbook import Cause, Playbook, Playbooks
from tools.alerts.priors import learnt
from tools.alerts.scoring import Ranked, rank
from tools.alerts.xids import Words
from tools.contract import Call, Json
from tools.errors import ToolError

if TYPE_CHECKING:
    from tools.world import World

CERTAIN = 0.5
MARGIN = 2.0
EXPERIENCE = 0.8
"""A prior from which the alert alone names its cause."""
SPOKEN = 1.4
"""Support below this is no evidence."""
FAINT = 0.12
"""A confidence below this names nobody, whatever speaks for it."""
Verdict = Literal["cause", "uncertain", "unknown", "healthy"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One quoted observation."""

    quote: str
    quote_zh: str
    at: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """One cause of the ranking."""

    id: str
    en: str
    zh: str
    confidence: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a diagnosis found; :class:`tools.alerts.diagnosing.Diagnosis` puts it in words."""

    subject: Subject
    playbook: str
    verdict: Verdict
    suspects: tuple[Suspect, ...]
    checked: tuple[Words, ...]
    missing: tuple[Words, ...]
    next_check: Words | None
    remedy: Words | None
    risk: str
    recommended: Call | None
    incident: Incident | None
    symptoms: tuple[Evidence, ...]
    """What is visibly wrong, whatever its cause; for targets."""
    idle: bool = False
    """A deployment of which no replica is wanted."""


def run(world: World, subject: Subject) -> Result:
    """Diagnose one subject. Sources that fail are listed; the rest still answers."""
    library = playbooks(world)
    book = _book(library, subject)
    for port in ("telemetry", "alerts"):
        with suppress(ToolError):  # those that need it say so
            world.port(port)  # built here, once: collectors run side by side
    wanted = _evidence(world, book, subject)
    gathered = gather(world, subject, [(name, COLLECTORS[name]) for name in wanted])
    port = alerts(world)
    feedback = port.feedback(book.name)
    priors = learnt(book, feedback, library.causes, world.clock.now())
    began = subject.alert.starts_at if subject.alert else gathered.began
    ranked = rank(book, library.causes, gathered.facts, priors=priors, began=began)
    verdict = _verdict(book, subject, gathered.facts, ranked, priors)
    top = ranked[0].cause if ranked and verdict in ("cause", "uncertain") else None
    number = subject.alert.incident if subject.alert else None
    incident = next((i for i in port.incidents(open_only=False) if i.number == number), None)
    return Result(
        subject,
        book.name,
        verdict,
        _suspects(ranked, verdict),
        tuple(gathered.checked),
        tuple(gathered.missing),
        ranked[0].cause.next_check if ranked and verdict != "healthy" else None,
        top.remedy.words if top else None,
        top.remedy.risk if top else "none",
        _recommended(top, subject, gathered) if top and verdict == "cause" else None,
        incident,
        _symptoms(book, gathered.facts),
        gathered.context.get("wanted") == 0,
    )


def _symptoms(book: Playbook, facts: Facts) -> tuple[Evidence, ...]:
    found = {f.quote: f for sign in book.symptoms for f in facts.matching(sign)}
    return tuple(_evidence_of(f) for f in list(found.values())[:4])


def _evidence_of(fact: Fact) -> Evidence:
    return Evidence(fact.quote, fact.said("zh"), fact.at, fact.source)


def _book(library: Playbooks, subject: Subject) -> Playbook:
    if subject.kind == "alert":
        found = library.of(subject.name)
        if found is not None:
            return found
    kind = subject.kind
    if kind == "alert":
        kind = (
            "deployment"
            if subject.deployment
            else "job"
            if subject.job
            else "gpu"
            if subject.gpu
            else "host"
            if subject.local
            else "node"
        )
    found = library.of(f"target/{kind}")
    assert found is not None, f"no playbook for {kind}"
    return found


def _evidence(world: World, book: Playbook, subject: Subject) -> list[str]:
    """What is asked: what the playbook names and this subject can have."""
    wanted = list(book.evidence)
    if subject.alert is not None:
        wanted += [e for e in ("alert", "siblings", "history") if e not in wanted]
        if subject.deployment:
            wanted += [e for e in ("deployment", "logs", "events", "changes") if e not in wanted]
        if subject.job:
            wanted += [e for e in ("job", "logs", "changes") if e not in wanted]
    if services.caller_of(world, subject):
        wanted.append("services")
    cannot = {
        "deployment": not subject.deployment,
        "job": not subject.job,
        "logs": not (subject.deployment or subject.job),
        "events": not (subject.deployment or subject.node),
        "node": not subject.node,
        "siblings": subject.alert is None,
        "alert": subject.alert is None and subject.kind != "alert",
        "host": not subject.local and subject.node is None,
        "gpu": not subject.local and subject.node is None,
    }
    return [name for name in wanted if not cannot.get(name, False)]


def _verdict(
    book: Playbook,
    subject: Subject,
    facts: Facts,
    ranked: list[Ranked],
    priors: Mapping[str, float],
) -> Verdict:
    if book.symptoms and not any(facts.matching(sign) for sign in book.symptoms):
        names = {sign.name for sign in book.symptoms}
        seen = sum(name in facts.looked for name in names)
        if 2 * seen >= len(names):
            return "healthy"
        if subject.alert is None or subject.alert.state != "firing":  # firing is a symptom
            return "unknown"
    if not ranked:
        return "unknown"
    first = ranked[0]
    spoken = first.support >= SPOKEN
    known = subject.alert is not None and priors.get(first.cause.id, 0.0) >= EXPERIENCE
    if not known and (not spoken or first.confidence < FAINT):
        return "unknown"
    second = ranked[1].confidence if len(ranked) > 1 else 0.0
    clear = first.confidence >= CERTAIN and first.confidence >= MARGIN * second
    return "cause" if clear else "uncertain"


def _suspects(ranked: list[Ranked], verdict: Verdict) -> tuple[Suspect, ...]:
    if verdict == "healthy":
        return ()
    shown = [r for r in ranked if r.confidence >= 0.03][:4] or ranked[:1]
    return tuple(
        Suspect(
            r.cause.id,
            r.cause.words.en,
            r.cause.words.zh,
            round(r.confidence, 3),
            tuple(_evidence_of(f) for f in r.evidence[:5]),
        )
        for r in shown
    )


def _recommended(cause: Cause, subject: Subject, gathered: Gathered) -> Call | None:
    """The remedy's tool call, when everything it needs is known and it can work."""
    remedy, context = cause.remedy, gathered.context
    if not remedy.tool:
        return None
    wanted = context.get("wanted")
    names: dict[str, Json] = {
        "deployment": subject.deployment,
        "job": subject.job if _running(gathered.facts) else None,
        "node": context.get("node"),
        "more_replicas": wanted + max(1, wanted // 2) if isinstance(wanted, int) else None,
    }
    args: dict[str, Json] = {}
    for key, template in remedy.args.items():
        value: Json = template
        if template.startswith("{"):
            value = names.get(template.strip("{}"))
        if value is None:
            return None
        args[key] = value
    revisions = context.get("revisions")
    if remedy.tool == "roll_back" and (not isinstance(revisions, int) or revisions < 2):
        return None
    return Call(remedy.tool, args)


def _running(facts: Facts) -> bool:
    return any(f.value in ("running", "pending") for f in facts.named("job.state"))
