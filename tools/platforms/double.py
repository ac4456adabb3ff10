"""A platform in memory that obeys the contract, and fails on request. For tests and rehearsals.

Time is the clock's: replicas become ready ``start_seconds`` after they were started, whenever
somebody looks. Nothing runs in the background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from tools.contract import Act, Happened
from tools.errors import Refused, Unavailable, unknown
from tools.platforms.base import (
    Edit,
    LogLine,
    Pause,
    PlatformEvent,
    Preview,
    Restart,
    Resume,
    Revision,
    RollBack,
    RollOut,
    Scale,
    Status,
    Traffic,
)
from tools.platforms.double_life import Life, Rehearsal
from tools.world import Clock


class DoublePlatform:
    """The contract in memory."""

    def __init__(
        self, name: str, refs: Sequence[str], clock: Clock, start_seconds: float = 0.05
    ) -> None:
        self._name = name
        self._clock = clock
        self._play = Rehearsal(clock, start_seconds)
        self._lives = {ref: Life(f"{name}:{ref}") for ref in refs}
        self.faults = self._play.faults
        self.measured = self._play.measured
        """Traffic a test lets the servers report: ref → revision → counters."""
        self.effects: list[tuple[str, str]] = []
        """``(ref, action id)`` of every edit that really changed something, in order."""

    @property
    def name(self) -> str:
        """Its name in steward.yaml."""
        return self._name

    def deployments(self) -> Sequence[Status]:
        """Every deployment."""
        self._answering()
        return [self.status(ref) for ref in self._lives]

    def status(self, ref: str) -> Status:
        """One deployment, brought up to now."""
        life = self._life(ref)
        phase, message = self._play.phase(life)
        now, shown = self._clock.now(), self._play.shown(life)
        namespace, _, bare = ref.rpartition("/")
        ready = [u for u in life.units if self._play.ready(u, now)]
        return Status(
            name=bare,
            namespace=namespace or None,
            platform=self._name,
            uid=life.uid,
            generation=str(life.generation),
            revision=shown,
            release=self._play.release(life, shown),
            wanted=life.wanted,
            ready=len(ready),
            updated=sum(u.revision == shown and u.epoch == life.epoch for u in life.units),
            phase=phase,
            replicas=tuple(self._play.replica(life, u, now) for u in life.units),
            message=message,
            action_id=life.action,
            traffic={
                n: sum(u.revision == n for u in ready) / len(ready)
                for n in sorted({u.revision for u in ready})
            },
        )

    def history(self, ref: str) -> Sequence[Revision]:
        """Revisions, newest first."""
        life = self._life(ref)
        shown = self._play.shown(life)
        return [replace(r, current=r.number == shown) for r in reversed(life.revisions)]

    def logs(
        self, ref: str, *, since: timedelta, limit: int = 500, previous: bool = False
    ) -> Sequence[LogLine]:
        """One line per replica."""
        life, start = self._life(ref), self._clock.now() - since
        lines = [
            LogLine(u.born, u.id, u.crashed or f"INFO serving revision {u.revision}")
            for u in life.units
            if u.born >= start and not previous
        ]
        return lines[-limit:]

    def events(self, ref: str | None, *, since: timedelta) -> Sequence[PlatformEvent]:
        """What happened."""
        start = self._clock.now() - since
        lives = [self._life(ref)] if ref else [self._life(r) for r in self._lives]
        return sorted(
            (e for life in lives for e in life.events if e.at >= start), key=lambda e: e.at
        )

    def traffic(self, ref: str) -> Mapping[int, Traffic]:
        """What the test measured."""
        self._life(ref)
        return dict(self.measured.get(ref, {}))

    def preview(self, ref: str, edit: Edit) -> Preview:
        """What would change."""
        life = self._life(ref)
        self._check(ref, life, edit)
        match edit:
            case RollOut(release, count):
                now = self._play.release(life, self._play.shown(life))
                lines = [f"- version {now.version}", f"+ version {release.version}"]
                if count != life.wanted:
                    lines += [f"- replicas {life.wanted}", f"+ replicas {count}"]
            case RollBack(number):
                lines = [f"- revision {self._play.shown(life)}", f"+ revision {number}"]
            case Scale(count):
                lines = [f"- replicas {life.wanted}", f"+ replicas {count}"]
            case Restart():
                lines = [f"~ replace {life.wanted} replicas"]
            case Pause() | Resume():
                lines = [f"- paused {life.paused}", f"+ paused {not life.paused}"]
        return Preview("\n".join(lines))

    def edit(self, ref: str, edit: Edit, act: Act) -> str:
        """Carry out ``edit`` once per ``act.id``."""
        life = self._life(ref)
        act.check()
        said = f"{type(edit).__name__} of {ref}."
        if act.id in life.edits:
            return life.edits[act.id]
        self._check(ref, life, edit)
        self._play.apply(life, edit, act.id)
        life.generation += 1
        life.action = act.id
        life.edits[act.id] = said
        self.effects.append((ref, act.id))
        self._play.event(life, ref, "normal", type(edit).__name__, said)
        act.progress(said)
        if self.faults.lose_answer:
            self.faults.lose_answer = False
            raise Unavailable(f"{self._name} closed the connection before it answered.")
        return said

    def abort(self, ref: str, act: Act) -> str:
        """Back to the stable revision."""
        life = self._life(ref)
        if act.id in life.edits:
            return life.edits[act.id]
        if self._play.phase(life)[0] not in ("progressing", "paused"):
            raise Refused(f"{ref} has no roll-out in progress; there is nothing to abort.")
        return self.edit(ref, RollBack(life.stable) if life.stable else Scale(0), act)

    def happened(self, ref: str, action_id: str) -> Happened:
        """Whether the edit is there."""
        life = self._life(ref)
        if self.faults.unsure:
            return Happened.UNSURE
        return Happened.YES if action_id in life.edits else Happened.NO

    def kill(self, ref: str, cause: str = "killed by SIGKILL") -> str:
        """Let one ready replica die; returns its id."""
        life, now = self._life(ref), self._clock.now()
        unit = next(u for u in life.units if self._play.ready(u, now))
        unit.crashed, unit.ready_at = cause, None
        self._play.event(life, ref, "warning", "Crashed", f"{unit.id}: {cause}")
        return unit.id

    def _answering(self) -> None:
        if self.faults.unavailable:
            raise Unavailable(f"{self._name} does not answer: {self.faults.unavailable}.")

    def _life(self, ref: str) -> Life:
        self._answering()
        life = self._lives.get(ref)
        if life is None:
            raise unknown("deployment", ref, self._lives, "部署")
        self._play.advance(ref, life)
        return life

    def _check(self, ref: str, life: Life, edit: Edit) -> None:
        busy = self._play.phase(life)[0] in ("progressing", "paused") and life.revisions
        match edit:
            case RollOut() | Scale() | Restart() if busy:
                raise Refused(f"Another change of {ref} is in progress; wait for it.")
            case Scale() | Restart() if not life.revisions:
                raise Refused(f"Nothing was ever rolled out to {ref}; roll out a version first.")
            case RollBack(number) if all(r.number != number for r in life.revisions):
                known = [str(r.number) for r in life.revisions]
                raise unknown(f"revision of {ref}", str(number), known, "修订版")
            case Pause() if not busy or life.paused:
                raise Refused(f"{ref} has no roll-out in progress; there is nothing to pause.")
            case Resume() if not life.paused:
                raise Refused(f"The roll-out of {ref} is not paused; there is nothing to resume.")
            case _:
                pass
        wanted = edit.replicas if isinstance(edit, RollOut | Scale) else 0
        if wanted > self.faults.most_replicas:
            raise Refused(f"{wanted} replicas of {ref} are too many for {self._name}.")
