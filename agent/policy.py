"""Who may say yes, to what, when, and how often. Pure: data in, a ruling out.

The strictest rule wins. :mod:`agent.door` treats any error in here as a no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from agent.events import Action, Actor, State
from tools.contract import Call, Effect, Json, Plan
from tools.fleet import Freeze, Person, PolicySpec, PreApproved

STARTED = frozenset(
    {
        State.APPLYING,
        State.APPLIED,
        State.VERIFIED,
        State.FAILED,
        State.UNVERIFIED,
        State.UNKNOWN,
        State.UNDONE,
    }
)
COUNTED = frozenset(State) - {State.PROPOSED, State.REJECTED}
"""What a budget or a pre-approved class may count: a heap of proposals must not hide what ran."""
BAD = frozenset({State.FAILED, State.UNVERIFIED, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Ask:
    """People must say yes: ``needed`` different ones out of ``approvers``."""

    needed: int
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A pre-approved class covers it; recorded as approved by the rule's author."""

    rule: PreApproved


@dataclass(frozen=True, slots=True)
class Denied:
    """No, with the reason and the remedy."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Recent:
    """What the ledger says about the last hour and day."""

    actions: tuple[Action, ...]
    """Actions in ``COUNTED`` states, changed in the last 24 hours."""
    breaker_reset_at: datetime | None = None


def rule(
    call: Call, plan: Plan, effect: Effect, policy: PolicySpec, recent: Recent, now: datetime
) -> Ask | Allowed | Denied:
    """What must happen before ``call`` may run. Budgets and freezes are :func:`hindrance`."""
    if Effect.DESTROY in (effect, plan.risk):
        return Ask(max(1, policy.destroy_approvals), _approvers(policy, call.tool))
    for candidate in policy.preapproved:
        if _matches(candidate, call) and _uses(candidate, recent, now) < candidate.per_hour:
            return Allowed(candidate)
    approvers = _approvers(policy, call.tool)
    if not approvers:
        return Denied(
            f"Nobody may approve {call.tool}: policy.approvers names no one for it.",
            f"没有人有权批准 {call.tool}：policy.approvers 未指定任何人。",
        )
    return Ask(1, approvers)


def hindrance(action: Action, policy: PolicySpec, recent: Recent, now: datetime) -> Denied | None:
    """Why it may not start right now: breaker, freeze, budget. Asked again before acting."""
    failures = [
        a
        for a in recent.actions
        if a.state in BAD
        and a.changed_at > now - timedelta(hours=1)
        and (recent.breaker_reset_at is None or a.changed_at > recent.breaker_reset_at)
    ]
    if len(failures) >= policy.breaker_failures:
        return Denied(
            f"The circuit breaker is open: {len(failures)} actions went wrong in the last hour. "
            "A person closes it with: steward actions reset",
            f"熔断器已打开：过去一小时有 {len(failures)} 个操作出错。需由人执行 steward actions reset 恢复。",
        )
    for freeze in policy.freezes:
        until = _frozen_until(freeze, now)
        if until and action.call.tool not in freeze.except_tools:
            return Denied(
                f"Freeze window {freeze.name!r} holds until {until:%Y-%m-%d %H:%M %Z}.",
                f"冻结窗口 {freeze.name!r} 生效至 {until:%Y-%m-%d %H:%M %Z}。",
            )
    return _used_up(action, policy, recent, now) or _over_budget(action.plan, policy, recent, now)


def _used_up(action: Action, policy: PolicySpec, recent: Recent, now: datetime) -> Denied | None:
    """Proposals made at the same moment may share the last use of a pre-approved class."""
    rule = next((r for r in policy.preapproved if r.name == action.rule), None)
    if rule is None:
        return None
    hour = now - timedelta(hours=1)
    others = [
        a
        for a in recent.actions
        if a.rule == rule.name
        and a.number != action.number
        and a.state in STARTED
        and a.created_at > hour
    ]
    if len(others) < rule.per_hour:
        return None
    return Denied(
        f"{rule.name!r} allows {rule.per_hour} an hour by itself and they are used up; ask again, "
        "and a person decides.",
        f"{rule.name!r} 每小时自动放行 {rule.per_hour} 次，已用完；请重新提出，由人决定。",
    )


def _over_budget(plan: Plan, policy: PolicySpec, recent: Recent, now: datetime) -> Denied | None:
    started = [a for a in recent.actions if a.state in STARTED and a.undoes is None]
    hour = [a for a in started if a.changed_at > now - timedelta(hours=1)]
    if len(hour) >= policy.actions_per_hour:
        return Denied(
            f"The budget of {policy.actions_per_hour} actions an hour is used up; wait, or raise "
            "policy.actions_per_hour.",
            f"每小时 {policy.actions_per_hour} 个操作的额度已用完；请稍候或调高 policy.actions_per_hour。",
        )
    used = sum(a.plan.gpu_hours for a in started)
    if plan.gpu_hours and used + plan.gpu_hours > policy.gpu_hours_per_day:
        return Denied(
            f"{plan.gpu_hours:g} GPU-hours would exceed the day's budget of "
            f"{policy.gpu_hours_per_day:g} ({used:g} used).",
            f"{plan.gpu_hours:g} GPU 小时将超出每日额度 {policy.gpu_hours_per_day:g}（已用 {used:g}）。",
        )
    return None


def may_decide(
    action: Action, actor: Actor, verdict: str, policy: PolicySpec, people: Mapping[str, Person]
) -> Denied | None:
    """Why ``actor`` may not decide ``action``; ``None`` when they may.

    Anyone who may approve may reject; so may whoever asked (that is a withdrawal).
    """
    who = actor.name
    if verdict == "reject" and who == action.requester.name:
        return None
    if actor.front in ("scheduler", "alert", "door"):
        return Denied("Only a person can decide.", "只有人可以做决定。")
    if not _is_among(who, action.approvers, people):
        names = ", ".join(action.approvers) or "nobody"
        return Denied(
            f"{who} may not decide action {action.number}; it needs one of: {names}.",
            f"{who} 无权决定操作 {action.number}；需要以下人员之一：{names}。",
        )
    if verdict == "approve" and who == action.requester.name and not policy.self_approval:
        return Denied(
            f"Policy: {who} asked for action {action.number}, so somebody else must approve it.",
            f"策略要求：操作 {action.number} 由 {who} 提出，须由他人批准。",
        )
    if verdict == "approve" and who in action.approved_by:
        return Denied(
            f"{who} said yes already; action {action.number} needs another person.",
            f"{who} 已经同意过；操作 {action.number} 还需要另一个人。",
        )
    return None


def identify(front: str, identity: str, people: Mapping[str, Person]) -> str | None:
    """The person behind a front's proof of identity, or ``None``."""
    for person in people.values():
        proofs = {"slack": person.slack, "terminal": person.unix, "http": person.token}
        if identity and proofs.get(front) == identity:
            return person.name
    return None


