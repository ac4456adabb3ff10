"""What tests share: a world with chosen ports, a controllable clock, an act that records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tools.contract import Change, Outcome, Plan, Tool, Verdict
from tools.errors import Cancelled
from tools.fleet import Fleet
from tools.store import Store
from tools.world import ActionRow, Clock, Ports, SystemClock, World


class FakeClock:
    """Time that moves only when told, or by sleeping."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class NoActions:
    """An empty ledger."""

    def rows(
        self,
        *,
        since: datetime | None = None,
        states: Sequence[str] = (),
        target: str | None = None,
        limit: int = 200,
    ) -> Sequence[ActionRow]:
        return ()

    def row(self, number: int) -> ActionRow | None:
        return None


class RecordingAct:
    """An act with a fixed id that remembers what was reported."""

    def __init__(self, id: str = "test-1") -> None:
        self.id = id
        self.reports: list[str] = []
        self.cancelled = False

    def progress(
        self, text: str, fraction: float | None = None, eta: timedelta | None = None
    ) -> None:
        self.reports.append(text)

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled("Stopped by a test.")


def _missing(name: str) -> Callable[[World], Any]:
    def build(_world: World) -> Any:
        raise AssertionError(f"this test has no {name}")

    return build


def make_world(
    home: Path,
    *,
    fleet: Fleet | None = None,
    platforms: Callable[[World], Any] | None = None,
    registry: Callable[[World], Any] | None = None,
    jobs: Callable[[World], Any] | None = None,
    more: Mapping[str, Callable[[World], Any]] | None = None,
    clock: Clock | None = None,
    actions: Any = None,
) -> World:
    """A world over a fresh SQLite store in ``home``; ports not given fail when used."""
    home.mkdir(parents=True, exist_ok=True)
    return World(
        fleet=fleet or Fleet(path=None),
        home=home,
        store=Store.at_home(home),
        clock=clock or SystemClock(),
        actions=actions or NoActions(),
        ports=Ports(
            platforms=platforms or _missing("platforms"),
            registry=registry or _missing("registry"),
            jobs=jobs or _missing("jobs"),
            more=more or {},
        ),
    )


HAN = re.compile("[\u4e00-\u9fff]")


def in_both(en: str, zh: str) -> None:
    """Said in Chinese too, with every number that the English says."""
    assert HAN.search(zh), (en, zh)
    assert not re.search("，,|。[.。]|：:| [，。：；）]|（ ", zh), zh
    assert set(re.findall(r"\d+", en)) <= set(re.findall(r"\d+", zh)), (en, zh)


def plan_in_both(plan: Plan) -> None:
    """Each part of a plan is said in Chinese too."""
    zh = plan.zh
    assert zh is not None, plan.title
    in_both(plan.title, zh.title)
    in_both(plan.blast_radius, zh.blast_radius)
    in_both(plan.undo, zh.undo)
    in_both(plan.verification, zh.verification)
    assert len(zh.warnings) == len(plan.warnings)
    for en, said in zip(plan.warnings, zh.warnings, strict=True):
        in_both(en, said)


def carry_out(
    world: World, tool: Tool, act_id: str = "test-1", **args: Any
) -> tuple[Plan, Outcome, Verdict]:
    """Plan, apply and verify a change without the door, for tests of the tool alone."""
    change: Change[Any] | None = tool.change
    assert change is not None
    plan = change.plan(world, tool.bind(tool.arguments(args)))
    act = RecordingAct(act_id)
    outcome = change.apply(world, plan, act)
    verdict = change.verify(world, plan, outcome, act)
    plan_in_both(plan)
    in_both(verdict.evidence, verdict.zh)
    assert not verdict.cause or HAN.search(verdict.cause_zh), verdict
    assert HAN.search(outcome.zh), outcome
    return plan, outcome, verdict
