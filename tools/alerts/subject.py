"""Who is meant: an alert, or a target by the name people use, resolved to one thing."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools.alerts.base import AlertRecord, alerts
from tools.alerts.collect.base import Subject
from tools.alerts.entities import entities
from tools.alerts.library import playbooks
from tools.errors import BadArguments, ToolError, unknown

if TYPE_CHECKING:
    from tools.world import World

_HOST = frozenset(
    {
        "host",
        "localhost",
        "machine",
        "this-machine",
        "this_machine",
        "server",
        "local",
        "本机",
        "主机",
    }
)
_GPU = re.compile(r"gpu[:_-]?(\d{1,4}|GPU-[\w-]+)|(GPU-[0-9a-fA-F-]{8,})", re.IGNORECASE)
_TOGETHER = timedelta(seconds=90)
"""A cause may be noticed this much later than what follows from it."""
_LABELS_OF_DEPLOYMENT = (
    "deployment",
    "target",
    "inferenceservice",
    "app",
    "model",
    "model_name",
    "service",
)
_LABELS_OF_JOB = ("job_id", "training_job", "target", "job_name", "job")


def subject_of(world: World, alert: str | None, target: str | None) -> Subject:
    """The one thing to diagnose.

    Raises:
        BadArguments: nothing here has that name; the error names the nearest.
    """
    if alert:
        return _of_alert(world, alert) or _of_target(world, alert)
    if target:
        return _of_target(world, target)
    newest = next(iter(_open_alerts(world)), None)
    if newest is not None:
        return _from_alert(world, newest)
    return _host(world.clock.now())


def _open_alerts(world: World) -> Iterable[AlertRecord]:
    order = {"critical": 0, "error": 1, "warning": 2}
    found = [a for a in alerts(world).alerts("firing", limit=500) if a.name != "Watchdog"]
    return sorted(found, key=lambda a: (order.get(a.severity, 3), -a.starts_at.timestamp()))


def _of_alert(world: World, name: str) -> Subject | None:
    held = alerts(world).named(name)
    if held:
        return _from_alert(world, held[0])
    book = playbooks(world).of(name)
    if book is None:
        return None
    return Subject("alert", book.name, world.clock.now(), local=True)


def _from_alert(world: World, alert: AlertRecord) -> Subject:
    about = entities(alert.name, alert.labels)
    every = {e.partition(":")[0]: e.partition(":")[2] for e in (*about.downstream, *about.upstream)}
    every[about.own.partition(":")[0]] = about.own.partition(":")[2]
    node = every.get("node")
    gpu = alert.labels.get("gpu") or alert.labels.get("UUID")
    return Subject(
        "alert",
        alert.name,
        alert.starts_at,
        alert,
        deployment=_known_deployment(world, alert),
        job=_known_job(world, alert),
        node=node,
        gpu=gpu,
        local=alert.source == "rules" or node is None or _is_here(node),
    )


def root_of(world: World, subject: Subject) -> Subject | None:
    """The alert of another name that this one's incident began with, while it still fires."""
    alert = subject.alert
    if alert is None or alert.incident is None or alert.state != "firing":
        return None
    port = alerts(world)
    incident = next((i for i in port.incidents() if i.number == alert.incident), None)
    if incident is None or incident.root == alert.fingerprint:
        return None
    root = next((a for a in port.members(incident.number) if a.fingerprint == incident.root), None)
    if root is None or root.state != "firing" or root.name == alert.name:
        return None
    return _from_alert(world, root) if root.starts_at <= alert.starts_at + _TOGETHER else None


def _is_here(node: str) -> bool:
    name = socket.gethostname().lower()
    return node.lower() in (name, name.partition(".")[0], "localhost", "127.0.0.1")


def _known_deployment(world: World, alert: AlertRecord) -> str | None:
    for label in _LABELS_OF_DEPLOYMENT:
        name = alert.labels.get(label)
        if not name:
            continue
        space = alert.labels.get("namespace")
        for trial in (f"{space}/{name}" if space else name, name):
            try:
                platform, ref = world.platforms.of(trial)
                platform.status(ref)
            except ToolError:
                continue
            return ref
    return None


def _known_job(world: World, alert: AlertRecord) -> str | None:
    for label in _LABELS_OF_JOB:
        if name := alert.labels.get(label):
            try:
                return world.jobs.status(name).name
            except ToolError:
                continue
    return None


def _host(now: datetime) -> Subject:
    return Subject("host", socket.gethostname(), now)


def _of_target(world: World, name: str) -> Subject:
    now = world.clock.now()
    if name.lower() in _HOST or _is_here(name):
        return _host(now)
    if found := _GPU.fullmatch(name):
        gpu = found[1] or found[2]
        return Subject("gpu", f"gpu:{gpu}", now, gpu=gpu)
    for look in (_deployment, _job, _node):
        subject = look(world, name)
        if subject is not None:
            return subject
    known = alerts(world).named(name)
    if known:
        return _from_alert(world, known[0])
    raise unknown("deployment, job, node or alert", name, _names(world), "部署、任务、节点或告警")


def _deployment(world: World, name: str) -> Subject | None:
    try:
        platform, ref = world.platforms.of(name)
    except BadArguments as error:
        if "several" in error.en or "namespaces" in error.en:
            raise
        return None
    except ToolError:
        return None
    local = not hasattr(platform, "nodes")
    return Subject("deployment", ref, world.clock.now(), deployment=ref, local=local)


def _job(world: World, name: str) -> Subject | None:
    try:
        status = world.jobs.status(name)
    except ToolError:
        return None
    local = status.platform == "local"
    return Subject("job", status.name, world.clock.now(), job=status.name, local=local)


def _node(world: World, name: str) -> Subject | None:
    for platform in world.platforms.all():
        listed = getattr(platform, "nodes", None)
        if not callable(listed):
            continue
        try:
            known = {str(item.name) for item in listed()}  # type: ignore[attr-defined]
        except ToolError:
            continue
        exact = next((n for n in known if n.lower() == name.lower()), None)
        if exact:
            return Subject("node", exact, world.clock.now(), node=exact, local=False)
    return None


def _names(world: World) -> list[str]:
    names = [*playbooks(world).names(), "host"]
    for platform in world.platforms.all():
        try:
            names += [status.ref for status in platform.deployments()]
        except ToolError:
            continue
    try:
        names += [job.name for job in world.jobs.list()]
    except ToolError:
        return names
    return names


def label_of(subject: Subject) -> str:
    """The subject as people name it."""
    if subject.kind == "host":
        return f"this machine ({subject.name})"
    if subject.alert is None:
        plain = subject.kind in ("gpu", "alert")
        return subject.name if plain else f"{subject.kind} {subject.name}"
    where = subject.deployment or subject.job or subject.node
    return f"{subject.name} on {where}" if where else subject.name
