"""How deployments of the test double unfold in time. Nothing runs: looking brings them up to now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tools.platforms.base import (
    Edit,
    Pause,
    Phase,
    PlatformEvent,
    Release,
    Replica,
    Restart,
    Resume,
    Revision,
    RollBack,
    RollOut,
    Scale,
    Traffic,
)
from tools.platforms.canary import judge
from tools.world import Clock

NOTHING = Release(None, None, None, None)


@dataclass
class Faults:
    """What goes wrong, as a test sets it."""

    unavailable: str = ""
    """Every call raises ``Unavailable`` with this reason."""
    lose_answer: bool = False
    """The next edit takes effect, but its answer is lost: ``Unavailable``."""
    unsure: bool = False
    """``happened`` cannot tell."""
    broken: dict[str, str] = field(default_factory=dict[str, str])
    """Version → cause with which its replicas never become ready."""
    start_seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Version → seconds a replica takes to become ready."""
    most_replicas: int = 1000


@dataclass
class Unit:
    """One replica."""

    id: str
    revision: int
    epoch: int
    born: datetime
    ready_at: datetime | None
    crashed: str = ""


@dataclass
class Life:
    """One deployment."""

    uid: str
    generation: int = 0
    target: int = 0
    stable: int = 0
    epoch: int = 0
    wanted: int = 0
    paused: bool = False
    failed: str = ""
    plan: RollOut | None = None
    step: int = 0
    step_since: datetime | None = None
    revisions: list[Revision] = field(default_factory=list[Revision])
    units: list[Unit] = field(default_factory=list[Unit])
    edits: dict[str, str] = field(default_factory=dict[str, str])
    events: list[PlatformEvent] = field(default_factory=list[PlatformEvent])
    action: str | None = None
    serial: int = 0


