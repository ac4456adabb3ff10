"""The changes of deployments over the double: plans, verification, undo, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deployments.shelf import Shelf, double_world
from tests.support import FakeClock, RecordingAct, carry_out
from tools.contract import Effect, Happened, Outcome, Plan, Tool
from tools.deployments.catalog import TOOLS
from tools.deployments.pausing import PauseRollout, ResumeRollout
from tools.deployments.restarting import Restart
from tools.deployments.rolling_back import RollBack
from tools.deployments.rolling_out import RollOut
from tools.deployments.scaling import Scale
from tools.errors import BadArguments, Refused
from tools.platforms.base import Traffic
from tools.platforms.double import DoublePlatform
from tools.world import World

Setting = tuple[World, DoublePlatform, Shelf]


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return double_world(tmp_path, clock=FakeClock(), options={"soak": 1})


@pytest.fixture
def serving(setting: Setting) -> Setting:
    """Version 1 on two replicas, version 2 on the shelf."""
    world, _, shelf = setting
    shelf.add()
    shelf.add()
    carry_out(world, RollOut, "first", deployment="digits", version="1")
    return setting


def plan(world: World, tool: Tool, **args: object) -> Plan:
    assert tool.change is not None
    return tool.change.plan(world, tool.bind(tool.arguments(args)))


def undo_of(world: World, tool: Tool, made: Plan, outcome: Outcome) -> tuple[str, object]:
    assert tool.change is not None
    call = tool.change.undo(world, made, outcome)
    return call.tool, dict(call.args)


def test_a_first_roll_out_is_verified_and_its_undo_is_nothing(setting: Setting) -> None:
    world, _, shelf = setting
    shelf.add()
    made, outcome, verdict = carry_out(world, RollOut, deployment="digits", version="1")
    assert verdict.ok, verdict
    assert "2 of 2 replicas ready, all of version 1" in verdict.evidence
    assert made.title == "Roll out digits version 1 to digits (2 replicas, rolling)"
    assert made.undo_on_failure
    assert undo_of(world, RollOut, made, outcome) == (
        "scale",
        {"deployment": "digits", "replicas": 0},
    )


def test_a_roll_out_shows_both_versions_and_their_accuracy(serving: Setting) -> None:
    world, _, _ = serving
    made = plan(world, RollOut, deployment="numbers", version="2")
    assert made.target.name == "digits"
    assert made.diff.splitlines() == ["- version 1", "+ version 2"]
    assert "95.1% → accuracy 95.2%" in made.blast_radius
    assert "roll back to revision 1 (version 1)" in made.undo


def test_planning_twice_is_the_same_plan(serving: Setting) -> None:
    world, _, _ = serving
    for tool, args in (
        (RollOut, {"version": "2"}),
        (Scale, {"replicas": 3}),
        (Restart, {}),
    ):
        assert plan(world, tool, deployment="digits", **args) == plan(
            world, tool, deployment="digits", **args
        )


def test_a_roll_out_is_undone_by_a_roll_back_which_verifies(serving: Setting) -> None:
    world, double, _ = serving
    made, outcome, verdict = carry_out(world, RollOut, "second", deployment="digits", version="2")
    assert verdict.ok
    name, args = undo_of(world, RollOut, made, outcome)
    assert (name, args) == ("roll_back", {"deployment": "digits", "revision": 1})
    _, _, verdict = carry_out(world, RollBack, "undo", deployment="digits", revision=1)
    assert verdict.ok
    assert double.status("digits").release.version == "1"


def test_a_failed_roll_out_names_the_cause_and_can_be_undone(serving: Setting) -> None:
    world, double, _ = serving
    double.faults.broken["2"] = "image cannot be pulled"
    made, outcome, verdict = carry_out(world, RollOut, "second", deployment="digits", version="2")
    assert not verdict.ok
    assert verdict.cause == "image cannot be pulled"
    assert "version 1" in verdict.evidence
    _, args = undo_of(world, RollOut, made, outcome)
    assert args == {"deployment": "digits", "revision": 1}
    _, _, verdict = carry_out(world, RollBack, "undo", deployment="digits", revision=1)
    assert verdict.ok
    assert double.status("digits").ready == 2


def test_a_roll_out_that_never_ends_is_not_verified(serving: Setting) -> None:
    world, double, _ = serving
    double.faults.start_seconds["2"] = 10_000
    _, _, verdict = carry_out(world, RollOut, "second", deployment="digits", version="2")
    assert not verdict.ok
    assert "in time" in verdict.evidence


def test_errors_during_the_soak_fail_it(serving: Setting) -> None:
    world, double, _ = serving

    class Sick(dict[int, Traffic]):
        """More errors each time somebody looks."""

        count = 0

        def get(self, key: int, default: object = None) -> Traffic:  # type: ignore[override]
            self.count += 100
            return Traffic(self.count, self.count // 2, 0.01)

    sick = Sick()
    double.traffic = lambda ref: sick  # type: ignore[method-assign]
    _, _, verdict = carry_out(world, RollOut, "second", deployment="digits", version="2")
    assert not verdict.ok
    assert "error rate 50.0%" in verdict.cause


def test_the_gate_blocks_and_says_what_to_say(serving: Setting) -> None:
    world, _, shelf = serving
    gate = {"passed": False, "low": -0.034, "against": 2, "budget": 0.01}
    shelf.add(gate=gate)
    with pytest.raises(Refused, match=r"could lose 3\.4 points .* accept a loss of 3\.4 points"):
        plan(world, RollOut, deployment="digits", version="3")
    with pytest.raises(Refused, match="accept a loss"):
        plan(world, RollOut, deployment="digits", version="3", accept_loss=1)
    made = plan(world, RollOut, deployment="digits", version="3", accept_loss=3.4)
    assert "3.4 points was accepted" in made.warnings[0]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"deployment": "digts", "version": "2"}, "Did you mean digits"),
        ({"deployment": "digits", "version": "9"}, "no version 9"),
        ({"deployment": "digits", "version": "1"}, "already serves version 1"),
    ],
)
def test_nonsense_is_refused_before_anybody_is_asked(
    serving: Setting, args: dict[str, str], said: str
) -> None:
    with pytest.raises(BadArguments, match=said):
        plan(serving[0], RollOut, **args)


def test_impossible_counts_and_no_ops(serving: Setting) -> None:
    world, double, _ = serving
    double.faults.most_replicas = 8
    with pytest.raises(BadArguments):
        plan(world, Scale, deployment="digits", replicas=-1)
    with pytest.raises(Refused, match="too many"):
        plan(world, Scale, deployment="digits", replicas=9)
    with pytest.raises(BadArguments, match="2 replicas already"):
        plan(world, Scale, deployment="digits", replicas=2)
    assert "nothing will answer" in plan(world, Scale, deployment="digits", replicas=0).warnings[0]


def test_scaling_is_undone_by_the_number_before(serving: Setting) -> None:
    world, _, _ = serving
    made, outcome, verdict = carry_out(world, Scale, "scale", deployment="digits", replicas=5)
    assert verdict.ok
    assert undo_of(world, Scale, made, outcome) == (
        "scale",
        {"deployment": "digits", "replicas": 2},
    )


def test_a_restart_replaces_all_and_says_why_it_has_no_undo(serving: Setting) -> None:
    world, double, _ = serving
    before = {r.id for r in double.status("digits").replicas}
    made, _, verdict = carry_out(world, Restart, "restart", deployment="digits")
    assert verdict.ok
    assert not before & {r.id for r in double.status("digits").replicas}
    assert "nothing to undo" in made.undo


def test_apply_again_under_the_same_id_changes_nothing_more(serving: Setting) -> None:
    world, double, _ = serving
    change = Restart.change
    assert change is not None
    made = plan(world, Restart, deployment="digits")
    for _ in range(2):
        outcome = change.apply(world, made, RecordingAct("once"))
        assert change.verify(world, made, outcome, RecordingAct("once")).ok
    assert [act for _, act in double.effects].count("once") == 1


def test_pausing_and_resuming_a_canary(serving: Setting) -> None:
    world, double, _ = serving
    change = RollOut.change
    assert change is not None
    made = plan(world, RollOut, deployment="digits", version="2", strategy="canary")
    assert "25%, 50%, 100%" in made.blast_radius
    outcome = change.apply(world, made, RecordingAct("canary"))
    _, _, verdict = carry_out(world, PauseRollout, "pause", deployment="digits")
    assert verdict.ok
    paused = change.verify(world, made, outcome, RecordingAct("canary"))
    assert (paused.ok, paused.cause) == (False, "paused by a person")
    with pytest.raises(Refused, match="paused by a person"):
        change.undo(world, made, outcome)
    _, _, verdict = carry_out(world, ResumeRollout, "resume", deployment="digits")
    assert verdict.ok
    assert double.status("digits").release.version == "2"


def test_a_canary_that_goes_back_by_itself_is_not_verified(serving: Setting) -> None:
    world, double, _ = serving
    double.measured["digits"] = {1: Traffic(500, 0, 0.01), 2: Traffic(100, 30, 0.01)}
    _, _, verdict = carry_out(
        world, RollOut, "canary", deployment="digits", version="2", strategy="canary"
    )
    assert not verdict.ok
    assert "error rate 30.0%" in verdict.cause
    assert double.status("digits").release.version == "1"


def test_roll_back_goes_to_the_one_before_and_forward_again(serving: Setting) -> None:
    world, double, _ = serving
    carry_out(world, RollOut, "second", deployment="digits", version="2")
    made, outcome, verdict = carry_out(world, RollBack, "back", deployment="digits")
    assert verdict.ok
    assert made.title == "Roll back digits to revision 1 (version 1)"
    _, args = undo_of(world, RollBack, made, outcome)
    carry_out(world, RollBack, "forth", **args)  # type: ignore[arg-type]
    assert double.status("digits").release.version == "2"


def test_there_is_nothing_before_the_first_revision(serving: Setting) -> None:
    with pytest.raises(BadArguments, match="no earlier revision"):
        plan(serving[0], RollBack, deployment="digits")


def test_happened_asks_the_platform_and_says_unsure_when_it_is_silent(serving: Setting) -> None:
    world, double, _ = serving
    change = Scale.change
    assert change is not None
    made = plan(world, Scale, deployment="digits", replicas=3)
    assert change.happened(world, made, "scale") is Happened.NO
    change.apply(world, made, RecordingAct("scale"))
    assert change.happened(world, made, "scale") is Happened.YES
    double.faults.unavailable = "connection refused"
    assert change.happened(world, made, "scale") is Happened.UNSURE


def test_every_tool_is_declared_with_enough_phrases() -> None:
    assert len({t.name for t in TOOLS}) == len(TOOLS) == 9
    for tool in TOOLS:
        assert len(tool.phrases.en) >= 8, tool.name
        assert len(tool.phrases.zh) >= 6, tool.name
        assert tool.effect in (Effect.READ, Effect.CHANGE)
