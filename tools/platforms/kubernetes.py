"""Kubernetes as a platform: Deployments, StatefulSets, DaemonSets and nodes of one cluster.

In steward.yaml::

    platforms:
      kube: {kind: kubernetes, context: prod, namespaces: [ml]}

Options: ``kubeconfig`` and ``context``, or ``in_cluster: true``; ``namespaces`` (empty: all, which
needs a ClusterRole); ``timeout`` in seconds. A deployment's ``options`` say how releases are written
into its template; see :class:`kubernetes_edits.Shape`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from tools.contract import Act, Happened, Json
from tools.errors import BadArguments, Refused
from tools.platforms import kubernetes_edits as edits
from tools.platforms.base import (
    Edit,
    LogLine,
    Node,
    Pause,
    PlatformEvent,
    Preview,
    Resume,
    Revision,
    RollBack,
    RollOut,
    Status,
    Traffic,
)
from tools.platforms.kubernetes_api import Access, Api
from tools.platforms.kubernetes_canary import Canaries, State, state_of
from tools.platforms.kubernetes_causes import CRASH
from tools.platforms.kubernetes_changes import Editor, happened
from tools.platforms.kubernetes_edits import ENDED, Shape
from tools.platforms.kubernetes_logs import as_traffic, last_words, read_counters, read_logs
from tools.platforms.kubernetes_nodes import Machines
from tools.platforms.kubernetes_objects import Obj, at, name_of, namespace_of, note, number
from tools.platforms.kubernetes_reading import Reader
from tools.platforms.kubernetes_status import View, status
from tools.serving.metrics import Counters

if TYPE_CHECKING:
    from tools.fleet import DeploymentSpec
    from tools.world import World


class Kubernetes:
    """A ``Cluster`` over one API server."""

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
                beside[_ref(view.workload).removesuffix("-canary")] = view
            else:
                found.append(self._status(view))
        return [_with_canary(s, beside[s.ref]) if s.ref in beside else s for s in found]

    def status(self, ref: str) -> Status:
        """One workload, with the named cause of what holds it up."""
        work = self._reader.workload(self._full(ref))
        view = self._reader.view(work)
        seen = self._heard(view, self._status(view))
        canary = self._canaries.of(work)
        return seen if canary is None else _with_canary(seen, self._reader.view(canary))

    def _status(self, view: View) -> Status:
        spec = self._specs.get(_ref(view.workload))
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
        if ended.get("generation") == at(view.workload, "metadata", "generation"):
            return replace(seen, phase="failed", message=str(ended["reason"]))
        return seen

    def _heard(self, view: View, seen: Status) -> Status:
        """The status with the last words of a crashed container, which name the reason best."""
        if not seen.message.startswith(CRASH) or "cannot start" in seen.message:
            return seen
        for pod in view.fresh:
            for box in pod.boxes:
                if not pod.ready and (box.restarts or box.stage == "terminated"):
                    said = last_words(self.api, pod, box.name)
                    return replace(seen, message=f"{seen.message}: {said}"[:400]) if said else seen
        return seen

    def history(self, ref: str) -> Sequence[Revision]:
        """The revisions that the cluster keeps (``revisionHistoryLimit``), newest first."""
        work = self._reader.workload(self._full(ref))
        return self._editor.history(work) if work["kind"] == "Deployment" else []

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
            every = [e for s in self._reader.scopes for e in self._reader.events(s, since)]
            return sorted(every, key=lambda e: e.at)
        work = self._reader.workload(self._full(ref))
        name = name_of(work)
        names = {name, *(p.name for p in self._reader.pods(work))}
        if work["kind"] == "Deployment":
            names |= {name_of(s) for s in self._reader.replica_sets(work)}
        found = self._reader.events(namespace_of(work), since)
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

    def preview(self, ref: str, edit: Edit) -> Preview:
        """The server's dry run as a diff, with its warnings."""
        work = self._reader.workload(self._full(ref))
        canary = self._canaries.of(work)
        if canary is not None:
            self._free(work, edit)
            if isinstance(edit, Pause | Resume):
                words = ("going on", "paused")
                before = isinstance(edit, Resume)
                return Preview(f"- canary: {words[before]}\n+ canary: {words[not before]}")
        return self._editor.preview(work, edit)

    def edit(self, ref: str, edit: Edit, act: Act) -> str:
        """Send the edit to the API server, once."""
        work = self._reader.workload(self._full(ref))
        canary = self._canaries.of(work)
        if canary is not None:
            self._free(work, edit, act.id)
            if isinstance(edit, Pause | Resume):
                return self._hold(work, canary, edit)
            if isinstance(edit, RollBack):
                self._canaries.end(work, canary, "")
        if isinstance(edit, RollOut) and edit.strategy == "canary":
            return self._begin(work, edit, act)
        return self._editor.edit(work, edit, act)

    def _begin(self, work: Obj, edit: RollOut, act: Act) -> str:
        if happened(work, act.id) is Happened.YES:
            return f"{name_of(work)} carries this action already."
        self._editor.preview(work, edit)
        return self._canaries.start(work, edit, act)

    def _free(self, work: Obj, edit: Edit, action_id: str = "") -> None:
        canary = self._canaries.of(work)
        state = state_of(canary) if canary else None
        if isinstance(edit, Pause | Resume | RollBack) or state is None:
            return
        if state.action != action_id:
            raise Refused(
                f"{name_of(work)} has a canary under way; wait for it, or abort it by rolling back.",
                f"{name_of(work)} 正在灰度发布；请等待其完成，或回滚以中止它。",
            )

    def _hold(self, work: Obj, canary: Obj, edit: Pause | Resume) -> str:
        self._canaries.pause(canary, isinstance(edit, Pause))
        if isinstance(edit, Resume):
            self._canaries.drive(work)
            return f"The canary of {name_of(work)} goes on."
        return f"The canary of {name_of(work)} stays at its step."

    def abort(self, ref: str, act: Act) -> str:
        """Stop the roll-out in progress and return to the stable revision."""
        work = self._reader.workload(self._full(ref))
        canary = self._canaries.of(work)
        if canary is not None:
            self._editor.send(work, lambda now: edits.replace(now, act.id), act)
            self._canaries.end(work, canary, "")
            return f"The canary of {name_of(work)} is removed; the stable revision serves alone."
        if happened(work, act.id) is Happened.YES:
            return f"{name_of(work)} carries this action already."
        return self._editor.edit(work, RollBack(self._editor.stable(work)), act)

    def happened(self, ref: str, action_id: str) -> Happened:
        """Does the workload, or its canary, carry the action?"""
        try:
            work = self._reader.workload(self._full(ref))
        except BadArguments:
            return Happened.UNSURE  # it was deleted since; nothing is left to ask
        canary = self._canaries.of(work)
        if canary is not None and happened(canary, action_id) is Happened.YES:
            return Happened.YES
        return happened(work, action_id)

    def nodes(self) -> Sequence[Node]:
        """Every node."""
        return self._machines.list()

    def set_schedulable(self, node: str, schedulable: bool, act: Act) -> str:
        """Cordon or uncordon."""
        return self._machines.set_schedulable(node, schedulable, act)

    def drain_preview(self, node: str) -> Preview:
        """Which pods would be evicted and what blocks them."""
        return self._machines.drain_preview(node)

    def drain(self, node: str, act: Act) -> str:
        """Cordon and evict, respecting disruption budgets."""
        return self._machines.drain(node, act)

    def node_happened(self, node: str, action_id: str) -> Happened:
        """Does the node carry the action?"""
        return self._machines.happened(node, action_id)

    def _full(self, ref: str) -> str:
        if "/" in ref:
            return ref
        known = [r for r, spec in self._specs.items() if spec.name == ref and spec.namespace]
        if len(known) == 1:
            return known[0]
        only = self._reader.namespaces
        return f"{only[0]}/{ref}" if len(only) == 1 else ref

    def _shape(self, work: Obj) -> Shape:
        spec = self._specs.get(_ref(work))
        given = {k: v for k, v in (spec.options if spec else _NONE).items() if k in _SHAPE and v}
        return Shape(**cast("dict[str, Any]", given))

    def _port(self, work: Obj) -> str:
        spec = self._specs.get(_ref(work))
        return str((spec.options if spec else _NONE).get("metrics_port") or "metrics")

    def _counted(self, work: Obj) -> Counters | None:
        return read_counters(self.api, self._reader.pods(work), self._port(work))

    def _promote(self, work: Obj, plan: RollOut, action_id: str) -> None:
        self._editor.edit(work, replace(plan, strategy="rolling"), _Quiet(action_id))


