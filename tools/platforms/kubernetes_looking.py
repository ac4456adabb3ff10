"""Looking at one cluster: statuses, history, logs, events, traffic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tools.contract import Json
from tools.platforms.base import (
    LogLine,
    PlatformEvent,
    Revision,
    RollOut,
    Status,
    Traffic,
)
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_canary import Canaries
from tools.platforms.kubernetes_canary_state import state_of
from tools.platforms.kubernetes_canary_view import Quiet, with_canary
from tools.platforms.kubernetes_changes import Editor
from tools.platforms.kubernetes_connection import MANAGER
from tools.platforms.kubernetes_edits import ENDED, fingerprint, template_digest
from tools.platforms.kubernetes_evidence import events_since
from tools.platforms.kubernetes_logs import as_traffic, heard, read_counters, read_logs
from tools.platforms.kubernetes_nodes import Machines
from tools.platforms.kubernetes_objects import Obj, edited_by, name_of, namespace_of, note
from tools.platforms.kubernetes_reading import OWN, Reader
from tools.platforms.kubernetes_status import status
from tools.platforms.kubernetes_template import Shape, shape_of
from tools.platforms.kubernetes_view import View
from tools.serving.metrics import Counters

if TYPE_CHECKING:
    from tools.fleet import DeploymentSpec


_NONE: Mapping[str, Json] = {}


def ref_of(work: Obj) -> str:
    """``namespace/name``."""
    return f"{namespace_of(work)}/{name_of(work)}"


def _marked(work: Obj, seen: Status) -> Status:
    """The status with what tells another's edit from an action's."""
    if work["kind"] not in OWN:
        return seen
    return replace(seen, template=fingerprint(work), edited_by=edited_by(work, MANAGER))


class Looking:
    """The reading half of the platform contract over one API server."""

    def __init__(
        self,
        name: str,
        api: Api,
        namespaces: Sequence[str] = (),
        specs: Sequence[DeploymentSpec] = (),
        drain_patience: timedelta = timedelta(minutes=10),
    ) -> None:
        self._name = name
        self.api = api
        self._specs = {spec.ref: spec for spec in specs}
        self._reader = Reader(api, namespaces)
        self._editor = Editor(self._reader, self._shape)
        self._canaries = Canaries(self._reader, self._shape, self._counted, self._promote)
        self._machines = Machines(api, drain_patience)

    @property
    def name(self) -> str:
        """Its name in steward.yaml."""
        return self._name

    def deployments(self) -> Sequence[Status]:
        """Every workload of the namespaces; canaries are part of what they stand beside."""
        found: list[Status] = []
        beside: dict[str, View] = {}
        for view in self._reader.views():
            if state_of(view.workload) is not None:
                beside[ref_of(view.workload).removesuffix("-canary")] = view
            else:
                found.append(self._status(view))
        return [with_canary(s, beside[s.ref]) if s.ref in beside else s for s in found]

    def status(self, ref: str) -> Status:
        """One workload, with the named cause of what holds it up."""
        work = self._reader.workload(self._full(ref))
        view = self._reader.view(work)
        seen = heard(self.api, view, self._status(view))
        canary = self._canaries.of(work)
        return seen if canary is None else with_canary(seen, self._reader.view(canary))

    def _status(self, view: View) -> Status:
        spec = self._specs.get(ref_of(view.workload))
        options: Mapping[str, Json] = spec.options if spec else _NONE
        endpoint = options.get("endpoint")
        container = options.get("container")
        seen = status(
            view,
            self._name,
            container=str(container) if container else None,
            endpoint=str(endpoint) if endpoint else None,
        )
        ended: Any = json.loads(note(view.workload, ENDED) or "{}")
        if ended.get("template") == template_digest(view.workload):
            return replace(seen, phase="failed", message=str(ended["reason"]))
        return _marked(view.workload, seen)

    def history(self, ref: str) -> Sequence[Revision]:
        """The revisions that the cluster keeps (``revisionHistoryLimit``), newest first."""
        work = self._reader.workload(self._full(ref))
        kept = work["kind"] in ("Deployment", "Rollout", "InferenceService")
        return self._editor.history(work) if kept else []

    def logs(
        self, ref: str, *, since: timedelta, limit: int = 500, previous: bool = False
    ) -> Sequence[LogLine]:
        """Log lines of its pods, oldest first; ``previous`` reads the run before a crash."""
        work = self._reader.workload(self._full(ref))
        return read_logs(
            self.api,
            self._reader.pods(work),
            container=self._shape(work).container,
            since=since,
            limit=limit,
            previous=previous,
        )

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        """Events of the workload, its ReplicaSets and pods; of everything for ``None``."""
        if ref is None:
            every = [e for s in self._reader.scopes for e in events_since(self.api, s, since)]
            return sorted(every, key=lambda e: e.at)
        work = self._reader.workload(self._full(ref))
        name = name_of(work)
        names = {name, *(p.name for p in self._reader.pods(work))}
        if work["kind"] == "Deployment":
            names |= {name_of(s) for s in self._reader.replica_sets(work)}
        found = events_since(self.api, namespace_of(work), since)
        return [
            e
            for e in found
            if (about := e.target.partition("/")[2]) in names or about.startswith(f"{name}-")
        ]

    def traffic(self, ref: str) -> Mapping[int, Traffic]:
        """Revision → counters from the pods' own metrics; empty where there are none."""
        work = self._reader.workload(self._full(ref))
        view = self._reader.view(work)
        found: dict[int, Traffic] = {}
        for digest, revision in view.revisions.items():
            own = [p for p in view.pods if p.hash == digest]
            seen = as_traffic(read_counters(self.api, own, self._port(work)))
            if seen is not None:
                found[revision] = seen
        canary = self._canaries.of(work)
        counted = as_traffic(self._counted(canary)) if canary else None
        if counted is not None:
            found[view.revision + 1] = counted
        return found

    def _full(self, ref: str) -> str:
        if "/" in ref:
            return ref
        known = [r for r, spec in self._specs.items() if spec.name == ref and spec.namespace]
        if len(known) == 1:
            return known[0]
        only = self._reader.namespaces
        return f"{only[0]}/{ref}" if len(only) == 1 else ref

    def _shape(self, work: Obj) -> Shape:
        spec = self._specs.get(ref_of(work))
        return shape_of(spec.options if spec else _NONE)

    def _port(self, work: Obj) -> str:
        spec = self._specs.get(ref_of(work))
        return str((spec.options if spec else _NONE).get("metrics_port") or "metrics")

    def _counted(self, work: Obj) -> Counters | None:
        return read_counters(self.api, self._reader.pods(work), self._port(work))

    def _promote(self, work: Obj, plan: RollOut, action_id: str) -> None:
        self._editor.edit(work, replace(plan, strategy="rolling"), Quiet(action_id))
