"""What surrounds the symptom: the alert itself, other alerts, siblings, history, changes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools.alerts.base import AlertRecord, alerts
from tools.alerts.collect.base import WINDOW, Collected, Subject
from tools.alerts.entities import Entities, entities
from tools.alerts.facts import Fact
from tools.alerts.signatures.base import Role
from tools.alerts.signatures.line import parse_line
from tools.alerts.signatures.rules import recognise
from tools.errors import BadArguments, ToolError
from tools.world import ActionRow

if TYPE_CHECKING:
    from tools.world import World

_DONE = ("applying", "applied", "verified", "unverified", "undone", "unknown", "failed")
_WIDE = frozenset({"cordon_node", "uncordon_node", "drain_node"})
"""Changes that may be felt by what they do not name."""
_DECAY = 30.0
"""Minutes after which a change speaks half as loud, about (exp(-t/30))."""
_SAME = timedelta(minutes=10)
_STATE_ZH = {"firing": "触发", "resolved": "已恢复"}


def the_alert(_world: World, subject: Subject) -> Collected:
    """What the alert says by itself: state, labels, annotations."""
    alert = subject.alert
    if alert is None:
        raise BadArguments("there is no alert of that name now or before", "没有这个名字的告警记录")
    found = Collected(looked=("alert.state",))
    since = f"{alert.starts_at:%Y-%m-%d %H:%M:%S} UTC"
    said = f"{alert.name} {alert.state} since {since}"
    found.facts.append(Fact("alert.state", alert.state, said, "alert", alert.starts_at))
    code = alert.labels.get("xid") or alert.labels.get("err_code") or ""
    if code.isdigit() and code != "0":
        quote = f"label xid={code} of {alert.name}"
        found.facts.append(Fact("xid", float(code), quote, "alert", alert.starts_at))
    if throttle := alert.labels.get("clock_event"):
        quote = f"label clock_event={throttle} of {alert.name}"
        found.facts.append(Fact("gpu.throttle", throttle, quote, "alert", alert.starts_at))
    if reason := alert.labels.get("reason"):
        quote = f"label reason={reason} of {alert.name}"
        found.facts.append(Fact("event", reason, quote, "alert", alert.starts_at))
    for text in alert.annotations.values():
        signature = recognise(parse_line(text))
        if signature is not None and signature.role is Role.ROOT and text != alert.name:
            found.facts.append(
                Fact("seen", signature.category, text[:240], "alert", alert.starts_at, strength=0.5)
            )
    labels = ", ".join(f"{k}={v}" for k, v in sorted(alert.labels.items()) if k != "alertname")
    found.note(
        f"{said} ({labels})"[:300],
        f"{alert.name} 自 {since} {_STATE_ZH[alert.state]}（{labels}）"[:300],
    )
    return found


def other_alerts(world: World, subject: Subject) -> Collected:
    """Other alerts that fire on the same entities."""
    found = Collected(looked=("alert",))
    mine = about(subject)
    firing = alerts(world).alerts("firing", limit=2000)
    related = 0
    for other in firing:
        if subject.alert and other.fingerprint == subject.alert.fingerprint:
            continue
        theirs = entities(other.name, other.labels)
        if not mine & {theirs.own, *theirs.upstream, *theirs.downstream} and not _names(
            subject, other
        ):
            continue
        related += 1
        quote = f"{other.name} fires on {theirs.own} since {other.starts_at:%H:%M:%S}"
        found.facts.append(Fact("alert", other.name, quote, "alerts", other.starts_at, theirs.own))
    trouble = alerts(world).trouble
    if trouble is not None:
        found.gap(trouble.en, trouble.zh)
    found.note(
        f"{related} of {len(firing)} firing alerts touch it",
        f"{len(firing)} 条告警中 {related} 条相关",
    )
    return found


def about(subject: Subject) -> set[str]:
    """What it is about and what stands above that, as ``kind:name``."""
    found = {f"{kind}:{name}" for kind, name in _pairs(subject) if name}
    if subject.alert:
        own = entities(subject.alert.name, subject.alert.labels)
        found |= {own.own, *own.upstream}
    return found


def _pairs(subject: Subject) -> list[tuple[str, str | None]]:
    return [
        ("deployment", subject.deployment),
        ("job", subject.job),
        ("node", subject.node.lower() if subject.node else None),
        ("gpu", subject.gpu),
    ]


def _names(subject: Subject, other: AlertRecord) -> bool:
    """An alert of our own rules names its target in plain labels."""
    wanted = {n for _, n in _pairs(subject) if n}
    if subject.kind == "host" and other.source == "rules":
        return True
    return bool(
        wanted & {other.labels.get(k, "") for k in ("target", "deployment", "job", "model")}
    )


def siblings(world: World, subject: Subject) -> Collected:
    """How far the same symptom reaches: one GPU, one node, a rack, a job, or everything."""
    alert = subject.alert
    if alert is None:
        raise BadArguments("only an alert has siblings to compare", "只有告警才能比较同类")
    same = [
        a
        for a in alerts(world).alerts("firing", limit=5000)
        if a.name == alert.name and abs(a.starts_at - alert.starts_at) <= _SAME
    ]
    if not any(a.fingerprint == alert.fingerprint for a in same):
        same.append(alert)
    scope, quote = spatial_scope([entities(a.name, a.labels) for a in same], alert.name)
    found = Collected(looked=("scope",))
    if scope:
        found.facts.append(Fact("scope", scope, quote, "alerts", alert.starts_at))
    found.note(quote, f"同类告警 {len(same)} 条，范围：{scope or '单个'}")
    return found


def spatial_scope(about: list[Entities], name: str) -> tuple[str, str]:
    """The smallest thing that contains all of these, with a sentence; ``""`` for a single pod."""

    def of(kind: str) -> set[str]:
        every = [{e.own, *e.upstream, *e.downstream} for e in about]
        return {x for held in every for x in held if x.startswith(kind + ":")}

    gpus, nodes, racks, jobs = of("gpu"), of("node"), of("rack"), of("job")
    count = len({e.own for e in about})
    things = "one entity" if count == 1 else f"{count} entities"
    if len(gpus) == 1 and len(nodes) <= 1:
        return "gpu", f"{name} fires on one GPU only"
    if len(nodes) == 1:
        return ("node" if len(gpus) != 1 else "gpu"), f"{name} fires on {things} of one node"
    if len(jobs) == 1 and len(nodes) > 1:
        return "job", f"{name} fires on {len(nodes)} nodes, all of one job"
    if len(racks) == 1 and len(nodes) > 2:
        return "rack", f"{name} fires on {len(nodes)} nodes of one rack"
    if len(nodes) > 3:
        return "fleet", f"{name} fires on {len(nodes)} nodes"
    return "", f"{name} fires on {things}"


def changes(world: World, subject: Subject) -> Collected:
    """What changed in the last two hours: Steward's own actions and new revisions."""
    found = Collected(looked=("change",))
    now = world.clock.now()
    rows = world.actions.rows(since=now - WINDOW, states=_DONE)
    ours = [r for r in rows if r.changed_at <= subject.began + timedelta(minutes=2)]
    for row in ours:
        near = _touches(row, subject)
        quote = f"action {row.number} ({row.state}): {row.title}, by {row.requested_by}"
        strength = _proximity(row.changed_at, subject.began) * _nearness(row, subject, near)
        found.facts.append(
            Fact("change", row.tool, quote, "ledger", row.changed_at, row.target, strength=strength)
        )
    known = {row.id for row in rows}
    if subject.deployment:
        try:
            _revisions(world, subject, known, found)
        except ToolError as error:
            found.gap(f"revisions: {error.en}", f"修订历史：{error.zh}")
    count = len(found.facts)
    found.note(f"{count} changes in the last 2 h", f"最近 2 小时有 {count} 项变更")
    return found


