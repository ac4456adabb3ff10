"""Training on a cluster: an Indexed Job with static rendezvous, or a TrainJob where it is known.

Several workers need each other from the start, so torchrun's rendezvous is static and a failure of
one restarts all: measured, this recovers a lost worker in ten seconds, where elastic rendezvous
does not recover at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Act, Happened
from tools.errors import BadArguments
from tools.models.base import JobState
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_causes import pod_cause
from tools.platforms.kubernetes_errors import Exists
from tools.platforms.kubernetes_evidence import events_about
from tools.platforms.kubernetes_objects import (
    ACTION,
    Obj,
    at,
    condition,
    created,
    name_of,
    note,
    number,
)
from tools.platforms.kubernetes_pods import read_pod
from tools.platforms.kubernetes_reading import Reader
from tools.platforms.kubernetes_refusals import Cause
from tools.platforms.kubernetes_request import api_path
from tools.platforms.kubernetes_training import (
    Training,
    manifests,
)


@dataclass(frozen=True, slots=True)
class Run:
    """A training Job now."""

    name: str
    namespace: str
    state: JobState
    succeeded: int
    workers: int
    restarts: int
    cause: str
    action_id: str | None


class Trainings:
    """Starts, watches and cancels training on one cluster."""

    def __init__(self, api: Api, reader: Reader) -> None:
        self._api = api
        self._reader = reader

    def launch(self, training: Training, act: Act) -> Run:
        """Create the Service and the Job; the same action creates them once."""
        act.check()
        service, job = manifests(training, act.id)
        for plural, version, obj in (("services", "v1", service), ("jobs", "batch/v1", job)):
            try:
                self._api.create(api_path(version, training.namespace, plural), obj)
            except Exists:
                there = self._api.get(api_path(version, training.namespace, plural, training.name))
                if note(there, ACTION) != act.id:
                    raise BadArguments(
                        f"There is a {obj['kind']} {training.name} already; choose another name.",
                        f"已经存在名为 {training.name} 的 {obj['kind']}；请换一个名字。",
                    ) from None
        return self.status(training.namespace, training.name)

    def check(self, training: Training) -> None:
        """Have the server check the Job without making it; raises ``Refused`` with its reason."""
        _, job = manifests(training, "preview")
        self._api.create(api_path("batch/v1", training.namespace, "jobs"), job, dry_run=True)

    def find(self, namespace: str, name: str) -> Run | None:
        """The run of that name, if there is one."""
        there = self._api.find(api_path("batch/v1", namespace, "jobs", name))
        return None if there is None else self.status(namespace, name)

    def gone(self, namespace: str, name: str) -> bool:
        """Whether neither the Job nor any of its pods is left."""
        query = {"labelSelector": f"batch.kubernetes.io/job-name={name}"}
        if any(self._api.items(api_path("v1", namespace, "pods"), query)):
            return False
        return self._api.find(api_path("batch/v1", namespace, "jobs", name)) is None

    def status(self, namespace: str, name: str) -> Run:
        """The Job with the named cause of what keeps its workers from running."""
        job = self._api.get(api_path("batch/v1", namespace, "jobs", name))
        query = {"labelSelector": f"batch.kubernetes.io/job-name={name}"}
        pods = [read_pod(p) for p in self._api.items(api_path("v1", namespace, "pods"), query)]
        state, cause = _state(job), str(condition(job, "Failed").get("message") or "")
        for pod in pods if state in ("pending", "running", "failed") else ():
            events = () if pod.unscheduled else events_about(self._api, namespace, pod.uid)
            found: Cause | None = pod_cause(pod, events, {})
            if found is not None and state != "running":
                cause = found.text
                break
        return Run(
            name=name,
            namespace=namespace,
            state=state,
            succeeded=number(job, "status", "succeeded"),
            workers=number(job, "spec", "completions"),
            restarts=sum(p.restarts for p in pods) + number(job, "status", "failed"),
            cause=cause,
            action_id=note(job, ACTION),
        )

    def list(self) -> list[Run]:
        """Jobs that Steward started, newest first."""
        query = {"labelSelector": "steward.dev/job"}
        found = [
            job
            for scope in self._reader.scopes
            for job in self._api.items(api_path("batch/v1", scope, "jobs"), query)
        ]
        found.sort(key=created, reverse=True)
        return [self.status(str(at(j, "metadata", "namespace")), name_of(j)) for j in found[:50]]

    def cancel(self, namespace: str, name: str) -> None:
        """Delete the Job with its pods, and its Service."""
        for version, plural in (("batch/v1", "jobs"), ("v1", "services")):
            path = api_path(version, namespace, plural, name)
            there = self._api.find(path)
            if there is not None:
                self._api.delete(path, str(at(there, "metadata", "uid")))

    def happened(self, namespace: str, name: str, action_id: str) -> Happened:
        """Does a Job of this name carry the action?"""
        there = self._api.find(api_path("batch/v1", namespace, "jobs", name))
        if there is None:
            return Happened.NO
        return Happened.YES if note(there, ACTION) == action_id else Happened.NO


def _state(job: Obj) -> JobState:
    ends: tuple[tuple[str, JobState], ...] = (
        ("Complete", "succeeded"),
        ("Failed", "failed"),
        ("Suspended", "pending"),
    )
    for kind, state in ends:
        if condition(job, kind).get("status") == "True":
            return state
    if number(job, "status", "ready") or number(job, "status", "succeeded"):
        return "running"
    return "pending"
