"""Learning: a person says what it was, and the next diagnosis knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tools.alerts.base import AlertRecord, Feedback, alerts
from tools.alerts.library import playbooks
from tools.alerts.verdicts import explains, meant, playbook_for, priors_of, record_cause
from tools.alerts.xids import Words
from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import BadArguments, unknown
from tools.words import Alert, Said, Text

if TYPE_CHECKING:
    from tools.world import World


_LATELY = 20
"""Incidents among which a verdict without a name looks for its own."""


@dataclass(frozen=True, slots=True)
class CauseArguments:
    """What it was, and for which alert."""

    cause: Annotated[Text, Field(description="the confirmed cause, in your words")]
    alert: Alert | None = None
    withdraw: Annotated[bool, Field(description="take an earlier verdict back")] = False


@changing(CauseArguments)
class RecordCause:
    """Record the confirmed cause of an alert, so that later diagnoses weigh it more."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "it was {cause}",
            "it was the power brake",
            "it was the power supply",
            "it was a bad cable",
            "it was the network card",
            "it was a full disk after all",
            "it was the disk",
            "it turned out to be {cause}",
            "the culprit was {cause}",
            "the cause of {alert} was {cause}",
            "record that {alert} was caused by {cause}",
            "root cause confirmed: {cause}",
            "for the record, {alert} turned out to be {cause}",
            "note that the reason for {alert} was {cause}",
            "remember: {alert} was {cause}",
            "mark {cause} as the cause of {alert}",
        ),
        zh=(
            "原因是 {cause}",
            "是电源的问题",
            "是网线的问题",
            "原来是电源坏了",
            "原来是 {cause}",
            "查出来是 {cause}",
            "{alert} 的原因是 {cause}",
            "记录一下，{alert} 是 {cause} 引起的",
            "根因确认：{cause}",
            "记住 {alert} 是因为 {cause}",
            "{alert} 最后查出来是 {cause}",
        ),
    )

    def plan(self, world: World, args: CauseArguments) -> Plan:
        """Which cause of which playbook it is, and how the prior would move."""
        alert = _alert(world, args.alert, args.cause)
        book = playbook_for(world, alert.name)
        cause = meant(playbooks(world), book, args.cause)
        verdicts = alerts(world).feedback(book.name)
        if args.withdraw and not any(v.cause == cause.id and v.weight > 0 for v in verdicts):
            raise BadArguments(
                f"Nobody recorded {cause.id} for {book.name}, so there is nothing to withdraw.",
                f"没有人为 {book.name} 记录过 {cause.id}，无可撤回。",
            )
        weight, title = -1.0 if args.withdraw else 1.0, _title(alert, cause.words, args.withdraw)
        at = max((v.at for v in verdicts), default=alert.starts_at)
        new = Feedback(alert.name, book.name, cause.id, "", at, alert.incident, None, weight)
        before, after = priors_of(world, book), priors_of(world, book, [new])
        return Plan(
            target=Target("alert", alert.name, alert.fingerprint, f"{len(verdicts)} verdicts"),
            title=title.en,
            diff=(
                f"- prior of {cause.id} in {book.name}: {before.get(cause.id, 0.0):.0%}\n"
                f"+ prior of {cause.id} in {book.name}: {after.get(cause.id, 0.0):.0%}"
            ),
            blast_radius=f"later diagnoses of {book.name}",
            undo="withdraw the verdict" if not args.withdraw else "record it again",
            verification="the verdict is stored",
            zh=PlanWords(
                title.zh,
                f"以后对 {book.name} 的诊断",
                "再次记录" if args.withdraw else "撤回该结论",
                "该结论已保存",
            ),
            deadline=timedelta(seconds=10),
            details={
                "alert": alert.name,
                "incident": alert.incident,
                "playbook": book.name,
                "cause": cause.id,
                "weight": weight,
            },
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Keep it."""
        act.check()
        details = plan.details
        incident, weight = details["incident"], details["weight"]
        row = next((r for r in world.actions.rows(limit=50) if r.id == act.id), None)
        who = row.requested_by if row else "somebody"
        record_cause(
            world,
            incident if isinstance(incident, int) else None,
            str(details["cause"]),
            who,
            alert=str(details["alert"]),
            action_id=act.id,
            weight=float(weight) if isinstance(weight, int | float) else 1.0,
        )
        en = f"{details['cause']} is recorded for {details['alert']}."
        zh = f"已为 {details['alert']} 记录 {details['cause']}。"
        return Outcome(en, {"id": act.id}, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """It is there."""
        book = str(plan.details["playbook"])
        if any(v.action_id == outcome.details["id"] for v in alerts(world).feedback(book)):
            en = f"The verdict on {book} is stored and counts from now on."
            return Verdict(True, en, zh=f"关于 {book} 的结论已保存，从现在起生效。")
        en, zh = f"The verdict on {book} is not stored.", f"关于 {book} 的结论没有保存。"
        return Verdict(False, en, "not stored", zh=zh, cause_zh="未保存")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Withdraw it, or record it again."""
        weight = plan.details["weight"]
        recorded = isinstance(weight, int | float) and weight > 0
        return Call(
            "record_cause",
            {"cause": plan.details["cause"], "alert": plan.details["alert"], "withdraw": recorded},
        )

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is a verdict of this action there?"""
        held = alerts(world).feedback(str(plan.details["playbook"]))
        return Happened.YES if any(v.action_id == action_id for v in held) else Happened.NO


def _title(alert: AlertRecord, cause: Words, withdraw: bool) -> Said:
    verb, verb_zh = ("Withdraw", "撤回") if withdraw else ("Record", "记录")
    where, where_zh = alert.name, f" {alert.name} "
    if alert.incident:
        where = f"incident {alert.incident} ({alert.name})"
        where_zh = f"事件 {alert.incident}（{alert.name}）"
    return Said(
        f"{verb} the cause of {where}: {cause.en}", f"{verb_zh}{where_zh}的原因：{cause.zh}"
    )


def _alert(world: World, name: str | None, cause: str) -> AlertRecord:
    """The alert that is named; else the newest incident that such a cause could explain."""
    port = alerts(world)
    if name is not None:
        held = port.named(name)
        if held:
            return held[0]
        known = playbooks(world).of(name)
        if known is None:
            raise unknown("alert", name, playbooks(world).names(), "告警")
        return _without_record(known.name)
    library = playbooks(world)
    found: list[AlertRecord] = []
    for incident in port.incidents(open_only=False, limit=_LATELY):
        members = port.members(incident.number)
        found += [a for a in members if a.fingerprint == incident.root][:1]
    fitting = [a for a in found if explains(library, playbook_for(world, a.name), cause)]
    root = next(iter(fitting or found), None)
    if root is None:
        raise BadArguments(
            "There is no incident yet; say for which alert: 'the cause of NodeDown was …'.",
            "还没有任何事件；请说明是哪个告警，例如“NodeDown 的原因是……”。",
        )
    return root


def _without_record(name: str) -> AlertRecord:
    epoch = datetime.fromtimestamp(0, UTC)
    return AlertRecord("", name, "resolved", "", {}, {}, epoch, None, epoch, "nobody")