def _revisions(world: World, subject: Subject, known: set[str], found: Collected) -> None:
    assert subject.deployment is not None
    platform, ref = world.platforms.of(subject.deployment)
    history = platform.history(ref)
    if len(history) < 2:
        return
    newest = history[0]
    if world.clock.now() - newest.created_at > WINDOW or (newest.action_id or "") in known:
        return
    version = newest.release.version or newest.release.image or "?"
    quote = f"revision {newest.number} (version {version}) of {ref} was rolled out"
    strength = _proximity(newest.created_at, subject.began)
    found.facts.append(
        Fact("change", "roll_out", quote, "platform", newest.created_at, ref, strength=strength)
    )


def _proximity(changed: datetime, began: datetime) -> float:
    minutes = max(0.0, (began - changed).total_seconds() / 60)
    return math.exp(-minutes / _DECAY)


def _nearness(row: ActionRow, subject: Subject, near: bool) -> float:
    """How much a change counts: fully on the target, hardly when it is known to be elsewhere."""
    if near:
        return 1.0
    wide = subject.kind == "host" or row.tool in _WIDE
    return 0.25 if wide else 0.05


def _touches(row: ActionRow, subject: Subject) -> bool:
    wanted = {n for _, n in _pairs(subject) if n} | {subject.name}
    if subject.alert and (pod := subject.alert.labels.get("pod", "")):
        # The pods of a deployment carry its name, a hash and a suffix.
        wanted |= {pod.rsplit("-", 1)[0], pod.rsplit("-", 2)[0]}
    said = {
        row.target.rsplit("/", 1)[-1],
        row.target.partition("/")[2],
        *map(str, row.args.values()),
    }
    return bool(wanted & said)