class _Quiet:
    """The act of a canary's last step: the approval covered it, nobody waits for its reports."""

    def __init__(self, action_id: str) -> None:
        self.id = action_id

    def progress(
        self, text: str, fraction: float | None = None, eta: timedelta | None = None
    ) -> None:
        """Nobody listens."""

    def check(self) -> None:
        """Stopping a canary is aborting it."""


_NONE: Mapping[str, Json] = {}
_SHAPE = ("container", "image", "artifact", "env", "min_ready")


def _ref(work: Obj) -> str:
    return f"{namespace_of(work)}/{name_of(work)}"


def _with_canary(stable: Status, view: View) -> Status:
    state = state_of(view.workload)
    assert isinstance(state, State)
    beside = status(view, stable.platform)
    revision = stable.revision + 1
    share = beside.ready / max(1, beside.ready + stable.ready)
    step = f"canary at step {state.step + 1} of {len(state.steps)}"
    trouble = f"; {beside.message}" if beside.phase in ("failed", "degraded") else ""
    return replace(
        stable,
        phase="paused" if state.paused else "progressing",
        message=f"{step}, {share:.0%} of the replicas{trouble}",
        updated=beside.ready,
        action_id=state.action,
        replicas=(*stable.replicas, *(replace(r, revision=revision) for r in beside.replicas)),
        traffic={stable.revision: round(1 - share, 3), revision: round(share, 3)},
    )


def build(world: World, name: str, options: Mapping[str, Json]) -> Kubernetes:
    """The platform of a ``kind: kubernetes`` section of steward.yaml; nothing is contacted yet."""
    spaces = options.get("namespaces")
    access = Access(
        where=name,
        kubeconfig=_text(options.get("kubeconfig")),
        context=_text(options.get("context")),
        in_cluster=options.get("in_cluster") is True,
        timeout=float(str(options.get("timeout") or 10)),
    )
    return Kubernetes(
        name,
        Api(access),
        [str(s) for s in spaces] if isinstance(spaces, list) else [],
        [spec for spec in world.fleet.deployments.values() if spec.platform == name],
        timedelta(seconds=number(options, "drain_seconds") or 600),
    )


def _text(value: Json) -> str | None:
    return str(value) if value else None
