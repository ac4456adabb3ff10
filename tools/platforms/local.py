"""The platform "this machine": deployments are groups of real server processes.

An edit is a line in ``desired.json`` under the action's id; a keeper process per deployment
(:mod:`tools.platforms.local_keeper`) makes it so and outlives whoever asked. So an edit made by
a Steward that is killed the next moment is carried out all the same, and ``happened`` need only
read what is written.
"""

from __future__ import annotations

import signal
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

from tools.contract import Act, Happened, Json
from tools.errors import Refused, ToolError, unknown
from tools.fleet import DeploymentSpec
from tools.platforms import local_logs
from tools.platforms.base import (
    Edit,
    LogLine,
    PlatformEvent,
    Preview,
    Revision,
    RollBack,
    RollOut,
    Scale,
    Status,
    Traffic,
)
from tools.platforms.local_canary import gather, traffic_of
from tools.platforms.local_edits import (
    check_options,
    describe,
    edited,
    revision_of,
    running,
)
from tools.platforms.local_hiring import await_keeper, hire, keeper_of
from tools.platforms.local_limits import free_port, refuse_missing, refuse_taken, refuse_too_many
from tools.platforms.local_plan import goal
from tools.platforms.local_process import send, strays
from tools.platforms.local_records import Desired, Observed
from tools.platforms.local_state import Folder
from tools.platforms.local_view import difference, moment, status_of, unborn
from tools.platforms.local_watch import orphaned
from tools.world import Clock, World


def build(world: World, name: str, options: Mapping[str, Json]) -> LocalPlatform:  # noqa: ARG001
    """This machine, for the deployments of the fleet that name it."""
    specs = [spec for spec in world.fleet.deployments.values() if spec.platform == name]
    return LocalPlatform(name, specs, world.home, world.clock)


