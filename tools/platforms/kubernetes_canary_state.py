"""What a canary carries about itself, and what its judge remembers."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from tools.platforms.base import Release, RollOut
from tools.platforms.kubernetes_objects import (
    ACTION,
    ACTIONS,
    Obj,
    note,
    table,
)
from tools.platforms.kubernetes_template import Shape, template_for
from tools.serving.metrics import Counters

STATE = "steward.dev/canary"


TRACK = "steward.dev/track"


SUFFIX = "-canary"


@dataclass(frozen=True, slots=True)
class State:
    """Where a canary stands; kept as JSON on its Deployment."""

    action: str
    replicas: int
    steps: Sequence[float]
    pause: float
    min_requests: int
    max_error_rate: float
    max_slowdown: float
    release: Mapping[str, Any]
    step: int = 0
    paused: bool = False
    promoting: bool = False
    driver: str = ""
    renewed: float = 0.0

    @property
    def plan(self) -> RollOut:
        """The roll-out it carries out."""
        return RollOut(
            Release(**self.release),
            self.replicas,
            "canary",
            tuple(self.steps),
            timedelta(seconds=self.pause),
            self.min_requests,
            self.max_error_rate,
            self.max_slowdown,
        )


def state_of(canary: Obj) -> State | None:
    """The state a canary Deployment carries."""
    text = note(canary, STATE)
    if not text:
        return None
    raw: dict[str, Any] = json.loads(text)
    return State(**raw)


def size(share: float, replicas: int) -> int:
    """How many canary replicas stand beside ``replicas`` stable ones at a step."""
    return min(max(1, round(share * replicas)), max(1, replicas))


def manifest(work: Obj, edit: RollOut, state: State, shape: Shape) -> Obj:
    """The second Deployment: the same but for its release, its name and one label."""
    spec: Obj = copy.deepcopy(table(work, "spec"))
    spec["template"] = template_for(work, edit.release, state.action, shape)
    spec["replicas"] = size(edit.steps[0], edit.replicas)
    spec["paused"] = False
    for labels in (
        table(spec, "selector").setdefault("matchLabels", {}),
        table(spec, "template", "metadata").setdefault("labels", {}),
    ):
        labels[TRACK] = "canary"
    meta = table(work, "metadata")
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": meta["name"],
        "uid": meta["uid"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": meta["name"] + SUFFIX,
            "namespace": meta["namespace"],
            "labels": {**table(meta, "labels"), TRACK: "canary"},
            "annotations": {
                ACTION: state.action,
                ACTIONS: state.action,
                STATE: json.dumps(asdict(state), sort_keys=True),
            },
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


class Bench:
    """What the judge remembers: the stable counters at the start, and when each step began."""

    def __init__(self, before: Counters | None) -> None:
        self._before = before
        self._began: dict[int, float] = {}
        self._stood: tuple[int, int] = (-1, -1)
        self._since = 0.0
        self.misses = 0

    def lasted(self, step: int) -> float:
        """Seconds since this step stood as planned."""
        return time.monotonic() - self._began.setdefault(step, time.monotonic())

    def waited(self, step: int, ready: int) -> float:
        """Seconds since this step had fewer or more replicas ready, or was last held up."""
        if self._stood != (step, ready):
            self._stood, self._since = (step, ready), time.monotonic()
        return time.monotonic() - self._since

    def held(self) -> None:
        """It is paused, or nothing can be seen: that time counts against nobody."""
        self._stood = (-1, -1)

    def since_start(self, now: Counters | None, enough: int) -> Counters | None:
        """The stable revision's counters since the start; all of them where those are too few."""
        if now is None or self._before is None or now.requests < self._before.requests:
            return now
        fresh = now.less(self._before)
        return fresh if fresh.requests >= enough else now