@dataclass
class Rehearsal:
    """The rules by which the double's replicas come and go."""

    clock: Clock
    start_seconds: float
    faults: Faults = field(default_factory=Faults)
    measured: dict[str, dict[int, Traffic]] = field(default_factory=dict[str, dict[int, Traffic]])

    def release(self, life: Life, number: int) -> Release:
        """The release of a revision."""
        return next((r.release for r in life.revisions if r.number == number), NOTHING)

    def shown(self, life: Life) -> int:
        """The revision that serves."""
        return life.stable if life.failed and life.stable else life.target

    def ready(self, unit: Unit, now: datetime) -> bool:
        """Whether a replica is ready."""
        return unit.ready_at is not None and unit.ready_at <= now

    def new(self, life: Life) -> list[Unit]:
        """Replicas of the goal."""
        return [u for u in life.units if u.revision == life.target and u.epoch == life.epoch]

    def done(self, life: Life) -> bool:
        """Whether it is as wanted."""
        new, now = self.new(life), self.clock.now()
        return len(new) == len(life.units) == life.wanted and all(self.ready(u, now) for u in new)

    def phase(self, life: Life) -> tuple[Phase, str]:
        """Phase and cause."""
        if life.failed:
            return "failed", life.failed
        crashed = [u for u in life.units if u.crashed]
        if crashed:
            return "degraded", f"replica {crashed[0].id} crashed: {crashed[0].crashed}"
        if self.done(life):
            return "complete", "" if life.revisions else "nothing has been rolled out yet"
        if life.paused:
            return "paused", "paused by a person"
        return "progressing", f"{len(self.new(life))} of {life.wanted} replicas updated"

    def replica(self, life: Life, unit: Unit, now: datetime) -> Replica:
        """A replica as the contract words it."""
        ready = self.ready(unit, now)
        state = "crashed" if unit.crashed else "running" if ready else "starting"
        version = self.release(life, unit.revision).version
        return Replica(
            unit.id, ready, unit.revision, version, unit.born, state=state, message=unit.crashed
        )

    def apply(self, life: Life, edit: Edit, action: str) -> None:
        """What an edit does to what is wanted."""
        life.units = [u for u in life.units if not u.crashed]
        match edit:
            case RollOut(release, count):
                life.plan, life.wanted = edit, count
                self.head_for(life, release, action)
            case RollBack(number):
                life.plan = None
                self.head_for(life, self.release(life, number), action)
            case Scale(count):
                life.wanted = count
                life.target, life.failed = self.shown(life), ""
            case Restart():
                life.target, life.failed, life.plan = self.shown(life), "", None
                life.epoch += 1
            case Pause():
                life.paused = True
            case Resume():
                life.paused = False

    def head_for(self, life: Life, release: Release, action: str) -> None:
        """Make a release the goal."""
        shown = self.shown(life)
        life.target, life.failed, life.paused = shown, "", False
        life.step, life.step_since = 0, None
        if self.release(life, shown) == release:
            return
        if life.stable and self.release(life, life.stable) == release:
            life.target = life.stable
            return
        number = len(life.revisions) + 1
        life.revisions.append(Revision(number, release, self.clock.now(), action))
        life.target = number

    def event(self, life: Life, ref: str, kind: str, reason: str, message: str) -> None:
        """Write an event down."""
        level = "warning" if kind == "warning" else "normal"
        life.events.append(PlatformEvent(self.clock.now(), ref, level, reason, message))

    def advance(self, ref: str, life: Life) -> None:
        """Do what the time until now allows, one replica after another."""
        at = max((u.ready_at or u.born for u in life.units), default=self.clock.now())
        while life.revisions and not life.paused and self._move(ref, life, at):
            at = max((u.ready_at or u.born for u in life.units), default=at)
        if not life.failed and self.done(life):
            life.stable = life.target

    def _move(self, ref: str, life: Life, at: datetime) -> bool:
        """One move; false when there is nothing to do yet."""
        now, new = self.clock.now(), self.new(life)
        if life.failed or any(not self.ready(u, now) for u in new):
            return False
        old = [u for u in life.units if u not in new]
        ready = sum(self.ready(u, now) for u in life.units)
        if old and (ready > life.wanted or len(new) >= life.wanted):
            life.units.remove(old[0])
            return True
        if len(new) > life.wanted:
            life.units.remove(new[-1])
            return True
        if len(new) >= life.wanted or not self._may_go_on(ref, life, len(new), bool(old)):
            return False
        return self._start(ref, life, max(at, now) if not new else at)

    def _start(self, ref: str, life: Life, at: datetime) -> bool:
        version = str(self.release(life, life.target).version)
        cause = self.faults.broken.get(version, "")
        if cause:
            self._fail(ref, life, cause)
            return False
        life.serial += 1
        ready = at + timedelta(seconds=self.faults.start_seconds.get(version, self.start_seconds))
        unit = Unit(f"{life.target}-{life.serial}", life.target, life.epoch, at, ready)
        life.units.append(unit)
        return True

    def _fail(self, ref: str, life: Life, cause: str) -> None:
        life.failed = cause
        if life.stable and life.stable != life.target:
            gone = [u for u in life.units if u.revision == life.target]
            life.units = [u for u in life.units if u.revision != life.target]
            for unit in gone[: max(0, life.wanted - len(life.units))]:
                life.units.append(replace(unit, revision=life.stable))
        self.event(life, ref, "warning", "RolloutFailed", cause)

    def _may_go_on(self, ref: str, life: Life, new: int, replacing: bool) -> bool:
        """Whether a canary's step lets one more replica start."""
        plan, now = life.plan, self.clock.now()
        if plan is None or plan.strategy != "canary" or not replacing:
            return True
        share = plan.steps[min(life.step, len(plan.steps) - 1)]
        if new < max(1, round(share * life.wanted)):
            return True
        life.step_since = life.step_since or now
        counted = self.measured.get(ref, {})
        ruling = judge(
            plan,
            new=counted.get(life.target),
            stable=counted.get(life.stable),
            healthy=True,
            unhealthy_cause="",
            pauses=(now - life.step_since) / max(plan.pause, timedelta(milliseconds=1)),
        )
        if ruling.go == "roll_back":
            self._fail(ref, life, f"canary at {share:.0%}: {ruling.reason}")
        if ruling.go != "continue":
            return False
        life.step, life.step_since = life.step + 1, None
        return self._may_go_on(ref, life, new, replacing)
