"""A stage for faults: a world with real processes below it, and what a case asks of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.deployments.shelf import Shelf
from tests.models.lab import kind, spec
from tests.serving.load import Load
from tests.support import carry_out, make_world
from tools.alerts.base import alerts
from tools.alerts.book import build as build_alerts
from tools.alerts.catalog import TOOLS
from tools.alerts.diagnosing import Diagnosis
from tools.contract import Json
from tools.deployments.rolling_out import RollOut
from tools.fleet import DeploymentSpec, Fleet, ModelSpec
from tools.models.jobs import open_jobs
from tools.observe.sampler import build_sampler
from tools.observe.telemetry import build as build_telemetry
from tools.platforms.local import LocalPlatform
from tools.platforms.local import build as build_local
from tools.platforms.router import Router
from tools.world import World

DIAGNOSE = next(tool for tool in TOOLS if tool.name == "diagnose")


@dataclass(frozen=True)
class Question:
    """What is asked once the fault is there."""

    world: World
    alert: str | None = None
    target: str | None = None

    def answer(self) -> Diagnosis:
        assert DIAGNOSE.read is not None
        found = DIAGNOSE.read(self.world, alert=self.alert, target=self.target)
        assert isinstance(found, Diagnosis)
        return found


@dataclass
class Stage:
    """One case's folder; everything started on it ends with it."""

    home: Path
    ends: ExitStack = field(default_factory=ExitStack)

    def world(self, *models: ModelSpec, **sections: Json) -> World:
        """A world on this machine: local deployments ``digits``, jobs, telemetry, alerts."""
        deployment = DeploymentSpec(
            "digits", "local", "digits", replicas=2, options={"soak": 0.3, "start_timeout": 20}
        )
        fleet = Fleet(
            path=None,
            models={m.name: m for m in models},
            deployments={"digits": deployment},
            platforms={"local": {}},
            sections=sections,
        )
        shelf = Shelf(self.home)
        world = make_world(
            self.home,
            fleet=fleet,
            platforms=lambda w: Router(w, {"local": build_local}),
            registry=lambda _w: shelf,
            jobs=open_jobs,
            more={"alerts": build_alerts, "telemetry": build_telemetry},
        )
        self.ends.callback(_stop, world)
        return world

    def job(self, more: str = "", *, workers: int = 1, **params: Any) -> tuple[World, str]:
        """A world with a training job of a model whose code holds ``more``; it is started."""
        world = self.world(kind(self.home / "team", more))
        wanted = spec(world, "team", **params)
        from dataclasses import replace

        started = world.jobs.launch(replace(wanted, workers=workers), "bench")
        return world, started.name

    def served(self, *kinds: str) -> tuple[World, Shelf]:
        """A world whose deployment went through versions of these kinds, one after the other."""
        world = self.world()
        shelf = world.registry
        assert isinstance(shelf, Shelf)
        for number, name in enumerate(kinds, start=1):
            shelf.add(name)
            carry_out(world, RollOut, f"roll-{number}", deployment="digits", version=str(number))
        return world, shelf

    def load(self, world: World, requests: int = 60, seconds: float = 25.0) -> None:
        """Send requests to the deployment and wait for the answers."""
        endpoint = world.platforms.named("local").status("digits").endpoint
        assert endpoint is not None
        with Load(int(endpoint.rsplit(":", 1)[1]), "digits", clients=2, keep=False) as load:
            deadline = time.monotonic() + seconds
            while load.answered + len(load.failures) < requests and time.monotonic() < deadline:
                time.sleep(0.05)

    def watched_load(self, world: World, ticks: int) -> None:
        """Send requests while the service's sampler looks on, so many times."""
        endpoint = world.platforms.named("local").status("digits").endpoint
        assert endpoint is not None
        sampler = build_sampler(world, rules=False, interval=timedelta(seconds=0.1))
        with Load(int(endpoint.rsplit(":", 1)[1]), "digits", clients=2, keep=False):
            for _ in range(ticks):
                time.sleep(0.8)
                sampler.tick()

    def close(self) -> None:
        self.ends.close()


def _stop(world: World) -> None:
    platform = world.platforms.named("local")
    assert isinstance(platform, LocalPlatform)
    platform.stop()
    for job in world.jobs.list():
        world.jobs.cancel(job.name, "cleanup")


def until(look: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for something; whether it came."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def ended(world: World, job: str, seconds: float = 90.0) -> None:
    assert until(lambda: world.jobs.status(job).state not in ("pending", "running"), seconds)


def fires(world: World, name: str, seconds: float = 25.0) -> bool:
    """Sample and evaluate the world's own rules until this one fires."""
    sampler = build_sampler(world, interval=timedelta(seconds=0.5))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sampler.tick()
        if any(a.name == name for a in alerts(world).alerts("firing")):
            return True
        time.sleep(0.5)
    return False


def fire(
    world: World,
    name: str,
    *,
    state: str = "firing",
    source: str = "rules",
    began: datetime | None = None,
    **labels: str,
) -> None:
    """Deliver an alert as a webhook would."""
    now = datetime.now(UTC)
    document = {
        "status": state,
        "labels": {"alertname": name, "severity": "warning", **labels},
        "annotations": {"summary": name},
        "startsAt": (began or now - timedelta(seconds=30)).isoformat(),
        "endsAt": now.isoformat() if state == "resolved" else "0001-01-01T00:00:00Z",
    }
    alerts(world).receive({"version": "4", "alerts": [document]}, source)


Injector = Callable[[Stage], "Iterator[Question]"]


@dataclass(frozen=True)
class Case:
    """A fault with the causes that name it, or a control with none."""

    name: str
    inject: Callable[[Stage], AbstractContextManager[Question]]
    expect: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def control(self) -> bool:
        return not self.expect


@dataclass(frozen=True)
class Outcome:
    """What the diagnosis made of a case."""

    case: Case
    answer: Diagnosis | None
    seconds: float
    skipped: str = ""

    @property
    def top(self) -> str:
        if self.answer is None:
            return "-"
        if self.answer.follows:
            return f"follows {self.answer.subject}"
        named = self.answer.verdict in ("cause", "uncertain") and self.answer.suspects
        return self.answer.suspects[0].id if named else self.answer.verdict

    @property
    def right(self) -> bool:
        """A fault is named first; a control is not blamed."""
        if self.answer is None:
            return False
        if self.case.control:
            return self.answer.verdict in ("healthy", "unknown")
        return self.top in self.case.expect


class Skip(Exception):
    """This machine cannot carry the case; the reason is shown."""


def play(case: Case, home: Path) -> Outcome:
    """Inject, ask, clean up."""
    stage = Stage(home)
    try:
        with case.inject(stage) as question:
            begun = time.monotonic()
            answer = question.answer()
            return Outcome(case, answer, time.monotonic() - begun)
    except Skip as reason:
        return Outcome(case, None, 0.0, str(reason))
    finally:
        stage.close()
