"""The settings a roll-out gives a Deployment so that it keeps serving: strategy, proof, deadline."""

from __future__ import annotations

import json
from typing import Any

from tools.platforms.base import RollOut
from tools.platforms.kubernetes_objects import Obj, at, many, note, number, table
from tools.platforms.kubernetes_template import Shape

MIN_READY = 30
"""Seconds a new replica proves itself before an old one goes, where nobody chose."""
WATCHED = 90
"""Seconds after a start in which a fault shall show before the last old replica has gone."""
LONGEST_PROOF = 150
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
    how = table(after, "strategy")
    chosen = _proof(template, how, edit.replicas) if shape.min_ready is None else shape.min_ready
    wanted = max(chosen, least)
    after["minReadySeconds"] = wanted
    deadline = number(before, "progressDeadlineSeconds")
    if deadline:
        longer = deadline + wanted - least
        after["progressDeadlineSeconds"] = max(deadline, min(longer, 600), wanted + 30)
    return after


def _proof(template: Obj, strategy: Obj, replicas: int) -> int:
    """How long a replica must be watched for a fault to show while old ones can still take over.

    A strategy of few batches lets the old replicas go early, all of them at once where there is
    only one batch; each batch is watched the longer. A liveness probe needs its time to tell.
    """
    probes = [table(box, "livenessProbe") for box in many(template, "spec", "containers")]
    tells = max([_telling(probe) for probe in probes if probe], default=0)
    whole = 0 if strategy.get("type") == "Recreate" else WATCHED + tells
    return min(max(MIN_READY, tells, -(-whole // batches(strategy, replicas))), LONGEST_PROOF)


def _telling(probe: Obj) -> int:
    """Seconds until a liveness probe ends a container that does not live."""
    failures = (number(probe, "periodSeconds") or 10) * (number(probe, "failureThreshold") or 3)
    return number(probe, "initialDelaySeconds") + failures + 5


def room(strategy: Obj, wanted: int) -> tuple[int, int]:
    """How many replicas a Deployment's strategy may add, and how many may be missing meanwhile."""
    if strategy.get("type") == "Recreate":
        return 0, wanted
    rolling = table(strategy, "rollingUpdate")
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    missing = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return (surge, min(missing, wanted)) if surge or missing else (0, min(1, wanted))


def batches(strategy: Obj, wanted: int) -> int:
    """How many batches a Deployment's replicas are replaced in."""
    return max(1, -(-wanted // max(1, sum(room(strategy, wanted)))))


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
