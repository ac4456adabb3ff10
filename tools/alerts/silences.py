"""What both changes of silences need: who is meant, what is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tools.alerts.base import AlertRecord, Silence, alerts
from tools.alerts.library import playbooks
from tools.contract import Plan, Target
from tools.errors import unknown

if TYPE_CHECKING:
    from tools.world import World


def matchers_of(world: World, name: str) -> tuple[dict[str, str], list[AlertRecord]]:
    """What a silence of ``name`` would match, and what fires of it now."""
    port = alerts(world)
    held = [a for a in port.named(name) if a.state == "firing"]
    if held and held[0].fingerprint == name.lower():
        return dict(held[0].labels), held[:1]
    if held:
        return {"alertname": held[0].name}, held
    known = {a.name for a in port.alerts(limit=2000)} | {a.name for a in port.named(name)}
    known |= set(playbooks(world).names())
    exact = next((k for k in known if k.lower() == name.lower()), None)
    if exact is None:
        raise unknown("alert", name, known, "告警")
    return {"alertname": exact}, []


def silences_of(world: World, matchers: Mapping[str, str]) -> list[Silence]:
    """Silences of this alert that are in force or still to come."""
    now = world.clock.now()
    name = matchers["alertname"]
    return [
        s
        for s in alerts(world).silences()
        if s.matchers.get("alertname") == name and s.ends_at > now
    ]


def target_of(name: str, matchers: Mapping[str, str], held: Sequence[Silence]) -> Target:
    """The alert as it is silenced now; its version changes with the silences."""
    uid = "|".join(f"{k}={v}" for k, v in sorted(matchers.items()))
    return Target("alert", name, uid, ",".join(sorted(s.id for s in held)) or "not silenced")


def shown(matchers: Mapping[str, str]) -> str:
    """The matchers in words."""
    name = matchers["alertname"]
    rest = [f"{k}={v}" for k, v in sorted(matchers.items()) if k != "alertname"]
    return f"{name} ({', '.join(rest[:4])})" if rest else name


def stored_matchers(plan: Plan) -> dict[str, str]:
    """The matchers a plan holds."""
    raw = plan.details["matchers"]
    assert isinstance(raw, dict)
    return {str(k): str(v) for k, v in raw.items()}