def _approvers(policy: PolicySpec, tool: str) -> tuple[str, ...]:
    return policy.approvers.get(tool, policy.approvers.get("*", ()))


def _is_among(who: str, approvers: Iterable[str], people: Mapping[str, Person]) -> bool:
    groups = people[who].groups if who in people else ()
    allowed = set(approvers)
    return who in allowed or any(f"group:{g}" in allowed for g in groups)


def _matches(rule: PreApproved, call: Call) -> bool:
    return rule.tool == call.tool and all(
        _equal(call.args.get(k), v) for k, v in rule.where.items()
    )


def _equal(value: Json, wanted: Json) -> bool:
    return value in wanted if isinstance(wanted, list) else value == wanted


def _uses(rule: PreApproved, recent: Recent, now: datetime) -> int:
    hour = now - timedelta(hours=1)
    return sum(1 for a in recent.actions if a.rule == rule.name and a.created_at > hour)


def _frozen_until(freeze: Freeze, now: datetime) -> datetime | None:
    from cronsim import CronSim

    zone = ZoneInfo(freeze.timezone)
    begin = next(CronSim(freeze.start, (now - freeze.duration).astimezone(zone)))
    return begin + freeze.duration if begin <= now else None


def defaults(people: Mapping[str, Person], user: str) -> dict[str, tuple[str, ...]]:
    """Approvers of a fleet that names none: everyone it knows, else whoever is at the terminal."""
    return {"*": tuple(people) or (user,)}


__all__: Sequence[str] = [
    "Allowed",
    "Ask",
    "Denied",
    "Recent",
    "defaults",
    "hindrance",
    "identify",
    "may_decide",
    "rule",
]