class LocalPlatform:
    """Deployments of steward.yaml that run here. Safe to use from several processes at once."""

    def __init__(
        self, name: str, specs: Sequence[DeploymentSpec], home: Path, clock: Clock
    ) -> None:
        self._name = name
        self._specs = {spec.ref: spec for spec in specs}
        self._home = home / "platforms" / name
        self._clock = clock
        self._keepers: list[Popen[bytes]] = []
        """Those started by this process, so that they are reaped when they end."""

    @property
    def name(self) -> str:
        """Its name in steward.yaml."""
        return self._name

    def deployments(self) -> Sequence[Status]:
        """Every deployment of the fleet on this machine."""
        return [self.status(ref) for ref in self._specs]

    def status(self, ref: str) -> Status:
        """One deployment as its keeper sees it."""
        spec, folder = self._of(ref)
        desired, observed = folder.desired(), folder.observed()
        if desired is None:
            return unborn(spec, self._name)
        kept = keeper_of(observed) is not None
        observed = observed if kept else orphaned(observed)
        return status_of(spec, self._name, desired, observed, kept)

    def history(self, ref: str) -> Sequence[Revision]:
        """Revisions, newest first."""
        _, folder = self._of(ref)
        desired, observed = folder.desired(), folder.observed()
        if desired is None:
            return []
        aim = goal(desired, observed)
        return [
            Revision(r.number, r.release, moment(r.created_at), r.action_id, r.number == aim)
            for r in reversed(desired.revisions)
        ]

    def logs(
        self, ref: str, *, since: timedelta, limit: int = 500, previous: bool = False
    ) -> Sequence[LogLine]:
        """The replicas' logs; ``previous`` those of replicas that are gone."""
        _, folder = self._of(ref)
        living = {r.id for r in folder.observed().replicas}
        start = self._clock.now() - since
        lines: list[LogLine] = []
        for file in sorted(folder.logs.glob("*.log")):
            source = file.name.split(".")[0]
            if source == "keeper" or (source in living) == previous:
                continue
            lines += [x for x in local_logs.read(file, source) if x.at is None or x.at >= start]
        lines.sort(key=lambda line: line.at or start)
        return lines[-limit:]

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        """What the keepers wrote down."""
        start = self._clock.now() - since
        found: list[PlatformEvent] = []
        for name in [ref] if ref else list(self._specs):
            spec, folder = self._of(name)
            for row in folder.observed().events:
                if moment(row.at) >= start:
                    target = spec.ref if row.target == folder.path.name else row.target
                    found.append(
                        PlatformEvent(moment(row.at), target, row.kind, row.reason, row.message)
                    )
        return sorted(found, key=lambda event: event.at)

    def traffic(self, ref: str) -> Mapping[int, Traffic]:
        """Counters of the running servers by revision."""
        _, folder = self._of(ref)
        desired, observed = folder.desired(), folder.observed()
        if desired is None:
            return {}
        counted = gather(observed.replicas, desired, {})
        return {number: traffic_of(counters) for number, counters in sorted(counted.items())}

    def preview(self, ref: str, edit: Edit) -> Preview:
        """What would change, without touching anything; raises when it is impossible."""
        spec, folder = self._of(ref)
        desired, observed = folder.desired(), folder.observed()
        self._refuse(spec, desired, observed, edit)
        before = desired or Desired("", spec.port or 0)
        after = edited(ref, before, observed, edit, "", 0.0)
        warnings: list[str] = []
        if desired and keeper_of(observed) is None and observed.replicas:
            warnings.append("its keeper process is gone; this change starts it anew")
        return Preview("\n".join(difference(before, observed, after, edit)), tuple(warnings))

    def edit(self, ref: str, edit: Edit, act: Act) -> str:
        """Write down what is wanted, under ``act.id``, and see that a keeper works on it."""
        spec, folder = self._of(ref)
        folder.create()
        act.check()
        hired = hire(folder, act.id)
        if hired is not None:
            self._keepers.append(hired)
        with folder.locked():
            desired, observed = folder.desired(), folder.observed()
            done = (
                next((e for e in desired.edits if e.action_id == act.id), None) if desired else None
            )
            if done is None:
                self._refuse(spec, desired, observed, edit)
                if desired is None:
                    desired = Desired(uuid.uuid4().hex, spec.port or self._free_port(spec))
                desired = replace(desired, options=dict(spec.options))
                desired = edited(ref, desired, observed, edit, act.id, self._now())
                folder.write_desired(desired)
        said = describe(edit)
        act.progress(f"{ref}: {said}")
        await_keeper(folder)
        return f"{said[0].upper()}{said[1:]} of {ref}." if done is None else f"{ref}: {said}."

    def abort(self, ref: str, act: Act) -> str:
        """Give up the roll-out in progress: back to the stable revision."""
        _, folder = self._of(ref)
        desired, observed = folder.desired(), folder.observed()
        if desired is not None and any(e.action_id == act.id for e in desired.edits):
            return f"The roll-out of {ref} was aborted."
        if desired is None or not running(desired, observed):
            raise Refused(f"{ref} has no roll-out in progress; there is nothing to abort.")
        if not observed.stable:
            return self.edit(ref, Scale(0), act)
        self.edit(ref, RollBack(observed.stable), act)
        return f"Aborted the roll-out of {ref}; returning to revision {observed.stable}."

    def happened(self, ref: str, action_id: str) -> Happened:
        """Whether the edit of this action was written down."""
        _, folder = self._of(ref)
        try:
            desired = folder.desired()
        except ToolError:
            return Happened.UNSURE
        written = desired is not None and any(e.action_id == action_id for e in desired.edits)
        return Happened.YES if written else Happened.NO

    def _of(self, ref: str) -> tuple[DeploymentSpec, Folder]:
        spec = self._specs.get(ref)
        if spec is None:
            raise unknown("deployment", ref, self._specs, "部署")
        return spec, Folder(self._home / spec.ref.replace("/", "__"))

    def _refuse(
        self, spec: DeploymentSpec, desired: Desired | None, observed: Observed, edit: Edit
    ) -> None:
        check_options(spec.name, dict(spec.options))
        if desired is None and not isinstance(edit, RollOut):
            raise Refused(
                f"Nothing was ever rolled out to {spec.ref}; roll out a version first.",
                f"{spec.ref} 还没有发布过任何版本；请先发布一个版本。",
            )
        match edit:
            case RollOut(release, replicas):
                refuse_missing(spec.ref, release)
                refuse_too_many(spec.ref, replicas, observed, spec.options)
                port = desired.port if desired else spec.port
                ours = any(r.state != "crashed" for r in observed.replicas)
                if port:
                    refuse_taken(spec.ref, port, ours)
            case RollBack(revision) if desired is not None:
                refuse_missing(spec.ref, revision_of(spec.ref, desired, revision).release)
            case Scale(replicas):
                refuse_too_many(spec.ref, replicas, observed, spec.options)
            case _:
                pass

    def _free_port(self, spec: DeploymentSpec) -> int:
        others = [Folder(path).desired() for path in self._home.iterdir() if path.is_dir()]
        return free_port(f"{self._home}/{spec.ref}", [d.port for d in others if d])

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def stop(self) -> None:
        """End every keeper and replica here at once: for leaving a machine, and for tests."""
        for ref in self._specs:
            _, folder = self._of(ref)
            observed = folder.observed()
            keeper = keeper_of(observed)
            if keeper:
                send(keeper, signal.SIGKILL)
            for who in strays(folder.run, ()):
                send(who, signal.SIGKILL)
