"""What is wanted and what is there on this machine, in the words of the platform contract."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.fleet import DeploymentSpec
from tools.platforms.base import Edit, Release, Replica, Restart, Status
from tools.platforms.local_edits import phase
from tools.platforms.local_plan import goal, picture
from tools.platforms.local_records import Desired, Observed, ReplicaRow

NOTHING = Release(None, None, None, None)


def status_of(
    spec: DeploymentSpec, platform: str, desired: Desired, observed: Observed, kept: bool
) -> Status:
    """A deployment from what is wanted and what is there; ``kept`` is whether its keeper runs."""
    state, message = phase(desired, observed, kept)
    aim, seen = goal(desired, observed), picture(desired, observed)
    return Status(
        name=spec.name,
        namespace=spec.namespace,
        platform=platform,
        uid=desired.uid,
        generation=str(desired.generation),
        revision=aim,
        release=desired.release(aim) if aim else NOTHING,
        wanted=desired.replicas,
        ready=seen.serving,
        updated=len(seen.new),
        phase=state,
        replicas=tuple(_replica(r, desired) for r in observed.replicas),
        message=message,
        action_id=desired.action_id or None,
        traffic=_shares(observed),
        endpoint=f"http://127.0.0.1:{desired.port}",
    )


def unborn(spec: DeploymentSpec, platform: str) -> Status:
    """A deployment to which nothing was rolled out yet."""
    return Status(
        name=spec.name,
        namespace=spec.namespace,
        platform=platform,
        uid=f"unborn:{spec.ref}",
        generation="0",
        revision=0,
        release=NOTHING,
        wanted=0,
        ready=0,
        updated=0,
        phase="complete",
        replicas=(),
        message="nothing has been rolled out yet",
    )


def _replica(row: ReplicaRow, desired: Desired) -> Replica:
    return Replica(
        id=row.id,
        ready=row.state == "ready" and not row.held,
        revision=row.revision,
        version=desired.release(row.revision).version,
        started_at=moment(row.started_at),
        restarts=row.restarts,
        node=None,
        state="running" if row.state == "ready" else row.state,
        message="takes no traffic yet" if row.held else row.message,
    )


def _shares(observed: Observed) -> dict[int, float]:
    serving = [r.revision for r in observed.replicas if r.state == "ready" and not r.held]
    return {n: serving.count(n) / len(serving) for n in sorted(set(serving))}


def difference(before: Desired, observed: Observed, after: Desired, edit: Edit) -> list[str]:
    """What an edit changes, one ``- before`` / ``+ after`` line each."""
    lines: list[str] = []
    now = goal(before, observed)
    old = before.release(now) if now else NOTHING
    new = after.release(after.target) if after.target else NOTHING
    if old.version != new.version:
        lines += [f"- version {old.version or 'none'}", f"+ version {new.version or 'none'}"]
    for key in sorted({*old.config, *new.config}):
        if now and old.config.get(key) != new.config.get(key):
            lines += [f"- {key} {old.config.get(key)}", f"+ {key} {new.config.get(key)}"]
    if before.replicas != after.replicas:
        lines += [f"- replicas {before.replicas}", f"+ replicas {after.replicas}"]
    if before.paused != after.paused:
        lines += [f"- paused {before.paused}", f"+ paused {after.paused}"]
    if isinstance(edit, Restart):
        lines.append(f"~ replace {before.replicas} replicas, version {old.version} stays")
    return lines or ["(no difference: it runs already)"]


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
