"""What each edit does to what is wanted. Pure: the old state and an edit in, the new one out."""

from __future__ import annotations

from dataclasses import replace

from tools.contract import Json
from tools.errors import BadArguments, Refused, unknown
from tools.platforms.base import (
    Edit,
    Pause,
    Phase,
    Release,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
)
from tools.platforms.local_plan import converged, goal, picture
from tools.platforms.local_records import (
    Desired,
    EditRow,
    Observed,
    RevisionRow,
    Strategy,
)

KEPT_EDITS = 500
KEPT_REVISIONS = 100


def phase(desired: Desired, observed: Observed, kept: bool) -> tuple[Phase, str]:
    """Phase and cause. ``kept`` is whether the keeper runs."""
    ill = [r for r in observed.replicas if r.state in ("crashed", "not ready")]
    causes = "; ".join(dict.fromkeys(f"replica {r.id} {r.state}: {r.message}" for r in ill))
    taken_up = observed.generation == desired.generation
    if taken_up and observed.failed == observed.complete == desired.generation:
        return "failed", observed.message
    done = taken_up and converged(desired, observed)
    if not kept and (desired.replicas or observed.replicas):
        lost = "its keeper process is gone, so nothing heals or advances; any change starts it anew"
        return "degraded", f"{causes}; {lost}" if causes else lost
    if desired.paused and not done:
        return "paused", f"paused with {progress(desired, observed)}"
    if done:
        return "complete", ""
    if taken_up and observed.complete == desired.generation:
        return "degraded", causes or "replicas are missing"
    said = observed.message or progress(desired, observed)
    return "progressing", said


def progress(desired: Desired, observed: Observed) -> str:
    """How far a roll-out is, in words."""
    seen = picture(desired, observed)
    return f"{seen.new_ready} of {desired.replicas} replicas of revision {desired.target} ready"


def running(desired: Desired, observed: Observed) -> bool:
    """Whether a roll-out is under way (or paused) that another must not overrun."""
    return desired.generation > 0 and observed.complete != desired.generation


def refuse_overrun(name: str, desired: Desired, observed: Observed, edit: Edit) -> None:
    """Raise ``Refused`` when ``edit`` would overrun another's roll-out."""
    if isinstance(edit, RollOut | Scale | Restart) and running(desired, observed):
        state = "paused" if desired.paused else "in progress"
        raise Refused(
            f"Another change of {name} is {state} ({progress(desired, observed)}); "
            "wait for it, resume it, or roll it back first.",
            f"{name} 的另一项变更正在进行（{progress(desired, observed)}）；"
            "请等待其完成、继续它，或先回滚。",
        )


def edited(
    name: str, desired: Desired, observed: Observed, edit: Edit, action_id: str, now: float
) -> Desired:
    """The state ``edit`` wants, with its action written into it.

    Raises:
        BadArguments: a revision that does not exist.
        Refused: nothing is there to pause, resume or restart.
    """
    refuse_overrun(name, desired, observed, edit)
    after = _after(name, desired, observed, edit, action_id, now)
    kind = type(edit).__name__
    row = EditRow(action_id, kind, desired.generation + 1, describe(edit))
    return replace(
        after,
        generation=desired.generation + 1,
        action_id=action_id,
        changed_at=now,
        edits=(*desired.edits, row)[-KEPT_EDITS:],
    )


def _after(
    name: str, desired: Desired, observed: Observed, edit: Edit, action_id: str, now: float
) -> Desired:
    match edit:
        case RollOut():
            strategy = Strategy.of(edit)
            shaped = replace(desired, replicas=edit.replicas, strategy=strategy, paused=False)
            return _towards(shaped, observed, edit.release, action_id, now)
        case RollBack(revision):
            release = revision_of(name, desired, revision).release
            shaped = replace(desired, strategy=Strategy(), paused=False)
            return _towards(shaped, observed, release, action_id, now)
        case Scale(replicas):
            return replace(_resting(desired, observed), replicas=replicas)
        case Restart():
            if not desired.replicas:
                raise Refused(f"{name} has no replicas to restart; scale it up first.")
            return replace(
                _resting(desired, observed),
                epoch=desired.epoch + 1,
                strategy=Strategy(),
                rollout_by=action_id,
            )
        case Pause():
            if not running(desired, observed):
                raise Refused(f"{name} has no roll-out in progress; there is nothing to pause.")
            return replace(desired, paused=True)
        case Resume():
            if not desired.paused:
                raise Refused(f"The roll-out of {name} is not paused; there is nothing to resume.")
            return replace(desired, paused=False)


def _resting(desired: Desired, observed: Observed) -> Desired:
    """What is wanted once a failed roll-out is taken as such: the stable revision."""
    aim = goal(desired, observed)
    if aim == desired.target:
        return desired
    epochs = [r.epoch for r in observed.replicas if r.revision == aim]
    return replace(desired, target=aim, epoch=max(epochs, default=desired.epoch))


def _towards(
    desired: Desired, observed: Observed, release: Release, action_id: str, now: float
) -> Desired:
    """Head for ``release``: a new revision, unless it is the one that runs."""
    resting = _resting(desired, observed)
    running_now = resting.release(resting.target) if resting.target else None
    if running_now == release:
        return resting
    if observed.stable and desired.release(observed.stable) == release:
        epochs = [r.epoch for r in observed.replicas if r.revision == observed.stable]
        return replace(
            resting,
            target=observed.stable,
            epoch=max(epochs, default=resting.epoch),
            rollout_by=action_id,
        )
    number = max((r.number for r in desired.revisions), default=0) + 1
    row = RevisionRow(number, release, now, action_id)
    return replace(
        resting,
        target=number,
        rollout_by=action_id,
        revisions=(*desired.revisions, row)[-KEPT_REVISIONS:],
    )


def revision_of(name: str, desired: Desired, number: int) -> RevisionRow:
    """A revision by number; raises ``BadArguments`` with what there is."""
    for row in desired.revisions:
        if row.number == number:
            return row
    raise unknown(
        f"revision of {name}", str(number), [str(r.number) for r in desired.revisions], "修订版"
    )


def describe(edit: Edit) -> str:
    """An edit in one sentence without its subject."""
    match edit:
        case RollOut(release, replicas, strategy):
            return f"rolling out version {release.version} to {replicas} replicas ({strategy})"
        case RollBack(revision):
            return f"rolling back to revision {revision}"
        case Scale(replicas):
            return f"scaling to {replicas} replicas"
        case Restart():
            return "restarting every replica"
        case Pause():
            return "pausing the roll-out"
        case Resume():
            return "resuming the roll-out"


def check_options(name: str, options: dict[str, Json]) -> None:
    """Raise ``BadArguments`` for an option of steward.yaml that cannot be meant."""
    restart = options.get("restart", "never")
    if restart not in ("never", "on-failure"):
        raise BadArguments(
            f"deployments.{name}.options.restart is {restart!r}; write never or on-failure.",
            f"deployments.{name}.options.restart 为 {restart!r}；应为 never 或 on-failure。",
        )
