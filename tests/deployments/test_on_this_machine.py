"""The deployment tools on real server processes: the story of a roll-out, told under load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployments.shelf import Shelf, fleet
from tests.serving.load import Load
from tests.support import carry_out, make_world
from tools.deployments.restarting import Restart
from tools.deployments.rolling_back import RollBack
from tools.deployments.rolling_out import RollOut
from tools.deployments.scaling import Scale
from tools.deployments.status import deployment_status
from tools.errors import Refused
from tools.platforms.local import LocalPlatform, build
from tools.platforms.router import Router
from tools.world import World

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[tuple[World, Shelf]]:
    shelf = Shelf(tmp_path)
    world = make_world(
        tmp_path,
        fleet=fleet({"soak": 0.5}, "local"),
        platforms=lambda w: Router(w, {"local": build}),
        registry=lambda _w: shelf,
    )
    yield world, shelf
    platform = world.platforms.named("local")
    assert isinstance(platform, LocalPlatform)
    platform.stop()


def test_the_whole_story(setting: tuple[World, Shelf]) -> None:
    world, shelf = setting
    for kind in ("good", "good", "nan"):
        shelf.add(kind)
    _, _, verdict = carry_out(world, RollOut, "a1", deployment="digits", version="1")
    assert verdict.ok, verdict
    endpoint = world.platforms.named("local").status("digits").endpoint
    assert endpoint is not None
    with Load(int(endpoint.rsplit(":", 1)[1]), "digits") as load:
        for number, (tool, args) in enumerate(
            (
                (Scale, {"replicas": 3}),
                (RollOut, {"version": "2"}),
                (Restart, {}),
                (RollBack, {}),
                (RollOut, {"version": "2", "strategy": "blue_green"}),
            )
        ):
            _, _, verdict = carry_out(world, tool, f"b{number}", deployment="digits", **args)
            assert verdict.ok, verdict
            assert "test requests answered by version" in verdict.evidence
            assert ", 0 errors" in verdict.evidence
            load.run_for(30)
        made, outcome, verdict = carry_out(world, RollOut, "c", deployment="digits", version="3")
        assert not verdict.ok
        assert "model fails its warm-up" in verdict.cause
        change = RollOut.change
        assert change is not None
        call = change.undo(world, made, outcome)
        _, _, verdict = carry_out(world, RollBack, "d", **dict(call.args))
        assert verdict.ok, verdict
        load.run_for(30)
    assert load.failures == []
    assert set(load.versions) == {"1", "2"}
    assert deployment_status.read is not None
    said = deployment_status.read(world, deployment="digits").say("en")
    assert said.startswith(
        "digits is healthy: digits version 2 (accuracy 95.2%), 3 of 3 replicas ready."
    )


def test_what_this_machine_cannot_carry_is_refused(setting: tuple[World, Shelf]) -> None:
    world, shelf = setting
    version = shelf.add()
    shelf.add()
    carry_out(world, RollOut, "a1", deployment="digits", version="1")
    with pytest.raises(Refused, match="limit is 32"):
        carry_out(world, Scale, "a2", deployment="digits", replicas=500)
    version.path.unlink()
    with pytest.raises(Refused, match="missing"):
        carry_out(world, RollOut, "a3", deployment="digits", version="2")
