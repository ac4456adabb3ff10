"""What the reading tools say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.deployments.shelf import Shelf, double_world
from tests.support import FakeClock, carry_out
from tools.contract import Finding, Tool, as_json
from tools.deployments.history import deployment_history
from tools.deployments.listing import list_deployments
from tools.deployments.rolling_out import RollOut
from tools.deployments.status import deployment_status
from tools.errors import Unavailable
from tools.platforms.base import Traffic
from tools.platforms.double import DoublePlatform
from tools.world import World

Setting = tuple[World, DoublePlatform, Shelf]


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return double_world(tmp_path, clock=FakeClock(), options={"soak": 0})


def read(world: World, tool: Tool, **args: object) -> Finding:
    assert tool.read is not None
    return tool.read(world, **tool.arguments(args))


def first(finding: Finding, lang: str = "en") -> str:
    return finding.say(lang).splitlines()[0]  # type: ignore[arg-type]


def rolled_out(setting: Setting, versions: int = 1) -> None:
    world, _, shelf = setting
    for number in range(1, versions + 1):
        shelf.add()
        carry_out(world, RollOut, f"act-{number}", deployment="digits", version=str(number))


def test_before_anything_is_rolled_out(setting: Setting) -> None:
    world = setting[0]
    assert first(read(world, deployment_status, deployment="digits")) == (
        "Nothing is rolled out to digits yet."
    )
    assert "nothing was rolled out yet" in first(
        read(world, deployment_history, deployment="digits")
    )
    assert first(read(world, list_deployments)) == "1 deployment, healthy."


def test_the_status_answers_in_its_first_line(setting: Setting) -> None:
    rolled_out(setting)
    world, double, _ = setting
    double.measured["digits"] = {1: Traffic(12345, 12, 0.0042)}
    world.clock.sleep(240)
    said = read(world, deployment_status, deployment="digits").say("en")
    assert said.splitlines()[0].startswith(
        "digits is healthy: digits version 1 (accuracy 95.1%), 2 of 2 replicas ready."
    )
    assert "Serving since 03:0" in said
    assert "(4 min ago)" in said
    assert "12,345 requests since its start: error rate 0.10%, p95 latency 4.2 ms." in said
    zh = read(world, deployment_status, deployment="digits").say("zh")
    assert zh.startswith("digits 正常：digits 版本 1")


def test_a_dead_replica_comes_with_its_cause(setting: Setting) -> None:
    rolled_out(setting)
    world, double, _ = setting
    double.kill("digits", "killed by SIGKILL")
    said = read(world, deployment_status, deployment="digits").say("en")
    assert said.startswith("digits is degraded: digits version 1")
    assert "1 of 2 replicas ready" in said
    assert "killed by SIGKILL" in said
    assert first(read(world, list_deployments)) == "1 deployment, 1 needing attention."


def test_history_is_newest_first_with_the_current_one_marked(setting: Setting) -> None:
    rolled_out(setting, 3)
    lines = read(setting[0], deployment_history, deployment="digits").say("en").splitlines()
    assert lines[0] == "digits has 3 revisions; revision 3 (version 3) is current."
    assert [line[:12] for line in lines[1:]] == ["* revision 3", "- revision 2", "- revision 1"]


def test_a_silent_platform_is_said_and_does_not_hide_the_others(setting: Setting) -> None:
    world, double, _ = setting
    double.faults.unavailable = "connection refused"
    with pytest.raises(Unavailable, match="connection refused"):
        read(world, list_deployments)


def test_findings_are_plain_data_and_narrow(setting: Setting) -> None:
    rolled_out(setting, 2)
    world = setting[0]
    world.clock.sleep(timedelta(days=3).total_seconds())
    for tool, args in (
        (list_deployments, {}),
        (deployment_status, {"deployment": "digits"}),
        (deployment_history, {"deployment": "digits"}),
    ):
        finding = read(world, tool, **args)
        assert isinstance(as_json(finding), dict)
        for lang in ("en", "zh"):
            assert all(len(line) <= 100 for line in finding.say(lang).splitlines())  # type: ignore[arg-type]
