"""The settings a roll-out gives a Deployment so that it keeps serving: strategy, proof, deadline."""

from __future__ import annotations

import json
from typing import Any

from tools.platforms.base import RollOut
from tools.platforms.kubernetes_objects import Obj, at, many, note, number, table
from tools.platforms.kubernetes_template import Shape

MIN_READY = 30
"""Seconds a new replica proves itself before an old one goes, where nobody chose."""
LONGEST_PROOF = 120
SETTINGS = ("strategy", "minReadySeconds", "progressDeadlineSeconds")
BEFORE = "steward.dev/settings-before"
"""Annotation: the settings that a roll-out replaced by ones that keep serving."""


def settings_before(obj: Obj) -> Obj:
    """Strategy, minReadySeconds and progress deadline as the team has them, whatever a roll-out made of them."""
    kept = note(obj, BEFORE)
    if kept:
        return json.loads(kept)
    found = {k: at(obj, "spec", k) for k in SETTINGS}
    return {k: v for k, v in found.items() if v is not None}


def settings_for(before: Obj, edit: RollOut, template: Obj, shape: Shape) -> Obj:
    """The settings of a roll-out.

    A container that dies soon after its start is ready for a moment, and a Deployment that asks for
    no more than that moment would replace every good replica by a crashing one. A short progress
    deadline grows by what the proof takes, so that it allows as much time to start as before.
    """
    strategy = safe_strategy(table(before, "strategy"), edit.replicas)
    if edit.strategy == "blue_green":
        strategy = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0},
        }
    after = {**before, **({"strategy": strategy} if strategy else {})}
    least = number(before, "minReadySeconds")
    wanted = max(_proof(template) if shape.min_ready is None else shape.min_ready, least)
    after["minReadySeconds"] = wanted
    deadline = number(before, "progressDeadlineSeconds")
    if deadline:
        longer = deadline + wanted - least
        after["progressDeadlineSeconds"] = max(deadline, min(longer, 600), wanted + 30)
    return after


def _proof(template: Obj) -> int:
    """How long a replica must be watched to see a liveness probe end it, or a fault show."""
    probes = [table(box, "livenessProbe") for box in many(template, "spec", "containers")]
    ends = [
        number(p, "initialDelaySeconds")
        + (number(p, "periodSeconds") or 10) * (number(p, "failureThreshold") or 3)
        + 5
        for p in probes
        if p
    ]
    return min(max([MIN_READY, *ends]), LONGEST_PROOF)


def safe_strategy(strategy: Obj, replicas: int) -> Obj | None:
    """A rolling strategy that keeps one replica, where the present one would stop them all.

    ``None`` where the strategy keeps at least one replica, and for ``Recreate``: that one is chosen
    where two revisions cannot run side by side (a volume or a device only one may hold).
    """
    rolling = table(strategy, "rollingUpdate")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate" or replicas < 1:
        return None
    if share(rolling.get("maxUnavailable", "25%"), replicas, up=False) < replicas:
        return None
    surge = rolling.get("maxSurge", "25%")
    kept = surge if share(surge, replicas, up=True) > 0 else 1
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": kept}}


def fitted(strategy: Obj, replicas: int, pods: int) -> Obj | None:
    """The rolling strategy with no more extra replicas than ``pods``, which is what quotas let in.

    ``None`` where it asks for no more, and where none may be missing either: then nothing can make
    room, and how few may serve is not for a roll-out to decide.
    """
    rolling = table(strategy, "rollingUpdate")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return None
    missing = rolling.get("maxUnavailable", "25%")
    none_missing = share(missing, replicas, up=False) < 1
    if share(rolling.get("maxSurge", "25%"), replicas, up=True) <= pods:
        return None
    if pods < 1 and none_missing:
        return None
    kept = 0 if none_missing else missing
    how = {"maxSurge": pods, "maxUnavailable": kept}
    return {"type": "RollingUpdate", "rollingUpdate": how}


def share(value: Any, replicas: int, *, up: bool) -> int:
    """An int-or-percent of ``replicas``; percentages of surge round up, of unavailability down."""
    text = str(value)
    if text.endswith("%"):
        exact = int(text[:-1]) * replicas
        return -(-exact // 100) if up else exact // 100
    return int(text)
