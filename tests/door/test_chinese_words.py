"""The Chinese words of a change: stored, bound by the yes, masked and escaped like the English."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from agent.card import card
from agent.door import Door
from agent.events import Action, Decision, State
from agent.foresight import Foresight
from agent.fronts.slack_cards import card as slack_card
from agent.fronts.slack_cards import details
from agent.record import digest, from_json, to_json
from agent.say import outcome_line, proposal_line
from tests.door.toy import ANA, TOYS, ValueArguments, make_door
from tests.support import FakeClock, make_world
from tools.contract import (
    Act,
    Call,
    Change,
    Effect,
    Happened,
    Irreversible,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Tool,
    Verdict,
    changing,
)
from tools.errors import Failed, Refused
from tools.world import World

TOY = cast("Change[ValueArguments]", TOYS["set_value"].change)


@changing(ValueArguments)
class PaintToy:
    """Set the toy's value, and say so in Chinese."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(("paint the toy {value}",), ("把玩具涂成{value}",))

    def plan(self, world: World, args: ValueArguments) -> Plan:
        plan = TOY.plan(world, args)
        secret = args.mood if "=" in args.mood or "\u202e" in args.mood else ""
        words = PlanWords(
            f"将玩具设为 {args.value} {secret}".strip(),
            f"一个玩具 {secret}".strip(),
            "改回原值",
            "读取数值",
            (f"小心 {secret}".strip(),),
        )
        return replace(plan, zh=words, warnings=("careful",), undo_on_failure=False)

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        if plan.details["mood"] == "fails":
            raise Failed("The toy is stuck.", "玩具卡住了。")
        return replace(TOY.apply(world, plan, act), zh="已设置")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        seen = TOY.verify(world, plan, outcome, act)
        value = plan.details["value"]
        return replace(seen, zh=f"玩具为 {value}", cause_zh="" if seen.ok else "数值不对")

    undo = Irreversible("paint stays", "颜料洗不掉")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        return TOY.happened(world, plan, action_id)


TOOLS: dict[str, Tool] = {t.name: t for t in (PaintToy,)}  # type: ignore[attr-defined]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(tmp_path: Path, clock: FakeClock) -> Door:
    world = make_world(tmp_path, clock=clock)
    return replace(make_door(world), foresight=Foresight(TOOLS, world))


def propose(door: Door, **args: Any) -> Action:
    return door.propose(Call("paint_toy", {"value": 5, **args}), ANA, "c", str(args))


def run(door: Door, **args: Any) -> Action:
    action = propose(door, **args)
    door.decide(Decision(action.number, action.digest, ANA, "approve"))
    return door.run(action.number)


def test_the_yes_binds_the_chinese_words(door: Door) -> None:
    action = propose(door)
    assert action.plan.zh is not None
    assert action.plan.words("zh").title == "将玩具设为 5"
    other = replace(action.plan, zh=replace(action.plan.zh, title="将玩具设为 6"))
    assert digest(action.call, other, action.expires_at) != action.digest
    assert door.ledger.get(action.number) == from_json(to_json(action)) == action


def test_a_row_from_before_the_chinese_still_loads(door: Door) -> None:
    verified = run(door)
    data: Any = to_json(verified)
    for part in (data["plan"], data["outcome"], data["verdict"]):
        part.pop("zh")
    data["verdict"].pop("cause_zh")
    data.pop("reason_zh")
    old = from_json(data)
    assert old.plan.zh is None
    line = outcome_line(old, "zh")
    assert line == "操作 1 已完成并验证：Set the toy to 5（批准：ana）。the toy is 5"
    assert card(old, "zh", old.changed_at)


def test_the_outcome_is_said_in_the_language_of_who_reads(door: Door) -> None:
    verified = run(door)
    assert (
        outcome_line(verified, "zh") == "操作 1 已完成并验证：将玩具设为 5（批准：ana）。玩具为 5"
    )
    assert outcome_line(verified, "en") == (
        "Action 1 done and verified: Set the toy to 5 (approved by ana). the toy is 5"
    )
    assert "玩具为 5" in str(slack_card(verified, "zh"))
    assert "the toy is 5" not in str(slack_card(verified, "zh"))


def test_every_reason_of_the_door_is_said_in_chinese(door: Door, clock: FakeClock) -> None:
    assert proposal_line(propose(door), "zh").startswith("已提议为操作 1：将玩具设为 5。")
    wrong = run(door, mood="lies")
    assert (wrong.state, wrong.why("zh")) == (State.UNVERIFIED, "数值不对：玩具为 5")
    assert wrong.why("en") == "wrong value: the toy is 5"
    stuck = run(door, value=6, mood="fails")
    assert (stuck.state, stuck.why("zh")) == (State.FAILED, "玩具卡住了。")
    late = propose(door, value=7)
    clock.sleep(timedelta(days=2).total_seconds())
    expired = door.expire(late)
    assert expired.why("zh").startswith("截至 ")
    again = propose(door, value=8)
    refused = door.decide(Decision(again.number, again.digest, ANA, "reject"))
    assert refused.why("zh") == "被 ana 拒绝"
    assert outcome_line(refused, "zh") == f"操作 {again.number} 已拒绝（ana）：将玩具设为 8。"


def test_what_changed_since_is_told_in_chinese(door: Door) -> None:
    first, second = propose(door), propose(door, value=6)
    for action in (first, second):
        door.decide(Decision(action.number, action.digest, ANA, "approve"))
    door.run(first.number)
    stale = door.run(second.number)
    assert stale.state is State.STALE
    assert stale.why("zh") == "toy 在提议之后发生了变化；未执行任何更改。"
    assert "changed since" in stale.why("en")


def test_secrets_are_masked_in_chinese_too(door: Door) -> None:
    tool = TOOLS["paint_toy"]
    assert tool.change is not None
    made = tool.change.plan(door.world, tool.bind({"value": 5, "mood": "password=hunter2"}))
    assert made.zh is not None
    assert "hunter2" in made.zh.title
    seen = door.foresight.plan(Call("paint_toy", {"value": 5, "mood": "password=hunter2"}))
    assert "hunter2" not in str(seen.zh)
    assert seen.zh is not None
    assert seen.zh.undo == "改回原值"


def test_why_it_cannot_be_undone_is_said_in_chinese(door: Door) -> None:
    done = run(door)
    with pytest.raises(Refused) as refused:
        door.propose_undo(done.number, ANA)
    assert refused.value.zh == "操作 1 无法撤销：颜料洗不掉。"


def test_what_would_reorder_the_chinese_is_shown(door: Door) -> None:
    action = propose(door, mood="\u202egpj")
    for shown in (
        card(action, "zh", action.created_at),
        str(slack_card(action, "zh")),
        str(details(action, "zh")),
        proposal_line(action, "zh"),
    ):
        assert "\u202e" not in shown
        assert "u202e" in shown
