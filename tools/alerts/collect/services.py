"""The services a target calls: which of them is unhealthy itself, and whether that explains it.

Who calls whom is the team's knowledge: ``depends_on: {checkout: [cart, ml/features]}`` in
steward.yaml. How unwell a service is comes from its platform, from alerts, and from recorded
latency and errors against their own past; :func:`rank_roots` then explains callers away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from tools.alerts.base import AlertRecord, alerts
from tools.alerts.collect.base import WINDOW, Collected, Subject
from tools.alerts.entities import entities
from tools.alerts.facts import Fact
from tools.alerts.topology import Root, Symptom, rank_roots
from tools.errors import BadArguments, ToolError
from tools.observe.base import Series, telemetry

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.world import World

SICK = 3.0
"""Robust deviations from which a service counts as unwell."""
_METRICS = ("latency_p95_seconds", "error_ratio", "requests_waiting")
_SEVERITY: Mapping[str, float] = {"critical": 12.0, "error": 9.0, "warning": 6.0}
_STATE: Mapping[str, float] = {"failed": 15.0, "degraded": 8.0}
_MOST = 100
_RECENT = 12
"""The newest part of a series is a twelfth of it, at least three points."""


@dataclass(frozen=True, slots=True)
class _Unwell:
    """One thing that speaks against a service."""

    score: float
    said: str
    since: datetime | None = None


def calls_of(section: Json) -> dict[str, tuple[str, ...]]:
    """Caller → what it calls, from ``depends_on``.

    Raises:
        BadArguments: the section is no mapping of names to lists of names.
    """
    if section is None:
        return {}
    fault = "depends_on in steward.yaml must be a mapping such as {checkout: [cart, features]}"
    if not isinstance(section, Mapping):
        raise BadArguments(fault, "steward.yaml 的 depends_on 应形如 {checkout: [cart, features]}")
    found: dict[str, tuple[str, ...]] = {}
    for caller, below in section.items():
        if not isinstance(below, list) or not all(isinstance(b, str) for b in below):
            raise BadArguments(f"{fault}; {caller} is not followed by a list of names")
        found[str(caller)] = tuple(str(b) for b in below)
    return found


def caller_of(world: World, subject: Subject) -> str | None:
    """The name under which ``depends_on`` knows the subject, if it does."""
    section = world.fleet.sections.get("depends_on")
    if not isinstance(section, Mapping):
        return None
    names = [subject.deployment or ""]
    if subject.alert is not None:
        about = entities(subject.alert.name, subject.alert.labels)
        names += [e.partition(":")[2] for e in (about.own, *about.downstream)]
    return next((str(c) for c in section for n in names if n and _same(str(c), n)), None)


def services(world: World, subject: Subject) -> Collected:
    """Whether something that the target calls is the root of its trouble."""
    calls = calls_of(world.fleet.sections.get("depends_on"))
    me = caller_of(world, subject)
    if me is None:
        raise BadArguments("depends_on does not name it", "depends_on 中没有它")
    found = Collected(looked=("topology.below",))
    everyone = sorted({*calls, *(b for below in calls.values() for b in below)})[:_MOST]
    unwell = {name: _unwell(world, name, found) for name in everyone}
    symptoms = {n: _symptom(signs) for n, signs in unwell.items() if signs}
    # What is asked about is unwell by being asked about, if only a little.
    symptoms[me] = _at_least(symptoms.get(me))
    roots = [r for r in rank_roots(calls, symptoms, threshold=SICK) if me in r.explains]
    below = ", ".join(calls[me]) or "nothing"
    if not roots:
        found.note(
            f"of the services {me} calls ({below}) none explains it",
            f"{me} 所调用的服务（{below}）都不能解释该问题",
        )
        return found
    for root in roots[:3]:
        found.facts.append(_fact(root, me, unwell[root.name], calls))
    found.note(
        f"services that {me} calls: {roots[0].name} is unwell",
        f"{me} 所调用的服务中 {roots[0].name} 异常",
    )
    return found


def _fact(
    root: Root, me: str, signs: Sequence[_Unwell], calls: Mapping[str, Sequence[str]]
) -> Fact:
    worst = max(signs, key=lambda s: s.score)
    how = "calls" if root.name in calls.get(me, ()) else "depends on"
    others = [name for name in root.explains if name != me]
    also = f"; it explains {', '.join(others[:4])} too" if others else ""
    also_zh = f"；也解释了 {', '.join(others[:4])}" if others else ""
    return Fact(
        "topology.below",
        root.share,
        f"{root.name}, which {me} {how}, is unwell itself: {worst.said}{also}",
        "services",
        min((s.since for s in signs if s.since), default=None),
        root.name,
        quote_zh=f"{me} 依赖的 {root.name} 自身异常：{worst.said}{also_zh}",
        strength=min(1.0, 0.4 + root.share),
    )


def _at_least(symptom: Symptom | None) -> Symptom:
    held = symptom or Symptom(SICK)
    return Symptom(max(held.score, SICK), held.onset)


def _symptom(signs: Sequence[_Unwell]) -> Symptom:
    onsets = [s.since.timestamp() for s in signs if s.since]
    return Symptom(max(s.score for s in signs), min(onsets) if onsets else None)


def _unwell(world: World, name: str, found: Collected) -> list[_Unwell]:
    signs = [_by_alert(a) for a in alerts(world).alerts("firing", limit=2000) if _about(a, name)]
    with suppress(ToolError):  # not deployed by Steward: alerts and metrics speak for it
        signs += _by_state(world, name)
    for metric in _METRICS:
        try:
            series = telemetry(world).series(metric, WINDOW)
        except BadArguments:
            continue
        except ToolError as error:
            if not any(m.en == error.en for m in found.missing):
                found.gap(error.en, error.zh)
            break
        mine = [s for s in series if any(_same(name, v) for v in s.labels.values())]
        signs += [sign for s in mine if (sign := _by_history(s)) is not None]
    return [s for s in signs if s.score >= SICK]


def _about(alert: AlertRecord, name: str) -> bool:
    about = entities(alert.name, alert.labels)
    kinds = ("deployment", "service", "job")
    named = [e.partition(":") for e in (about.own, *about.downstream)]
    named += [("service", ":", alert.labels.get(k, "")) for k in ("target", "service", "app")]
    return any(kind in kinds and _same(name, said) for kind, _, said in named if said)


def _by_alert(alert: AlertRecord) -> _Unwell:
    said = f"{alert.name} fires since {alert.starts_at.astimezone(UTC):%H:%M:%S} UTC"
    return _Unwell(_SEVERITY.get(alert.severity, 4.0), said, alert.starts_at)


def _by_state(world: World, name: str) -> Iterable[_Unwell]:
    platform, ref = world.platforms.of(name)
    status = platform.status(ref)
    score = _STATE.get(status.phase, 0.0)
    if missing := max(0, status.wanted - status.ready):
        score = max(score, 4.0 + 8.0 * missing / max(1, status.wanted))
    signs = [_Unwell(score, f"{status.ready} of {status.wanted} replicas ready")]
    traffic = platform.traffic(ref)
    if traffic and (new := traffic[max(traffic)]).requests >= 20:
        share = new.errors / new.requests
        said = f"{new.errors} of {new.requests} requests fail"
        signs.append(_Unwell(min(20.0, 100.0 * share), said))
        if new.p95_seconds is not None:
            said = f"p95 is {new.p95_seconds * 1000:.0f} ms"
            signs.append(_Unwell(min(20.0, 3.0 * new.p95_seconds), said))
    return signs


def _by_history(series: Series) -> _Unwell | None:
    """The shift of the newest points in robust deviations of those before (as BARO scores it)."""
    values = [v for _, v in series.points]
    if len(values) < _RECENT:
        return None
    cut = len(values) - max(3, len(values) // _RECENT)
    usual = median(values[:cut])
    spread = max(1.4826 * median(abs(v - usual) for v in values[:cut]), abs(usual) * 0.05, 1e-3)
    now = median(values[cut:])
    away = (now - usual) / spread
    if away < SICK or now < 1.2 * usual:
        return None
    since = series.points[-1][0]
    for at, value in reversed(series.points):  # since when it has been so without a break
        if (value - usual) / spread < SICK:
            break
        since = at
    return _Unwell(min(20.0, away), f"{series.name} {now:.3g} against {usual:.3g} before", since)


def _same(one: str, other: str) -> bool:
    """Equal, or equal but for a namespace that only one of them carries."""
    if one.lower() == other.lower():
        return True
    if ("/" in one) == ("/" in other):
        return False
    return one.lower().rpartition("/")[2] == other.lower().rpartition("/")[2]
