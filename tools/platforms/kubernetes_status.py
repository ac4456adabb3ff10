"""From objects to a status: how far a roll-out is, and what holds it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tools.platforms import kubernetes_argo as argo
from tools.platforms import kubernetes_kserve as kserve
from tools.platforms.base import Phase, Status
from tools.platforms.kubernetes_box_causes import relapse
from tools.platforms.kubernetes_causes import pod_cause
from tools.platforms.kubernetes_objects import (
    ACTION,
    Obj,
    at,
    condition,
    moment,
    name_of,
    namespace_of,
    note,
    number,
)
from tools.platforms.kubernetes_pods import Pod
from tools.platforms.kubernetes_refusals import (
    INIT,
    NEVER,
    NODE,
    PROBE,
    STARTING,
    STUCK,
    Cause,
    creation_refused,
    short,
)
from tools.platforms.kubernetes_replicas import replica
from tools.platforms.kubernetes_view import (
    Counts,
    View,
    complete,
    counts,
    release_of,
)

_OWN_PHASES = {argo.KIND: argo.phase, kserve.KIND: kserve.phase}
WATCHED = timedelta(seconds=15)
"""How long a container that was restarted must run before its roll-out counts as complete."""
SHOWN = 1000
"""Replicas listed in one status, at most."""


def status(
    view: View, platform: str, *, container: str | None = None, endpoint: str | None = None
) -> Status:
    """The contract's status of a workload."""
    work, numbers = view.workload, counts(view.workload)
    causes = _causes(view)
    phase, message = _judge(view, numbers, causes)
    alive = [p for p in view.pods if not p.over or p.leaving][:SHOWN]
    counted = work.get("kind") != kserve.KIND  # an InferenceService is ready, or it is not
    return Status(
        name=name_of(work),
        namespace=namespace_of(work),
        platform=platform,
        uid=str(at(work, "metadata", "uid")),
        generation=str(number(work, "metadata", "generation")),
        revision=view.revision,
        release=release_of(work, container),
        wanted=numbers.wanted,
        ready=sum(p.ready for p in alive) if view.pods and counted else numbers.ready,
        updated=numbers.updated if numbers.seen else len(view.fresh),
        phase=phase,
        replicas=tuple(replica(p, view.revisions.get(p.hash, 0), _why(causes, p)) for p in alive),
        message=message,
        action_id=note(work, ACTION),
        endpoint=endpoint,
    )


def _why(causes: Mapping[str, Cause], pod: Pod) -> str:
    return causes[pod.uid].text if pod.uid in causes else ""


def _causes(view: View) -> dict[str, Cause]:
    found: dict[str, Cause] = {}
    for pod in view.pods:
        events = view.events.get(pod.uid, ())
        if pod.ready and pod.node not in view.lost:
            cause = relapse(pod, events, view.now) if pod.hash == view.newest else None
        else:
            cause = pod_cause(pod, events, view.lost, view.taints)
        if cause is not None:
            found[pod.uid] = cause
    return found


def _judge(view: View, numbers: Counts, causes: Mapping[str, Cause]) -> tuple[Phase, str]:
    main = leading(view, causes)
    if view.workload.get("kind") in _OWN_PHASES:
        return _own(view, main)
    if numbers.paused:
        return "paused", main.text if main else "the roll-out is paused"
    if not numbers.seen:
        return "progressing", "the controller has not looked at the change yet"
    if complete(numbers):
        return _settled(view, causes)
    rolled = rolled_out(view, numbers)
    if _progressing(view).get("reason") == "ProgressDeadlineExceeded":
        seconds = number(view.workload, "spec", "progressDeadlineSeconds") or 600
        return "failed", main.text if main else f"no progress within {seconds} s"
    if main is not None and main.final(view.now):
        return ("degraded" if rolled else "failed"), main.text
    done = f"{numbers.updated} of {numbers.wanted} replicas updated, {numbers.available} available"
    return "progressing", main.text if main else done


def _own(view: View, main: Cause | None) -> tuple[Phase, str]:
    """The phase that a custom controller reports, with the cause that its pods show."""
    phase, message = _OWN_PHASES[str(view.workload.get("kind"))](view.workload)
    if phase in ("complete", "paused") or main is None:
        return phase, message
    if main.final(view.now) or phase == "failed":
        return "failed", f"{main.text}; {message}" if message else main.text
    return phase, main.text


