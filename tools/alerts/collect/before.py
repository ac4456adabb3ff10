"""The same trouble before: on this GPU, on this node, at this step, and what people said of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.alerts.base import alerts
from tools.alerts.collect.around import about
from tools.alerts.collect.base import Collected, Subject
from tools.alerts.entities import entities
from tools.alerts.facts import Fact

if TYPE_CHECKING:
    from tools.world import World


def history(world: World, subject: Subject) -> Collected:
    """The same trouble before: XIDs of the GPU in seven days, earlier verdicts."""
    found = Collected(looked=("history.same",))
    port = alerts(world)
    alert = subject.alert
    times: Counter[str] = Counter()
    if alert is not None:
        code, gpu = alert.labels.get("xid"), alert.labels.get("UUID") or alert.labels.get("gpu")
        for old in port.named(alert.name):
            if world.clock.now() - old.starts_at > timedelta(days=7):
                continue
            if old.labels.get("xid") == code and gpu in (
                old.labels.get("UUID"),
                old.labels.get("gpu"),
            ):
                times["same"] += 1
    if times["same"] > 1:
        quote = f"{alert.name if alert else ''} for the {times['same']}th time on it within 7 days"
        found.facts.append(Fact("history.same", float(times["same"]), quote, "alerts"))
    found.facts += _same_node(world, subject)
    found.facts += _same_step(world, subject)
    found.looked += ("history.same_node", "history.same_step")
    verdicts = [f for f in port.feedback() if alert is None or f.alert == alert.name]
    for verdict in verdicts[-3:]:
        found.note(
            f"on {verdict.at:%Y-%m-%d} {verdict.who} confirmed {verdict.cause} for {verdict.alert}",
            f"{verdict.at:%Y-%m-%d} {verdict.who} 确认 {verdict.alert} 的原因是 {verdict.cause}",
        )
    return found


def _same_node(world: World, subject: Subject) -> list[Fact]:
    """How often an alert about this job named the same node in seven days."""
    alert = subject.alert
    if alert is None or subject.node is None:
        return []
    mine = {e for e in about(subject) if e.startswith("job:")}
    times = 0
    for old in alerts(world).named(alert.name):
        theirs = entities(old.name, old.labels)
        every = {theirs.own, *theirs.upstream, *theirs.downstream}
        recent = world.clock.now() - old.starts_at <= timedelta(days=7)
        times += bool(recent and mine & every and f"node:{subject.node.lower()}" in every)
    if times < 2:
        return []
    quote = f"{alert.name} named node {subject.node} {times} times in 7 days"
    return [Fact("history.same_node", float(times), quote, "alerts")]


def _same_step(world: World, subject: Subject) -> list[Fact]:
    """Earlier failures of the same kind of job at the step at which this one failed."""
    if not subject.job:
        return []
    me = world.jobs.status(subject.job)
    if me.state not in ("failed", "lost") or not me.step:
        return []
    same = [
        job.name
        for job in world.jobs.list()
        if (job.model, job.kind) == (me.model, me.kind)
        and job.name != me.name
        and job.state in ("failed", "lost")
        and abs(job.step - me.step) <= 1
    ]
    if not same:
        return []
    quote = f"{', '.join(same[:3])} failed at step {me.step} as well"
    zh = f"{', '.join(same[:3])} 也在第 {me.step} 步失败"
    return [Fact("history.same_step", float(len(same)), quote, "jobs", quote_zh=zh)]
