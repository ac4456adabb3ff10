"""A world in which every change of the catalogue can be planned."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.alerts.stage import fire
from tests.models.lab import kind
from tests.serving.tiny import register, save
from tests.support import carry_out, make_world
from tools.alerts.book import build as build_alerts
from tools.catalog import by_name
from tools.contract import Json
from tools.fleet import DeploymentSpec, Fleet
from tools.images.base import Image
from tools.models.base import JobStatus
from tools.models.registries import open_registry
from tools.notices.outbox import build as build_notices
from tools.observe.telemetry import build as build_telemetry
from tools.platforms.base import Node, Preview
from tools.platforms.double import DoublePlatform
from tools.schedules.rows import build as build_schedules
from tools.world import SystemClock, World

TOOLS = by_name()
RUNNING = JobStatus(
    "j-1", "train", "team", "running", datetime.now(UTC), step=3, total_steps=10, eta_seconds=60
)


class Machines(DoublePlatform):
    """The double, with two nodes; the first is cordoned."""

    def nodes(self) -> list[Node]:
        return [Node(f"node-{n}", True, n > 1, f"u{n}", "1", 4, 0) for n in (1, 2)]

    def drain_preview(self, node: str) -> Preview:
        return Preview(
            "- evict ml/a\n- evict ml/b",
            (
                "no controller would start these again: ml/a",
                "emptyDir data is lost in ml/b",
                "PodDisruptionBudget ml/web allows no disruption now; 2 pods wait for it",
            ),
        )

    def set_schedulable(self, node: str, schedulable: bool, act: object) -> str:
        return "done"


class One:
    """Everything is on one platform."""

    def __init__(self, platform: Machines) -> None:
        self.platform = platform

    def all(self) -> list[Machines]:
        return [self.platform]

    def named(self, name: str) -> Machines:
        return self.platform

    def of(self, deployment: str) -> tuple[Machines, str]:
        return self.platform, deployment


class Running:
    """One job, on its way."""

    def status(self, name: str) -> JobStatus:
        return RUNNING


class Engine:
    """An engine with one image, pushed before."""

    name = "box"
    image = Image("sha256:" + "a" * 64, ("team:1-abc",), "team", "1", "abc", 12_300_000)

    def find(self, tag: str) -> Image | None:
        return self.image if tag in self.image.tags else None

    def list(self) -> list[Image]:
        return [self.image]

    def target(self, tag: str) -> str:
        return f"registry.local/{tag}"

    def pushed(self, tag: str) -> str:
        return "sha256:" + "b" * 64


def every_room(home: Path) -> World:
    """Version 2 of team is served on two replicas, with a job, an alert, a rule and a schedule."""
    said = """
    student = {"width": 2}
    search = {"lr": (0.001, 0.1)}
    """
    models = {"team": kind(home / "kind", said)}
    spec = DeploymentSpec("web", "double", "team", replicas=2, options={"soak": 0})
    sections: dict[str, Json] = {"notices": {"targets": {"crew": {"file": "crew.log"}}}}
    fleet = Fleet(
        path=None,
        models=models,
        deployments={"web": spec},
        platforms={"double": {}},
        sections=sections,
    )
    platform = Machines("double", ["web"], SystemClock())
    more: dict[str, Callable[[World], Any]] = {
        "alerts": build_alerts,
        "notices": build_notices,
        "schedules": build_schedules,
        "telemetry": build_telemetry,
        "images": lambda _: Engine(),
    }
    world = make_world(
        home / "steward",
        fleet=fleet,
        platforms=lambda _: One(platform),
        registry=open_registry,
        jobs=lambda _: Running(),
        more=more,
    )
    _furnish(world, home)
    return world


def _furnish(world: World, home: Path) -> None:
    weights = home / "weights.safetensors"
    weights.write_bytes(struct.pack("<Q", 2) + b"{}")
    for number, name in ((1, "good"), (2, "wrong")):
        file = save(home / f"{number}.onnx", name)
        extras = {"weights": weights} if number == 1 else {}
        register(world.registry, file, "team", extras=extras, job=f"made-{number}")
    for number in ("1", "2"):
        carry_out(world, TOOLS["roll_out"], f"r{number}", deployment="web", version=number)
    carry_out(world, TOOLS["promote_version"], "p1", model="team", version="1", alias="champion")
    rule = {"metric": "cpu_percent", "threshold": 95, "name": "busy"}
    carry_out(world, TOOLS["set_alert_rule"], "a1", **rule)
    when = {"when": "0 9 * * *", "channel": "crew"}
    carry_out(world, TOOLS["schedule_summary"], "s1", **when)
    fire(world, "NodeDown", severity="critical")
    fire(world, "DiskFull")
    carry_out(world, TOOLS["silence_alert"], "q1", alert="DiskFull", duration="2h")