def _settled(view: View, causes: Mapping[str, Cause]) -> tuple[Phase, str]:
    lost = [c for p in view.pods if p.node in view.lost and (c := causes.get(p.uid))]
    if lost:
        return "degraded", lost[0].text
    leaving = view.leaving
    stuck = [c for p in leaving if (c := causes.get(p.uid)) and c.final(view.now)]
    if stuck:
        return "degraded", stuck[0].text
    if leaving:
        return "progressing", f"{len(leaving)} old replicas are still terminating"
    again = [b for p in view.fresh for b in p.boxes if b.restarts and b.stage == "running"]
    again = [b for b in again if b.since and view.now - b.since < WATCHED]
    if again:
        return "progressing", f"container {again[0].name} was restarted just now; watching it"
    wanted = counts(view.workload).wanted
    return "complete", "" if wanted else "scaled to zero: nothing runs"


def _progressing(view: View) -> Obj:
    """The Progressing condition, if it is about the newest revision."""
    said = condition(view.workload, "Progressing")
    return said if view.names_newest(str(said.get("message"))) else {}


def rolled_out(view: View, numbers: Counts) -> bool:
    """Whether the newest revision was once complete, so that trouble now is no failed roll-out."""
    if view.workload.get("kind") == "Deployment":
        return _progressing(view).get("reason") == "NewReplicaSetAvailable"
    return numbers.updated == numbers.wanted


def leading(view: View, causes: Mapping[str, Cause]) -> Cause | None:
    """The cause that holds the roll-out up: of the newest revision's pods first."""
    found = _of_fresh(view, causes)
    refused = condition(view.workload, "ReplicaFailure")
    if refused.get("status") == "True" and not found:
        said = creation_refused(str(refused.get("message")), _moved(view) or view.now)
        found.append(
            replace(said, patience=NEVER) if _moving(view, causes) else _slowly(view, said)
        )
    for event in view.events.get(str(at(view.workload, "metadata", "uid")), ()):
        if event.reason == "FailedCreate" and not found:
            found.append(creation_refused(event.message, event.at))
    if not found and not _moving(view, causes):
        found = [
            causes[p.uid] for p in view.pods if p.hash == view.newest and p.over and p.uid in causes
        ]
    found = found or _of_others(view, causes)
    final = [c for c in found if c.final(view.now)]
    return (final or sorted(found, key=lambda c: c.patience) or [None])[0]


def _slowly(view: View, refused: Cause) -> Cause:
    """Where some were let in, leaving ones make room for more; the controller tries ever more rarely."""
    let_in = any(p.ready for p in view.fresh)
    return replace(refused, patience=NEVER) if let_in else refused


def _of_fresh(view: View, causes: Mapping[str, Cause]) -> list[Cause]:
    """Causes of the newest revision's pods; where some were looked at closely, of those."""
    told = [p for p in view.fresh if p.uid in causes]
    close = [p for p in told if p.uid in view.events or p.unscheduled]
    found: list[Cause] = []
    for pod in close or told:
        cause = causes[pod.uid]
        found.append(_awaiting_room(view, causes, cause) if pod.unscheduled else cause)
    return found


def _awaiting_room(view: View, causes: Mapping[str, Cause], cause: Cause) -> Cause:
    """A pod without a place may get that of one that leaves, so it is judged by the standstill."""
    overdue = all(p.deleted and p.deleted < view.now for p in view.leaving)
    if _moving(view, causes) or not overdue:
        return replace(cause, patience=NEVER)
    return replace(cause, since=max(cause.since, _moved(view) or cause.since))


def _of_others(view: View, causes: Mapping[str, Cause]) -> list[Cause]:
    """What other pods suffer from, as news: the controller does not wait for them.

    That earlier ones crash, or are not ready, is often the very reason for the roll-out.
    """
    return [
        cause if p.hash == view.newest and not p.deleted else replace(cause, patience=NEVER)
        for p in view.pods
        if (cause := causes.get(p.uid)) and (cause.name in (NODE, STUCK) or p.hash == view.newest)
    ]


def _moved(view: View) -> datetime | None:
    """When the controller last saw progress."""
    return moment(condition(view.workload, "Progressing").get("lastUpdateTime"))


def _moving(view: View, causes: Mapping[str, Cause]) -> bool:
    """Whether a new replica is on its way, so that one that is held up may yet be let in."""
    wait = timedelta(seconds=number(view.workload, "spec", "minReadySeconds") + 10)
    return any(
        (p.uid not in causes or causes[p.uid].name in (PROBE, INIT, STARTING))
        and (p.ready_since is None or not p.ready or view.now - p.ready_since < wait)
        for p in view.fresh
    )


def summary_of(view: View) -> str:
    """One line of numbers for progress reports."""
    numbers = counts(view.workload)
    return short(
        f"{numbers.updated} of {numbers.wanted} updated, {numbers.available} available,"
        f" {len(view.leaving)} leaving"
    )
