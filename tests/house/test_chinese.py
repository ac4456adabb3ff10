"""What a change says of itself is said in Chinese too: every changing tool of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from agent.card import card
from agent.events import Action, Actor, State
from agent.fronts.slack_cards import card as slack_card
from agent.fronts.slack_cards import details
from tests.house.every_room import TOOLS, every_room
from tests.support import HAN, RecordingAct, in_both, plan_in_both
from tools.contract import Call, Plan
from tools.world import World

pytest.importorskip("torch", reason="models are planned with the models extra")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return every_room(tmp_path)


def planned(world: World, tool: str, **args: Any) -> Plan:
    chosen = TOOLS[tool]
    assert chosen.change is not None
    return chosen.change.plan(world, chosen.bind(chosen.arguments(args)))


PLANS: list[tuple[str, dict[str, Any]]] = [
    ("roll_out", {"deployment": "web", "version": "1"}),
    ("roll_out", {"deployment": "web", "version": "1", "strategy": "canary"}),
    ("roll_out", {"deployment": "web", "version": "1", "strategy": "blue_green"}),
    ("roll_back", {"deployment": "web", "revision": 1}),
    ("scale", {"deployment": "web", "replicas": 5}),
    ("scale", {"deployment": "web", "replicas": 0}),
    ("restart", {"deployment": "web"}),
    ("launch_training", {"model": "team", "workers": 2}),
    ("tune_model", {"model": "team", "trials": 7, "workers": 2}),
    ("cancel_job", {"job": "j-1"}),
    ("promote_version", {"model": "team", "version": "2", "alias": "champion", "accept_loss": 1.5}),
    ("remove_alias", {"model": "team", "alias": "champion"}),
    ("prune_model", {"model": "team", "amount": 0.4, "version": "1"}),
    ("prune_model", {"model": "team", "method": "wanda", "max_loss": 1, "version": "1"}),
    ("prune_model", {"model": "team", "speed_up": 2, "version": "1"}),
    ("prune_model", {"model": "team", "amount": 0.5, "method": "2:4", "version": "1"}),
    ("quantize_model", {"model": "team", "version": "1", "scheme": "static"}),
    ("distill_model", {"model": "team", "student": "team", "version": "1"}),
    ("export_model", {"model": "team", "format": "safetensors", "version": "1"}),
    ("import_model", {"model": "team", "file": "{home}/weights.safetensors"}),
    ("set_alert_rule", {"metric": "cpu_percent", "threshold": 90, "name": "busy"}),
    ("set_alert_rule", {"metric": "latency_p95", "threshold": 500}),
    ("set_alert_rule", {"metric": "cpu_percent", "threshold": 0.5}),
    ("set_alert_rule", {"metric": "cpu_percent", "kind": "anomaly"}),
    ("remove_alert_rule", {"name": "busy"}),
    ("silence_alert", {"alert": "NodeDown", "duration": "2h"}),
    ("silence_alert", {"alert": "DiskFull", "duration": "30m"}),
    ("unsilence_alert", {"alert": "DiskFull"}),
    ("record_cause", {"alert": "NodeDown", "cause": "node_down"}),
    ("cordon_node", {"node": "node-2"}),
    ("uncordon_node", {"node": "node-1"}),
    ("drain_node", {"node": "node-2"}),
    ("build_image", {"model": "team", "version": "1"}),
    ("push_image", {"image": "team:1-abc"}),
    ("schedule_summary", {"when": "*/10 * * * *", "channel": "crew"}),
    ("unschedule_summary", {"name": "daily-crew"}),
    ("send_notice", {"target": "crew", "text": "hello"}),
]
OURS = {
    "pod",
    "gpu",
    "ms",
    "steward",
    "serve",
    "cpu",
    "mb",
    "utc",
    "poddisruptionbudget",
    "emptydir",
}
"""Latin words that Chinese engineers write as they are."""


def test_every_changing_tool_is_asked() -> None:
    asked = {tool for tool, _ in PLANS} | {"pause_rollout", "resume_rollout"}
    assert asked == {t.name for t in TOOLS.values() if t.change is not None}


def test_every_plan_is_said_in_chinese(world: World, tmp_path: Path) -> None:
    for tool, given in PLANS:
        args = {k: v.format(home=tmp_path) if isinstance(v, str) else v for k, v in given.items()}
        in_chinese(planned(world, tool, **args), args)


def test_pausing_and_resuming_are_said_in_chinese(world: World) -> None:
    roll_out, pause = TOOLS["roll_out"].change, TOOLS["pause_rollout"].change
    assert roll_out is not None
    assert pause is not None
    begun = planned(world, "roll_out", deployment="web", version="1")
    roll_out.apply(world, begun, RecordingAct("r3"))
    plan = planned(world, "pause_rollout", deployment="web")
    in_chinese(plan, {"deployment": "web"})
    outcome = pause.apply(world, plan, RecordingAct("h1"))
    assert outcome.zh == "已提交：暂停 web 的发布。"
    verdict = pause.verify(world, plan, outcome, RecordingAct("h1"))
    in_both(verdict.evidence, verdict.zh)
    in_chinese(planned(world, "resume_rollout", deployment="web"), {"deployment": "web"})


def in_chinese(plan: Plan, args: Mapping[str, Any]) -> None:
    """All of it, with every number and name of the English, and nothing left in English."""
    plan_in_both(plan)
    assert plan.zh is not None
    named = [str(v) for k, v in args.items() if k != "strategy" and str(v) in plan.title]
    assert [name for name in named if name not in plan.zh.title] == [], plan.zh.title
    assert english_in(plan) == set(), plan.zh


def english_in(plan: Plan) -> set[str]:
    """Latin words of the Chinese that are no names in the English too, or in the plan's facts."""
    assert plan.zh is not None
    zh, en = (
        " ".join([w.title, w.blast_radius, w.undo, w.verification, *w.warnings])
        for w in (plan.zh, plan.words("en"))
    )
    known = f"{en} {plan.details} {plan.target}".lower()
    words = {w.lower() for w in re.findall(r"[A-Za-z][A-Za-z_-]+", zh)} - OURS
    return {w for w in words if w not in known or w in COMMON}


