"""Canary on plain Deployments: a second Deployment behind the same Service, judged step by step.

``NAME-canary`` has the labels of NAME and one more, so that the Service sends it its share by
replica count. Everything the canary needs to go on is an annotation on it: whichever Steward holds
its lease drives it, and when that one dies the stable revision still has all its replicas.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from threading import Thread

from tools.contract import Act
from tools.errors import Refused, ToolError
from tools.platforms.base import RollOut
from tools.platforms.canary import judge
from tools.platforms.kubernetes_canary_state import (
    STATE,
    SUFFIX,
    Bench,
    State,
    manifest,
    size,
    state_of,
)
from tools.platforms.kubernetes_edits import ENDED, template_digest
from tools.platforms.kubernetes_errors import Conflict, Exists
from tools.platforms.kubernetes_logs import as_traffic, heard
from tools.platforms.kubernetes_objects import (
    ACTION,
    ACTIONS,
    Obj,
    actions_of,
    at,
    name_of,
    namespace_of,
    with_action,
)
from tools.platforms.kubernetes_pace import pace
from tools.platforms.kubernetes_reading import Reader
from tools.platforms.kubernetes_request import MERGE_PATCH, api_path
from tools.platforms.kubernetes_status import status
from tools.platforms.kubernetes_template import Shape
from tools.platforms.kubernetes_view import complete, counts
from tools.serving.metrics import Counters

LEASE = 20.0
"""Seconds after which a driver that says nothing has lost its canary."""


class Canaries:
    """Starts, drives and ends canaries on one cluster."""

    def __init__(
        self,
        reader: Reader,
        shape: Callable[[Obj], Shape],
        traffic: Callable[[Obj], Counters | None],
        promote: Callable[[Obj, RollOut, str], None],
    ) -> None:
        self._reader = reader
        self._shape = shape
        self._traffic = traffic
        self._promote = promote
        self._me = uuid.uuid4().hex[:12]

    def of(self, work: Obj) -> Obj | None:
        """The canary of a Deployment, if one is under way."""
        if work["kind"] != "Deployment":
            return None
        path = api_path("apps/v1", namespace_of(work), "deployments", name_of(work) + SUFFIX)
        found = self._reader.api.find(path)
        if found is None or state_of(found) is None:
            return None
        return {**found, "kind": "Deployment"}

    def start(self, work: Obj, edit: RollOut, act: Act) -> str:
        """Make the canary Deployment with its first step, and begin to drive it."""
        state = State(
            action=act.id,
            replicas=edit.replicas,
            steps=tuple(edit.steps),
            pause=edit.pause.total_seconds(),
            min_requests=edit.min_requests,
            max_error_rate=edit.max_error_rate,
            max_slowdown=edit.max_slowdown,
            release=asdict(edit.release),
        )
        made = manifest(work, edit, state, self._shape(work))
        path = api_path("apps/v1", namespace_of(work), "deployments")
        try:
            self._reader.api.create(path, made)
        except Exists:
            self._same(work, act)
        self.drive(work)
        first = size(edit.steps[0], edit.replicas)
        return f"A canary of {first} replicas stands beside {name_of(work)}; it is judged step by step."

    def _same(self, work: Obj, act: Act) -> None:
        there = self.of(work)
        state = state_of(there) if there else None
        if state is None or state.action != act.id:
            raise Refused(
                f"{name_of(work)} has a canary under way already; wait for it or abort it.",
                f"{name_of(work)} 已有正在进行的灰度发布；请等待其完成或中止它。",
            )

    def pause(self, canary: Obj, wanted: bool) -> None:
        """Hold the canary at its step, or let it go on."""
        for _ in range(5):
            state = state_of(canary)
            if state is None or state.paused is wanted:
                return
            try:
                self._write(canary, replace(state, paused=wanted))
            except Conflict:
                canary = self._reader.again(canary)
            else:
                return

    def end(self, work: Obj, canary: Obj, reason: str) -> None:
        """Remove the canary; ``reason`` stays on the Deployment until its next edit."""
        state = state_of(canary)
        if reason and state is not None:
            ended = json.dumps({"template": template_digest(work), "reason": reason})
            kept = with_action(work, state.action)
            notes = {ACTION: kept[ACTION], ACTIONS: kept[ACTIONS], ENDED: ended}
            body = {"metadata": {"annotations": notes}}
            self._reader.api.patch(self._reader.path(work), body, kind=MERGE_PATCH)
        self._reader.api.delete(self._reader.path(canary), at(canary, "metadata", "uid"))

    def drive(self, work: Obj) -> None:
        """Drive the canary of ``work`` in the background of this process."""
        Thread(
            target=self._drive, args=(work,), daemon=True, name=f"canary {name_of(work)}"
        ).start()

    def _drive(self, work: Obj) -> None:
        bench = Bench(self._traffic(work))
        while True:
            try:
                if not self._tick(self._reader.again(work), bench):
                    return
            except Conflict:
                pass  # somebody paused or resumed it; look again
            except ToolError:
                bench.held()
                bench.misses += 1
                if bench.misses > 120:
                    return  # the lease runs out; another Steward, or a person, goes on
            time.sleep(1.0)

    def _tick(self, work: Obj, bench: Bench) -> bool:
        canary = self.of(work)
        state = state_of(canary) if canary else None
        if canary is None or state is None:
            return False
        if state.driver not in ("", self._me) and time.time() - state.renewed < LEASE:
            return False
        if state.driver != self._me or time.time() - state.renewed > LEASE / 4:
            state = replace(state, driver=self._me, renewed=time.time())
            canary = self._write(canary, state)
        if state.paused:
            bench.held()
            return True
        if state.promoting:
            return self._finish(work, canary, state)
        return self._step(work, canary, state, bench)

    def _step(self, work: Obj, canary: Obj, state: State, bench: Bench) -> bool:
        if not counts(canary).seen:  # its controller looks at what was written within moments
            return True
        view = self._reader.view(canary)
        seen = status(view, "")
        there = seen.phase == "complete" and seen.ready >= seen.wanted
        late = bench.waited(state.step, seen.ready) > pace(canary).patience.total_seconds()
        ill = seen.phase in ("failed", "degraded") or (late and not there)
        if not ill and not there:
            return True
        stable = bench.since_start(self._traffic(work), state.min_requests)
        ruling = judge(
            state.plan,
            new=as_traffic(self._traffic(canary)),
            stable=as_traffic(stable),
            healthy=not ill,
            unhealthy_cause=heard(self._reader.api, view, seen).message if ill else "",
            pauses=bench.lasted(state.step) / max(state.pause, 0.01),
        )
        share = f"{state.steps[state.step]:.0%}"
        if ruling.go == "roll_back":
            self.end(work, canary, f"canary rolled back at {share}: {ruling.reason}")
            return False
        if ruling.go == "continue":
            self._onward(work, canary, state)
        return True

    def _onward(self, work: Obj, canary: Obj, state: State) -> None:
        following = state.step + 1
        if following >= len(state.steps) or state.steps[following] >= 1:
            self._write(canary, replace(state, promoting=True))
            self._promote(work, state.plan, state.action)
            return
        wanted = size(state.steps[following], state.replicas)
        self._write(canary, replace(state, step=following), replicas=wanted)

    def _finish(self, work: Obj, canary: Obj, state: State) -> bool:
        if state.action not in actions_of(work):  # its former driver died on the threshold
            self._promote(work, state.plan, state.action)
            return True
        view = self._reader.view(work)
        seen = status(view, "")
        if complete(counts(work)) and seen.phase == "complete":
            self.end(work, canary, "")
            return False
        if seen.phase == "failed":
            self.end(work, canary, f"the roll-out after the canary failed: {seen.message}")
            return False
        return True

    def _write(self, canary: Obj, state: State, replicas: int | None = None) -> Obj:
        body: Obj = {
            "metadata": {
                "resourceVersion": at(canary, "metadata", "resourceVersion"),
                "annotations": {STATE: json.dumps(asdict(state), sort_keys=True)},
            }
        }
        if replicas is not None:
            body["spec"] = {"replicas": replicas}
        reply = self._reader.api.patch(self._reader.path(canary), body, kind=MERGE_PATCH)
        return {**reply.object, "kind": "Deployment"}
