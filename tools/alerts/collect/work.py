"""Deployments and nodes, as their platforms report them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.alerts.collect.base import WINDOW, Collected, Subject
from tools.alerts.collect.text import categories_of
from tools.alerts.facts import Fact
from tools.deployments.wording import phase
from tools.errors import BadArguments, ToolError
from tools.platforms.base import PlatformEvent, Revision, Status, Traffic

if TYPE_CHECKING:
    from tools.world import World

RECENT = timedelta(minutes=15)
"""A crash or a warning older than this is history, not a symptom."""
SLOW = 1.0
"""Seconds of p95 above which a deployment is slow whatever it was before."""
_ENOUGH = 20
STUCK = timedelta(minutes=10)
"""A roll-out that is not done after this long is stuck."""


def deployment(world: World, subject: Subject) -> Collected:
    """State, replicas, traffic by revision, and what there is to return to."""
    if not subject.deployment:
        raise BadArguments("no deployment belongs to it", "没有与之相关的部署")
    platform, ref = world.platforms.of(subject.deployment)
    status = platform.status(ref)
    looked = ("deployment.phase", "deployment.missing", "deployment.restarts", "replica.state")
    found = Collected(looked=(*looked, "deployment.cause", "replica.message"))
    found.facts += _state(world, status)
    found.context |= {"wanted": status.wanted, "revision": status.revision, "ref": status.ref}
    found.note(
        f"deployment {status.ref}: {status.phase}, {status.ready} of {status.wanted} replicas ready",
        f"部署 {status.ref}：{phase(status.phase, 'zh')}，{status.wanted} 个副本中 {status.ready} 个就绪",
    )
    try:
        traffic = platform.traffic(ref)
        found.looked += ("traffic.errors", "traffic.slow")
        found.facts += list(_traffic(traffic, found))
    except ToolError as error:
        found.gap(f"traffic of {ref}: {error.en}", f"{ref} 的流量：{error.zh}")
    try:
        history = platform.history(ref)
        found.context["revisions"] = len(history)
        found.looked += ("deployment.stuck",)
        found.facts += _stuck(world, status, history)
    except ToolError as error:
        found.gap(f"history of {ref}: {error.en}", f"{ref} 的历史：{error.zh}")
    return found


def _stuck(world: World, status: Status, history: Sequence[Revision]) -> list[Fact]:
    newest = max(history, key=lambda r: r.number, default=None)
    if status.phase != "progressing" or newest is None:
        return []
    age = world.clock.now() - newest.created_at
    if age <= STUCK:
        return []
    minutes = age.total_seconds() / 60
    quote = f"revision {newest.number} has been rolling out for {minutes:.0f} min"
    zh = f"修订版 {newest.number} 已发布 {minutes:.0f} 分钟仍未完成"
    who = f"deployment {status.ref}"
    return [Fact("deployment.stuck", "yes", quote, who, newest.created_at, quote_zh=zh)]


def _state(world: World, status: Status) -> list[Fact]:
    now = world.clock.now()
    who = f"deployment {status.ref}"
    facts = [
        Fact(
            "deployment.phase",
            status.phase,
            f"{who} is {status.phase}: {status.message}".rstrip(": "),
            who,
            now,
        )
    ]
    missing = status.wanted - status.ready
    quote = f"{status.ready} of {status.wanted} replicas ready"
    zh = f"{status.wanted} 个副本中 {status.ready} 个就绪"
    facts.append(Fact("deployment.missing", float(max(0, missing)), quote, who, now, quote_zh=zh))
    restarts = max((r.restarts for r in status.replicas), default=0)
    quote = f"a replica of {status.ref} restarted {restarts} times"
    facts.append(Fact("deployment.restarts", float(restarts), quote, who, now))
    facts += [
        Fact("deployment.cause", c, status.message, who, now) for c in categories_of(status.message)
    ]
    for replica in status.replicas:
        if replica.state not in ("running", "ready"):
            said = f"replica {replica.id} is {replica.state}: {replica.message}".rstrip(": ")
            facts.append(Fact("replica.state", replica.state, said, who, now, replica.id))
        for category in categories_of(replica.message):
            said = f"replica {replica.id}: {replica.message}"
            facts.append(Fact("replica.message", category, said, who, now, replica.id))
    return facts


def _traffic(traffic: Mapping[int, Traffic], found: Collected) -> list[Fact]:
    facts: list[Fact] = []
    measured = {r: t for r, t in sorted(traffic.items()) if t.requests >= _ENOUGH}
    if not measured:
        found.note(
            "too little traffic to judge errors or latency", "流量太少，无法判断错误率或延迟"
        )
        return facts
    newest = max(measured)
    new, source = measured[newest], f"revision {newest}"
    errors = new.errors / new.requests
    quote = f"{new.errors} of {new.requests} requests failed ({errors:.1%})"
    zh = f"{new.requests} 个请求中 {new.errors} 个失败（{errors:.1%}）"
    facts.append(Fact("traffic.errors", errors, quote, source, quote_zh=zh))
    if new.p95_seconds is not None:
        quote = f"p95 is {new.p95_seconds * 1000:.0f} ms over {new.requests} requests"
        zh = f"{new.requests} 个请求的 p95 为 {new.p95_seconds * 1000:.0f} ms"
        facts.append(Fact("traffic.slow", new.p95_seconds / SLOW, quote, source, quote_zh=zh))
    found.note(f"{source}: {facts[0].quote}", f"修订版 {newest}：{zh}")
    older = [r for r in measured if r != newest]
    if older:
        facts += _against(measured[max(older)], new, max(older), newest)
    return facts


def _against(old: Traffic, new: Traffic, before: int, now: int) -> list[Fact]:
    facts: list[Fact] = []
    source = f"revision {now} against {before}"
    rise = new.errors / new.requests - old.errors / old.requests
    quote = f"errors {new.errors / new.requests:.1%} against {old.errors / old.requests:.1%} before"
    facts.append(Fact("traffic.new_errors", rise, quote, source))
    if new.p95_seconds and old.p95_seconds:
        ratio = new.p95_seconds / old.p95_seconds
        quote = (
            f"p95 {new.p95_seconds * 1000:.0f} ms against {old.p95_seconds * 1000:.0f} ms "
            f"of revision {before}: {ratio:.1f} times"
        )
        zh = f"p95 {new.p95_seconds * 1000:.0f} ms，修订版 {before} 为 {old.p95_seconds * 1000:.0f} ms"
        facts.append(Fact("traffic.worse_than_previous", ratio, quote, source, quote_zh=zh))
    return facts


def events(world: World, subject: Subject) -> Collected:
    """Warnings of the platform about the target in the last two hours."""
    if not subject.deployment and not subject.node:
        raise BadArguments("no platform reports events about it", "没有平台报告其事件")
    found = Collected(looked=("event", "event_text"))
    rows: list[PlatformEvent] = []
    if subject.deployment:
        platform, ref = world.platforms.of(subject.deployment)
        rows = list(platform.events(ref, since=WINDOW))
    else:
        for platform in world.platforms.all():
            rows += [
                e for e in platform.events(None, since=WINDOW) if (subject.node or "") in e.target
            ]
    warnings = [e for e in rows if e.kind == "warning"]
    now = world.clock.now()
    for event in warnings[-40:]:
        said = f"{event.reason}: {event.message}"[:240]
        old = now - event.at > RECENT
        strength = 0.4 if old else 1.0
        found.facts.append(
            Fact("event", event.reason, said, "events", event.at, event.target, strength=strength)
        )
        for category in categories_of(event.message):
            found.facts.append(
                Fact(
                    "event_text",
                    category,
                    said,
                    "events",
                    event.at,
                    event.target,
                    strength=strength,
                )
            )
        if event.reason in ("Crashed", "Killed", "OOMKilling") and not old:
            found.facts.append(
                Fact("replica.state", "crashed", said, "events", event.at, event.target)
            )
    if warnings and now - warnings[-1].at <= RECENT:
        found.began = next(e.at for e in warnings if now - e.at <= RECENT)
    found.note(
        f"{len(warnings)} warnings among {len(rows)} platform events of the last 2 h",
        f"最近 2 小时 {len(rows)} 条平台事件中有 {len(warnings)} 条警告",
    )
    return found


def node(world: World, subject: Subject) -> Collected:
    """Readiness of a cluster's node, where a platform has nodes."""
    if not subject.node:
        raise BadArguments("no node belongs to it", "没有与之相关的节点")
    found = Collected(looked=("node.ready", "node.schedulable"))
    for platform in world.platforms.all():
        listed = getattr(platform, "nodes", None)
        if not callable(listed):
            continue
        from tools.platforms.base import Cluster

        cluster: Cluster = platform  # type: ignore[assignment]  # it has nodes(): a cluster
        for item in cluster.nodes():
            if item.name.lower() != subject.node.lower():
                continue
            who = f"node {item.name}"
            said = f"{who} is {'ready' if item.ready else 'not ready'}: {item.message}".rstrip(": ")
            found.facts.append(Fact("node.ready", "yes" if item.ready else "no", said, who))
            open_ = "yes" if item.schedulable else "no"
            told = f"{who} {'accepts' if item.schedulable else 'does not accept'} new pods"
            found.facts.append(Fact("node.schedulable", open_, told, who))
            found.context["node"] = item.name
            found.note(said, f"节点 {item.name}：{'就绪' if item.ready else '未就绪'}")
            return found
    raise BadArguments(
        f"no platform here knows a node named {subject.node}", f"没有平台认识节点 {subject.node}"
    )