COMMON = {
    "the",
    "and",
    "is",
    "of",
    "to",
    "replicas",
    "version",
    "ready",
    "again",
    "nothing",
    "none",
}
"""Words that only an untranslated sentence has."""


def test_a_warning_without_chinese_is_shown_in_english(world: World) -> None:
    plan = planned(world, "scale", deployment="web", replicas=0)
    assert plan.zh is not None
    lost = replace(plan, zh=replace(plan.zh, warnings=()))
    assert lost.words("zh").warnings == plan.warnings
    assert HAN.search(lost.words("zh").title)
    assert replace(plan, zh=None).words("zh") == plan.words("en")


SHOWN: list[tuple[str, dict[str, Any]]] = [
    ("restart", {"deployment": "web"}),
    ("scale", {"deployment": "web", "replicas": 0}),
    ("prune_model", {"model": "team", "method": "wanda", "amount": 0.4, "version": "1"}),
    ("silence_alert", {"alert": "NodeDown", "duration": "2h"}),
]


@pytest.mark.parametrize(("tool", "args"), SHOWN)
def test_a_chinese_card_is_all_chinese(world: World, tool: str, args: dict[str, Any]) -> None:
    plan = planned(world, tool, **args)
    made = datetime(2026, 11, 23, 3, tzinfo=UTC)
    action = Action(
        number=7,
        id="i-7",
        key="k",
        call=Call("", {}),
        plan=replace(plan, diff="", details={}),  # raw, as the call
        digest="0" * 64,
        requester=Actor("ana", "terminal"),
        conversation="c",
        state=State.PROPOSED,
        created_at=made,
        changed_at=made,
        expires_at=made + timedelta(hours=1),
        needed=2,
        approvers=("ana",),
    )
    ended = replace(action, state=State.UNVERIFIED, reason="late", reason_zh="太迟")
    assert plan.zh is not None
    names = latin(f"{plan.zh.title} {plan.target.name} {plan.target.version[:12]}") | OURS
    for one in (action, ended):
        shown = [card(one, "zh", made), *texts(slack_card(one, "zh")), *texts(details(one, "zh"))]
        for text in shown:
            assert latin(text) <= names, text
    assert "太迟" in card(ended, "zh", made)


def latin(text: str) -> set[str]:
    return {w.lower() for w in re.findall(r"[A-Za-z][A-Za-z_-]+", text)} - {"ana"}


def texts(blocks: Any) -> Iterator[str]:
    """What a person reads of Slack's blocks; a time is Slack's own notation."""
    if isinstance(blocks, str):
        yield blocks
    elif isinstance(blocks, list | tuple):
        for each in cast("list[Any]", blocks):
            yield from texts(each)
    elif isinstance(blocks, dict):
        known = cast("dict[str, Any]", blocks)
        for value in (known.get(key) for key in ("text", "title", "close", "blocks", "elements")):
            if known.get("type") != "mrkdwn":
                yield from texts(value)
