"""Events and actions as plain JSON: one shape for HTTP, MCP and the command line's client. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from agent.assistant import Assistant
from agent.events import Action, Changed, Event, Proposed, State
from tools.contract import Json, as_json
from tools.errors import BadArguments

_PREVIEW = ("title", "diff", "blast_radius", "undo", "verification", "warnings", "gpu_hours")


def event_json(event: Event) -> dict[str, Json]:
    """An event with its name under ``type`` (``text``, ``seen``, ``proposed``, ``reply``, …)."""
    kind = type(event).__name__.lower()
    if isinstance(event, Proposed | Changed):
        return {"type": kind, "action": action_json(event.action)}
    return {"type": kind, **cast("dict[str, Json]", as_json(event))}


def action_json(action: Action) -> dict[str, Json]:
    """What a person needs to decide, and all that became of it. ``digest`` is what a yes binds."""
    plan = cast("dict[str, Json]", as_json(action.plan))
    return {
        "number": action.number,
        "id": action.id,
        "state": action.state.value,
        "done": action.done,
        "tool": action.call.tool,
        "args": as_json(action.call.args),
        "digest": action.digest,
        "target": plan["target"],
        "risk": action.plan.risk.value,
        **{name: plan[name] for name in _PREVIEW},
        "zh": plan["zh"],
        "requested_by": action.requester.name,
        "conversation": action.conversation,
        "needed": action.needed,
        "approvers": list(action.approvers),
        "approved_by": list(action.approved_by),
        "decisions": as_json(action.decisions),
        "created_at": action.created_at.isoformat(),
        "changed_at": action.changed_at.isoformat(),
        "expires_at": action.expires_at.isoformat(),
        "reason": action.reason,
        "reason_zh": action.reason_zh,
        "outcome": as_json(action.outcome),
        "verdict": as_json(action.verdict),
        "undoes": action.undoes,
        "undone_by": action.undone_by,
        "rule": action.rule,
        "cancel_requested": action.cancel_requested,
    }


def action_of(assistant: Assistant, number: int) -> Action:
    """One action as it stands, expired if its time is over; ``BadArguments`` when there is none."""
    return assistant.door.expire(assistant.door.ledger.get(number))


def actions_of(
    assistant: Assistant,
    states: Iterable[str] = (),
    since: datetime | None = None,
    limit: int = 200,
) -> list[Action]:
    """Actions, newest first, optionally only those in ``states``."""
    return assistant.door.ledger.find(
        states=[_state(name) for name in states], since=since, limit=limit
    )


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError:
        known = ", ".join(state.value for state in State)
        raise BadArguments(f"There is no state {name!r}; states are {known}.") from None
