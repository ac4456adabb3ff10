"""Alert rules of this machine and their pure evaluation over series.

Four kinds. ``threshold``: the newest value compares for ``duration``. ``rate``: the change over
``duration``, m_t minus m_(t-d), compares. ``anomaly``: how many robust standard deviations
(1.4826 times the median absolute deviation) the newest value lies from the two hours before.
``peer``: the same against the other series of the metric at the same time, per job where one is
named. ``<`` looks downward: a fall, a value far below.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from tools import amounts
from tools.observe.base import Series
from tools.observe.wording import number, quantity, seconds

RuleKind = Literal["threshold", "rate", "anomaly", "peer"]
Phase = Literal["pending", "firing"]
LOOKBACK = timedelta(hours=2)
STALE = timedelta(minutes=5)
"""A series without a newer point than this has no value."""
_ENOUGH = 30
_PEERS = 4
_FLOOR = 0.05
"""Deviations below this share of the median are noise, however calm the past was."""
_GROUPS = ("hpc_job", "job_id", "job_name", "exported_job")

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """When to alert. ``duration`` in seconds; it is the look-back of a ``rate``."""

    name: str
    metric: str
    op: str
    threshold: float
    duration: float = 300.0
    kind: RuleKind = "threshold"
    severity: str = "warning"
    enabled: bool = True
    origin: str = "built in"
    """``built in``, ``steward.yaml`` or ``set by a person``."""

    def says(self, unit: str = "", lang: str = "en") -> str:
        """The condition in words."""
        limit, span = quantity(self.threshold, unit), seconds(self.duration)
        deviations = number(self.threshold)
        up = self.op.startswith(">")
        if lang == "zh":
            way = "高" if up else "低"
            long = amounts.span(timedelta(seconds=self.duration), "zh")
            match self.kind:
                case "threshold":
                    return f"{self.metric} {self.op} {limit}，持续 {long}"
                case "rate":
                    return f"{self.metric} 在 {long}内的变化 {self.op} {limit}"
                case "anomaly":
                    return f"{self.metric} 比以往{way}出 {deviations} 倍偏差，持续 {long}"
                case "peer":
                    return f"{self.metric} 比同组{way}出 {deviations} 倍偏差，持续 {long}"
        way = "above" if up else "below"
        match self.kind:
            case "threshold":
                return f"{self.metric} {self.op} {limit} for {span}"
            case "rate":
                return f"change of {self.metric} over {span} {self.op} {limit}"
            case "anomaly":
                return f"{self.metric} {deviations} deviations {way} its past for {span}"
            case "peer":
                return f"{self.metric} {deviations} deviations {way} its peers for {span}"


@dataclass(frozen=True, slots=True)
class RuleState:
    """Where a rule stands for one series."""

    phase: Phase
    since: datetime
    """When the condition began to hold."""
    value: float


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule that began to pend or fire for a series, or stopped firing."""

    rule: Rule
    labels: Mapping[str, str]
    to: Literal["pending", "firing", "resolved"]
    at: datetime
    since: datetime
    value: float


Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The states after a look, and what changed."""

    states: Mapping[Key, RuleState] = field(default_factory=dict[Key, RuleState])
    transitions: tuple[Transition, ...] = ()


def key_of(labels: Mapping[str, str]) -> Key:
    """Labels as a key."""
    return tuple(sorted(labels.items()))


def window_of(rule: Rule) -> timedelta:
    """How much of the past a rule needs."""
    span = timedelta(seconds=rule.duration)
    return LOOKBACK + span if rule.kind == "anomaly" else max(span, STALE) + STALE


def evaluate(
    rule: Rule, series: Sequence[Series], states: Mapping[Key, RuleState], now: datetime
) -> Evaluation:
    """One look at a rule. Pure: the same input gives the same answer.

    A series that vanished or went stale resolves its alert: nothing is known to be wrong any more.
    """
    after: dict[Key, RuleState] = {}
    changes: list[Transition] = []
    named = {key_of(one.labels): one for one in series}
    for key in sorted({*named, *states}):
        held = states.get(key)
        seen = named.get(key)
        value = None if seen is None or not rule.enabled else measure(rule, seen, series, now)
        holds = value is not None and COMPARE[rule.op](value, _limit(rule))
        if value is not None and holds:
            state = _advance(rule, held, value, now)
            after[key] = state
            if held is None or held.phase != state.phase:
                changes.append(
                    Transition(rule, dict(key), state.phase, now, state.since, state.value)
                )
        elif held is not None and held.phase == "firing":
            last = held.value if value is None else value
            changes.append(Transition(rule, dict(key), "resolved", now, held.since, last))
    return Evaluation(after, tuple(changes))


def _limit(rule: Rule) -> float:
    downward = rule.op.startswith("<") and rule.kind in ("anomaly", "peer")
    return -abs(rule.threshold) if downward else rule.threshold


def _advance(rule: Rule, held: RuleState | None, value: float, now: datetime) -> RuleState:
    if held is None:
        held = RuleState("pending", now, value)
    # a rate and its look-back already cover the duration
    wait = timedelta() if rule.kind == "rate" else timedelta(seconds=rule.duration)
    firing = held.phase == "firing" or now - held.since >= wait
    return replace(held, phase="firing" if firing else "pending", value=value)


def measure(rule: Rule, one: Series, peers: Sequence[Series], now: datetime) -> float | None:
    """The number a rule compares for a series now; ``None`` when there is too little to tell."""
    points = [(at, v) for at, v in one.points if at <= now and v == v]
    if not points or now - points[-1][0] > STALE:
        return None
    match rule.kind:
        case "threshold":
            return points[-1][1]
        case "rate":
            start = now - timedelta(seconds=rule.duration)
            inside = [v for at, v in points if at >= start]
            before = [v for at, v in points if at < start]
            first = before[-1] if before else inside[0]
            return points[-1][1] - first
        case "anomaly":
            start = now - timedelta(seconds=rule.duration)
            past = [v for at, v in points if start - LOOKBACK <= at < start]
            return deviations(points[-1][1], past) if len(past) >= _ENOUGH else None
        case "peer":
            return _against_peers(one, points[-1][1], peers, now)


def episodes(rule: Rule, series: Series) -> list[datetime]:
    """When a threshold rule would have begun to fire over a recorded series."""
    found: list[datetime] = []
    since: datetime | None = None
    fired = False
    for at, value in series.points:
        if not COMPARE[rule.op](value, rule.threshold):
            since, fired = None, False
            continue
        since = since or at
        if not fired and (at - since).total_seconds() >= rule.duration:
            found.append(at)
            fired = True
    return found


def _against_peers(
    one: Series, value: float, peers: Sequence[Series], now: datetime
) -> float | None:
    mine = _group(one)
    others = [
        p.points[-1][1]
        for p in peers
        if p.labels != one.labels
        and _group(p) == mine
        and p.points
        and now - p.points[-1][0] <= STALE
    ]
    return deviations(value, others) if len(others) >= _PEERS - 1 else None


def _group(series: Series) -> tuple[str | None, ...]:
    return tuple(series.labels.get(name) for name in _GROUPS)


def deviations(value: float, others: Sequence[float]) -> float:
    """Robust standard deviations of ``value`` from the median of ``others``; signed."""
    middle = median(others)
    spread = 1.4826 * median(abs(v - middle) for v in others)
    return (value - middle) / max(spread, _FLOOR * abs(middle), 1e-9)
