"""What is read besides a workload's own objects when something is wrong: events and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from tools.platforms.base import PlatformEvent
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_box_causes import relapsed
from tools.platforms.kubernetes_errors import Forbidden, Missing
from tools.platforms.kubernetes_objects import at, condition, many, moment, namespace_of
from tools.platforms.kubernetes_owners import read_event
from tools.platforms.kubernetes_refusals import Lost
from tools.platforms.kubernetes_request import PAGE, api_path
from tools.platforms.kubernetes_view import View, complete, counts

LOOKED_AT = 3
"""Pods whose events, and nodes whose state, are read for one status."""


def explained(api: Api, view: View) -> View:
    """The view with the events of its sickest pods, and the nodes that explain the others."""
    numbers = counts(view.workload)
    ill = [p for p in view.pods if not p.ready and not p.over and not p.unscheduled]
    ill.sort(key=lambda p: -p.restarts)
    again = [p for p in view.fresh if any(relapsed(p, b, view.now) for b in p.boxes)]
    asked = [p.uid for p in (*ill, *again) if p.hash == view.newest and not p.deleted][:LOOKED_AT]
    if not complete(numbers) and view.workload["kind"] in ("StatefulSet", "DaemonSet"):
        asked.append(str(at(view.workload, "metadata", "uid")))
    space = str(namespace_of(view.workload))
    nodes = list(dict.fromkeys(p.node for p in reversed(ill) if p.node))[:LOOKED_AT]
    barred = any("taint" in p.unscheduled for p in view.pods)
    return replace(
        view,
        events={uid: events_about(api, space, uid) for uid in asked},
        lost=_lost(api, nodes),
        taints=_taints(api) if barred else (),
    )


def _taints(api: Api) -> tuple[str, ...]:
    """Keys of what keeps pods off the nodes; nothing where nodes may not be read."""
    with suppress(Forbidden):
        return tuple(
            dict.fromkeys(
                str(taint.get("key"))
                for node in api.items(api_path("v1", None, "nodes"), most=PAGE)
                for taint in many(node, "spec", "taints")
                if taint.get("effect") != "PreferNoSchedule"
            )
        )
    return ()


def _lost(api: Api, nodes: Sequence[str]) -> Mapping[str, Lost]:
    found: dict[str, Lost] = {}
    with suppress(Forbidden):  # nodes are cluster-wide; without that right they count as well
        for name in nodes:
            try:
                node = api.get(api_path("v1", None, "nodes", name))
            except Missing:
                found[name] = Lost("the node does not exist any more")
                continue
            ready = condition(node, "Ready")
            if ready.get("status") != "True":
                since = moment(ready.get("lastTransitionTime"))
                found[name] = Lost(str(ready.get("message") or "not ready"), since)
    return found


def events_about(api: Api, namespace: str, uid: str) -> tuple[PlatformEvent, ...]:
    """Events about one object, oldest first."""
    query = {"fieldSelector": f"involvedObject.uid={uid}"}
    items = api.items(api_path("v1", namespace, "events"), query, most=100)
    return tuple(sorted((read_event(e) for e in items), key=lambda e: e.at))


def events_since(api: Api, scope: str | None, since: timedelta) -> list[PlatformEvent]:
    """Events of a namespace (or of all) since then, oldest first."""
    cut = api.now() - since
    items = api.items(api_path("v1", scope, "events"), most=5000)
    return sorted((e for i in items if (e := read_event(i)).at >= cut), key=lambda e: e.at)
