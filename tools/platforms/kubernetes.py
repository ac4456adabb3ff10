"""Kubernetes as a platform: Deployments, StatefulSets, DaemonSets and nodes of one cluster.

In steward.yaml::

    platforms:
      kube: {kind: kubernetes, context: prod, namespaces: [ml]}

Options: ``kubeconfig`` and ``context``, or ``in_cluster: true``; ``namespaces`` (empty: all, which
needs a ClusterRole); ``timeout`` in seconds. A deployment's ``options`` say how releases are written
into its template; see :class:`kubernetes_edits.Shape`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.contract import Act, Happened, Json
from tools.errors import BadArguments, Refused
from tools.platforms import kubernetes_edits as edits
from tools.platforms.base import (
    Edit,
    Node,
    Pause,
    Preview,
    Resume,
    RollBack,
    RollOut,
)
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_canary_state import state_of
from tools.platforms.kubernetes_connection import Access
from tools.platforms.kubernetes_looking import Looking
from tools.platforms.kubernetes_objects import Obj, name_of, number
from tools.platforms.kubernetes_words import happened

if TYPE_CHECKING:
    from tools.world import World


class Kubernetes(Looking):
    """A ``Cluster`` over one API server."""

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
        beside = isinstance(edit, RollOut) and edit.strategy == "canary"
        if isinstance(edit, RollOut) and beside and work["kind"] == "Deployment":
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
