"""What an action is made of, as plain data: digest, entries, and the fold from one to the other.

Pure. The ledger stores entries; an :class:`Action` is their fold. Nothing else defines what a
state means or which one may follow which.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from agent.events import Action, Actor, Decided, State
from agent.redaction import mask
from tools.contract import Call, Effect, Json, Outcome, Plan, PlanWords, Target, Verdict, as_json

NEXT: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.APPROVED, State.REJECTED, State.EXPIRED}),
    State.APPROVED: frozenset({State.APPLYING, State.STALE, State.EXPIRED, State.REJECTED}),
    State.APPLYING: frozenset({State.APPLIED, State.FAILED, State.UNKNOWN}),
    State.APPLIED: frozenset({State.VERIFIED, State.UNVERIFIED}),
    State.VERIFIED: frozenset({State.UNDONE}),
    State.UNVERIFIED: frozenset({State.VERIFIED, State.UNVERIFIED, State.UNDONE}),
    State.FAILED: frozenset({State.UNDONE}),
    State.UNKNOWN: frozenset({State.APPLIED, State.FAILED}),
    State.REJECTED: frozenset(),
    State.EXPIRED: frozenset(),
    State.STALE: frozenset(),
    State.UNDONE: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. ``body`` holds all that the line adds."""

    seq: int
    action: int
    """Action number; 0 for lines about the ledger itself (breaker reset)."""
    at: datetime
    kind: str
    """``proposed``, ``approve``, ``reject``, ``cancel``, ``kept``, ``breaker_reset``, or a :class:`State`."""
    who: str
    body: Mapping[str, Json]
    previous: str
    hash: str


def entry_of(row: Any) -> Entry:
    """A line from its row in the ``ledger`` table."""
    at, body = datetime.fromisoformat(row.at), json.loads(row.body)
    return Entry(row.seq, row.action, at, row.kind, row.who, body, row.previous, row.hash)


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chain(
    previous: str, seq: int, action: int, at: str, kind: str, who: str, body: Mapping[str, Json]
) -> str:
    """SHA-256 over the previous hash and everything in the line."""
    text = canonical([previous, seq, action, at, kind, who, body])
    return hashlib.sha256(text.encode()).hexdigest()


def digest(call: Call, plan: Plan, expires_at: datetime) -> str:
    """What a yes binds: tool, arguments, target and its version, preview, expiry."""
    whole = [call.tool, dict(call.args), as_json(plan), expires_at.isoformat()]
    return hashlib.sha256(canonical(whole).encode()).hexdigest()


def same_world(old: Plan, new: Plan) -> bool:
    """Whether what was approved is still what would happen."""
    return (old.target, old.diff, old.risk, dict(old.details)) == (
        new.target,
        new.diff,
        new.risk,
        dict(new.details),
    )


def because(en: str, zh: str = "") -> dict[str, Json]:
    """The part of a line's body that says why, masked, in English and where there is in Chinese."""
    body: dict[str, Json] = {"reason": mask(en)}
    if zh and zh != en:
        body["reason_zh"] = mask(zh)
    return body


def fold(action: Action | None, entry: Entry) -> Action:
    """The action after one more line.

    Raises:
        ValueError: the line may not follow (a transition that does not exist).
    """
    if action is None:
        if entry.kind != State.PROPOSED:
            raise ValueError(f"line {entry.seq}: action {entry.action} begins with {entry.kind}")
        return from_json(entry.body)
    match entry.kind:
        case "approve" | "reject":
            return _decide(action, entry)
        case "cancel":
            return replace(action, cancel_requested=True, changed_at=entry.at)
        case "kept":
            return replace(action, kept=True, changed_at=entry.at, **_why(action, entry))
        case _:
            return _move(action, State(entry.kind), entry)


def _decide(action: Action, entry: Entry) -> Action:
    if action.state is not State.PROPOSED:
        raise ValueError(f"line {entry.seq}: action {entry.action} was {action.state} already")
    verdict = "approve" if entry.kind == "approve" else "reject"
    said = Decided(
        entry.who,
        verdict,
        entry.at,
        str(entry.body.get("reason", "")),
        str(entry.body.get("front", "")),
    )
    rule = cast("str | None", entry.body.get("rule")) or action.rule
    after = replace(action, decisions=(*action.decisions, said), changed_at=entry.at, rule=rule)
    if verdict == "reject":
        zh = "" if said.reason else f"被 {said.who} 拒绝"
        why = said.reason or f"rejected by {said.who}"
        return replace(after, state=State.REJECTED, reason=why, reason_zh=zh)
    if rule or len(after.approved_by) >= action.needed:
        return replace(after, state=State.APPROVED)
    return after


def _move(action: Action, to: State, entry: Entry) -> Action:
    if to not in NEXT[action.state]:
        raise ValueError(f"line {entry.seq}: {action.state} cannot become {to}")
    body = entry.body
    outcome = _outcome(body.get("outcome")) or action.outcome
    verdict = _verdict(body.get("verdict")) or action.verdict
    return replace(
        action,
        state=to,
        changed_at=entry.at,
        outcome=outcome,
        verdict=verdict,
        undone_by=cast("int | None", body.get("undone_by")) or action.undone_by,
        **_why(action, entry),
    )


def _why(action: Action, entry: Entry) -> dict[str, str]:
    """The reasons after a line: its own, or the ones there were."""
    if reason := str(entry.body.get("reason", "")):
        return {"reason": reason, "reason_zh": str(entry.body.get("reason_zh", ""))}
    return {"reason": action.reason, "reason_zh": action.reason_zh}


def to_json(action: Action) -> dict[str, Json]:
    """Plain JSON of an action; :func:`from_json` is its inverse."""
    return cast("dict[str, Json]", as_json(action))


def from_json(data: Mapping[str, Any]) -> Action:
    """An action from its plain JSON."""
    values = dict(data)
    values["call"] = Call(data["call"]["tool"], data["call"]["args"])
    values["plan"] = plan_from_json(data["plan"])
    values["requester"] = Actor(**data["requester"])
    values["state"] = State(data["state"])
    for name in ("created_at", "changed_at", "expires_at"):
        values[name] = datetime.fromisoformat(data[name])
    values["approvers"] = tuple(data["approvers"])
    values["decisions"] = tuple(_decided(d) for d in data["decisions"])
    values["outcome"] = _outcome(data["outcome"])
    values["verdict"] = _verdict(data["verdict"])
    return Action(**values)


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """A plan from its plain JSON."""
    values = dict(data)
    values["target"] = Target(**data["target"])
    values["deadline"] = timedelta(seconds=data["deadline"])
    values["risk"] = Effect(data["risk"])
    values["warnings"] = tuple(data["warnings"])
    if zh := data.get("zh"):
        values["zh"] = replace(PlanWords(**zh), warnings=tuple(zh["warnings"]))
    return Plan(**values)


def _decided(data: Mapping[str, Any]) -> Decided:
    return Decided(
        data["who"],
        data["verdict"],
        datetime.fromisoformat(data["at"]),
        data["reason"],
        data["front"],
    )


def _outcome(data: Any) -> Outcome | None:
    return Outcome(**data) if data else None


def _verdict(data: Any) -> Verdict | None:
    return Verdict(**data) if data else None
