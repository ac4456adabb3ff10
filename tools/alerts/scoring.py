"""Score causes by evidence: log-odds over priors, one voice per kind of evidence, "unknown" included.

A cause's weight is its prior times the likelihood ratios of the signs that hold. Signs about the
same kind of evidence (a log line, the message that repeats it, the event that quotes it) are one
voice: the strongest counts. A cause whose telling signs were looked for and not found loses; a
change that nobody made explains nothing; evidence that came after the symptom began counts less.
"Unknown" competes with a weight of its own, so that priors alone never accuse anybody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.alerts.facts import Fact, Facts
from tools.alerts.playbook import Cause, Playbook

UNKNOWN = 0.2
"""Weight of "something else" beside priors that add up to one."""
ABSENT = 0.25
"""A cause's telling signs were looked for and none was there (in part: in proportion)."""
NO_CHANGE = 0.3
LATE = timedelta(seconds=90)
"""Evidence this long after the onset is rather an effect."""
STALE = timedelta(minutes=10)
"""A kill this long before the onset ended something else."""
_AT_ONCE = frozenset({"host_oom", "exit_killed", "segfault"})
TELLING = 6.0
EXPLAINED = 0.4
"""What nothing speaks for, unknown causes included, once a telling sign speaks for another cause."""

_VOICES: Mapping[str, str] = {
    "log": "words",
    "seen": "words",
    "kernel": "kernel",
    "job.cause": "words",
    "job.nan": "words",
    "job.worker_lost": "words",
    "deployment.cause": "words",
    "replica.message": "words",
    "event": "words",
    "event_text": "words",
    "host.cpu": "load",
    "host.load_ratio": "load",
    "host.pressure_cpu": "load",
    "host.top_cpu": "process",
    "host.top_cpu_foreign": "process",
    "host.memory": "memory",
    "host.pressure_memory": "memory",
    "host.iowait": "io",
    "host.pressure_io": "io",
    "traffic.errors": "errors",
    "traffic.new_errors": "errors",
    "traffic.slow": "latency",
    "traffic.worse_than_previous": "latency",
    "job.stalled": "stall",
    "job.stalled_ratio": "stall",
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A cause with its share of the belief and the evidence for it."""

    cause: Cause
    confidence: float
    """0..1; what is missing to one is other causes and "unknown"."""
    evidence: tuple[Fact, ...]
    """Strongest first."""
    support: float
    """Product of likelihood ratios that spoke for it; 1 when nothing did."""


def rank(
    playbook: Playbook,
    causes: Mapping[str, Cause],
    facts: Facts,
    *,
    priors: Mapping[str, float] | None = None,
    began: datetime | None = None,
) -> list[Ranked]:
    """Causes, most likely first. ``priors`` replace the playbook's (learnt ones)."""
    chosen = dict(priors or playbook.priors)
    if playbook.name.startswith("target/"):
        # A target may have anything: its many priors are guesses, so they speak half as loud.
        chosen = {name: math.sqrt(prior) for name, prior in chosen.items()}
    total = sum(chosen.values())
    scored: list[tuple[float, Cause, list[Fact], float]] = []
    for name, prior in chosen.items():
        cause = causes[name]
        weight, evidence, support = _weigh(cause, facts, began)
        scored.append((prior / max(1.0, total) * weight, cause, evidence, support))
    unknown = UNKNOWN
    if any(support >= TELLING for *_, support in scored):
        unknown *= EXPLAINED
        scored = [
            (w if support > 1.0 else w * EXPLAINED, cause, evidence, support)
            for w, cause, evidence, support in scored
        ]
    whole = sum(weight for weight, *_ in scored) + unknown
    scored.sort(key=lambda row: -row[0])
    return [
        Ranked(cause, weight / whole, tuple(evidence), support)
        for weight, cause, evidence, support in scored
    ]


def _weigh(cause: Cause, facts: Facts, began: datetime | None) -> tuple[float, list[Fact], float]:
    voices: dict[str, tuple[float, list[Fact]]] = {}
    telling = [sign for sign, weight in cause.signs if weight >= TELLING]
    told = False
    for sign, weight in cause.signs:
        matching = facts.matching(sign)
        if not matching:
            continue
        told = told or weight >= TELLING
        best = max(matching, key=lambda f: f.strength)
        spoken = math.log(weight) * best.strength * _onset(best, began)
        voice = _VOICES.get(sign.name, sign.name)
        held = voices.get(voice)
        if held is None or spoken > held[0]:
            ranked = sorted(matching, key=lambda f: -f.strength)[:3]
            voices[voice] = (spoken, ranked)
    if cause.change and (made := _changes(facts, began)):
        best = max(made, key=lambda f: f.strength)
        voices["change"] = (math.log(1.0 + 4.0 * best.strength), [best])
    total = sum(spoken for spoken, _ in voices.values())
    support = math.exp(total)
    total += _modifiers(cause, facts, began)
    if telling and not told:
        looked = sum(sign.name in facts.looked for sign in telling)
        total += math.log(ABSENT) * looked / len(telling)
    strongest = sorted(voices.values(), key=lambda v: -v[0])
    evidence = [fact for spoken, found in strongest if spoken > 0 for fact in found]
    return math.exp(total), _distinct(evidence), support


def _onset(fact: Fact, began: datetime | None) -> float:
    if began is None or fact.at is None or fact.source in ("nvml", "host", "processes"):
        return 1.0
    if fact.value in _AT_ONCE and fact.at < began - STALE:
        return 0.3
    return 0.5 if fact.at > began + LATE else 1.0


def _changes(facts: Facts, began: datetime | None) -> list[Fact]:
    """Changes that came before the symptom."""
    return [
        f for f in facts.named("change") if began is None or f.at is None or f.at <= began + LATE
    ]


def _modifiers(cause: Cause, facts: Facts, began: datetime | None) -> float:
    total = 0.0
    if cause.change and not _changes(facts, began) and "change" in facts.looked:
        total += math.log(NO_CHANGE)
    scopes = [str(f.value) for f in facts.named("scope")]
    if scopes and cause.scope:
        total += math.log(2.0 if cause.scope == scopes[0] else 0.5)
    return total


def _distinct(evidence: Sequence[Fact]) -> list[Fact]:
    kept: dict[str, Fact] = {}
    for fact in evidence:
        kept.setdefault(fact.quote, fact)
    return list(kept.values())[:8]
