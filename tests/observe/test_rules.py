"""Rules: the pure evaluation, their tools, and alerts that reach the alerts port once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offline.brain import Brain, Names
from tests.observe.worlds import NOW, observed, wave
from tests.support import FakeClock, RecordingAct, carry_out
from tools.catalog import by_name
from tools.contract import Call, Happened
from tools.errors import BadArguments, Unavailable
from tools.observe.base import Sample, Series
from tools.observe.catalog import TOOLS
from tools.observe.rule_store import RuleStore, built_in, declared
from tools.observe.rule_watch import RuleWatch
from tools.observe.rules import Key, Rule, RuleState, evaluate
from tools.world import World

EVERY = tuple(by_name().values())
BY_NAME = {tool.name: tool for tool in TOOLS}
STEP = 15.0


def line(values: Sequence[float], end: Any = NOW, **labels: str) -> Series:
    samples = wave("m", values, end=end, step=STEP)
    return Series("m", labels, "", tuple((s.at or NOW, s.value) for s in samples))


def run(rule: Rule, values: Sequence[float]) -> list[tuple[int, str]]:
    """Evaluate after each sample; which transition happened at which sample."""
    states: Mapping[Key, RuleState] = {}
    found: list[tuple[int, str]] = []
    for i in range(len(values)):
        now = NOW + timedelta(seconds=STEP * i)
        result = evaluate(rule, [line(values[: i + 1], end=now)], states, now)
        states = result.states
        found += [(i, t.to) for t in result.transitions]
    return found


def test_a_threshold_fires_after_its_duration_and_resolves_once() -> None:
    rule = Rule("r", "m", ">", 90, duration=60)
    values = [50.0] * 2 + [95.0] * 8 + [50.0] * 3
    assert run(rule, values) == [(2, "pending"), (6, "firing"), (10, "resolved")]


def test_a_short_excursion_only_pends() -> None:
    assert run(Rule("r", "m", ">", 90, duration=60), [95, 95, 50, 95, 95]) == [
        (0, "pending"), (3, "pending"),
    ]  # fmt: skip


@given(
    values=st.lists(st.sampled_from([0.0, 100.0]), max_size=40),
    duration=st.sampled_from([0.0, 15.0, 45.0, 120.0]),
)
def test_firing_needs_its_duration_and_ends_before_it_begins_again(
    values: list[float], duration: float
) -> None:
    changes = run(Rule("r", "m", ">", 90, duration=duration), values)
    firing = [i for i, to in changes if to == "firing"]
    for i in firing:
        need = int(duration // STEP)
        assert i >= need
        assert all(v == 100.0 for v in values[i - need : i + 1])
    told = [to for _, to in changes if to != "pending"]
    assert told == ["firing", "resolved"] * (len(told) // 2) + ["firing"] * (len(told) % 2)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_looking_twice_at_the_same_moment_changes_nothing(values: list[float]) -> None:
    rule = Rule("r", "m", ">", 50, duration=30)
    once = evaluate(rule, [line(values)], {}, NOW)
    again = evaluate(rule, [line(values)], once.states, NOW)
    assert again.states == once.states
    assert again.transitions == ()


def test_a_rate_compares_the_change_over_its_duration() -> None:
    rule = Rule("r", "m", ">", 0, duration=60, kind="rate")
    values = [7.0] * 5 + [8.0] + [8.0] * 6
    changes = run(rule, values)
    assert changes[0] == (5, "firing")
    assert changes[1][1] == "resolved"


def test_falling_is_a_rate_too() -> None:
    rule = Rule("r", "m", "<", -10, duration=60, kind="rate")
    assert "firing" in [to for _, to in run(rule, [100, 99, 98, 80])]


def test_an_anomaly_is_far_from_its_own_past() -> None:
    rule = Rule("r", "m", ">", 6, duration=30, kind="anomaly")
    calm = [50.0 + (i % 5) for i in range(200)]
    assert run(rule, calm) == []
    assert [to for _, to in run(rule, [*calm, 120, 120, 120, 120])] == ["pending", "firing"]
    assert run(rule, [*calm, 10, 10, 10, 10]) == [], "only upward was asked for"
    down = Rule("r", "m", "<", 6, duration=30, kind="anomaly")
    assert "firing" in [to for _, to in run(down, [*calm, 1, 1, 1, 1])]


def test_little_history_is_no_anomaly() -> None:
    assert run(Rule("r", "m", ">", 3, duration=0, kind="anomaly"), [1, 1, 1, 1, 900]) == []


def test_a_gpu_unlike_its_peers_is_found_and_peers_are_those_of_its_job() -> None:
    rule = Rule("r", "m", "<", 6, duration=0, kind="peer")
    job = [line([1980.0 - i], gpu=str(i), hpc_job="7") for i in range(7)]
    slow = line([900.0], gpu="7", hpc_job="7")
    other = [line([400.0 + i], gpu=str(i), hpc_job="8") for i in range(2)]
    result = evaluate(rule, [*job, slow, *other], {}, NOW)
    assert [t.labels["gpu"] for t in result.transitions] == ["7"]
    few = evaluate(rule, [job[0], job[1], slow], {}, NOW)
    assert few.transitions == (), "two peers prove nothing"


def test_a_stale_or_vanished_series_resolves() -> None:
    rule = Rule("r", "m", ">", 1, duration=0)
    firing = evaluate(rule, [line([5.0], gpu="0")], {}, NOW)
    later = NOW + timedelta(minutes=10)
    stale = evaluate(rule, [line([5.0], gpu="0")], firing.states, later)
    gone = evaluate(rule, [], firing.states, later)
    assert [t.to for t in stale.transitions] == [t.to for t in gone.transitions] == ["resolved"]


def test_a_switched_off_rule_is_silent() -> None:
    rule = Rule("r", "m", ">", 1, duration=0, enabled=False)
    assert evaluate(rule, [line([5.0])], {}, NOW).transitions == ()


def test_the_built_in_rules_use_metrics_that_exist() -> None:
    from tools.observe import metrics

    for rule in built_in().values():
        assert metrics.named(rule.metric).name == rule.metric


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("text", "must be a mapping"),
        ({"metric": "cpu_percent"}, "needs a metric and a threshold"),
        ({"metric": "cpu_percent", "threshold": "much"}, "could not convert"),
        ({"metric": "cpu_percent", "threshold": 1, "op": "=="}, "op must be one of"),
        ({"metric": "cpu_percent", "threshold": 1, "duration": "soon"}, "not a duration"),
        ({"metric": "cpu_percent", "threshold": 1, "for": "5m"}, "for is not known"),
    ],
)
def test_a_wrong_rule_in_the_fleet_file_is_named(row: object, says: str) -> None:
    with pytest.raises(BadArguments, match=says) as caught:
        list(declared({"mine": row}))
    assert "mine" in caught.value.en


class Inbox:
    """An alerts port that keeps what it is given, and refuses when told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, str]] = []
        self.refuse = False

    def receive(self, payload: Mapping[str, Any], source: str = "alertmanager") -> None:
        if self.refuse:
            raise Unavailable("The store is full.")
        assert payload["version"] == "4"
        assert source == "rules"
        for alert in payload["alerts"]:
            labels = alert["labels"]
            self.got.append((labels["alertname"], labels.get("gpu", ""), alert["status"]))

    def alerts(self, state: str | None = None, *, limit: int = 500) -> Sequence[Any]:
        return ()


def watched(tmp_path: Path) -> tuple[World, Inbox, RuleWatch]:
    inbox = Inbox()
    world = observed(tmp_path, alerts=lambda _: inbox)
    return world, inbox, RuleWatch(world)


def tick(world: World, value: float, metric: str = "gpu_temperature", **labels: str) -> None:
    world.clock.sleep(15)
    world.port("telemetry").record([Sample(metric, value, labels)])


def test_a_hot_gpu_is_told_once_and_then_resolved(tmp_path: Path) -> None:
    world, inbox, watch = watched(tmp_path)
    for value in [95.0] * 30 + [60.0] * 3:
        tick(world, value, gpu="3")
        watch.look(world.clock.now())
    assert inbox.got == [
        ("GPUHighTemperature", "3", "firing"),
        ("GPUHighTemperature", "3", "resolved"),
    ]


def test_the_alert_book_takes_what_the_rules_send(tmp_path: Path) -> None:
    from tools.alerts.book import build

    world = observed(tmp_path, alerts=build)
    watch = RuleWatch(world)
    for value in (1.0, 1.0, 1.0, 1.0):
        tick(world, value, "gpu_lost", gpu="0")
        watch.look(world.clock.now())
    (alert,) = world.port("alerts").alerts("firing")
    assert (alert.name, alert.severity, alert.source) == ("GPUFallenOffBus", "critical", "rules")
    assert alert.labels["gpu"] == "0"
    assert alert.annotations["description"] == "gpu_lost > 0 for 30 s"
    tick(world, 0.0, "gpu_lost", gpu="0")
    watch.look(world.clock.now())
    assert world.port("alerts").alerts("firing") == []
    assert len(world.port("alerts").alerts("resolved")) == 1
    events = ask_events(world)
    assert [(e.source, e.text.split(":")[0]) for e in events] == [
        ("alert", "GPUFallenOffBus resolved")
    ]


def ask_events(world: World) -> Sequence[Any]:
    from tools.observe.timeline import gather

    found = gather(world, timedelta(hours=2))
    return [e for e in found.happenings if e.source == "alert"]


def test_a_restart_does_not_forget_how_long_it_has_been_hot(tmp_path: Path) -> None:
    world, inbox, _ = watched(tmp_path)
    for _ in range(24):
        tick(world, 95.0, gpu="3")
        RuleWatch(world).look(world.clock.now())
    assert inbox.got == [("GPUHighTemperature", "3", "firing")]


def test_what_could_not_be_delivered_is_delivered_later(tmp_path: Path) -> None:
    world, inbox, watch = watched(tmp_path)
    inbox.refuse = True
    tick(world, 1.0, "gpu_lost", gpu="0")
    watch.look(world.clock.now())
    for _ in range(3):
        tick(world, 1.0, "gpu_lost", gpu="0")
        try:
            watch.look(world.clock.now())
        except Unavailable:
            continue
    assert inbox.got == []
    inbox.refuse = False
    tick(world, 1.0, "gpu_lost", gpu="0")
    watch.look(world.clock.now())
    assert inbox.got == [("GPUFallenOffBus", "0", "firing")]


def test_setting_a_rule_and_undoing_it(tmp_path: Path) -> None:
    world = observed(tmp_path)
    world.port("telemetry").record(wave("cpu_percent", [95.0] * 40 + [10.0] * 10))
    tool = BY_NAME["set_alert_rule"]
    args = {"metric": "cpu", "threshold": 90, "duration": "5m"}
    plan, outcome, verdict = carry_out(world, tool, **args)
    assert plan.title.startswith(
        "Set the alert rule cpu_percent_above: cpu_percent > 90 % for 5 min"
    )
    assert plan.diff == "- (no such rule)\n+ cpu_percent > 90 % for 5 min (warning)"
    assert "in the last day: 1 time." in plan.blast_radius
    assert verdict.ok
    change: Any = tool.change
    assert change.happened(world, plan, "test-1") is Happened.YES
    assert change.undo(world, plan, outcome) == Call(
        "remove_alert_rule", {"name": "cpu_percent_above"}
    )
    removal = BY_NAME["remove_alert_rule"]
    _, _, gone = carry_out(world, removal, "test-2", name="cpu_percent_above")
    assert gone.ok
    assert "cpu_percent_above" not in RuleStore(world).rules()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("alert me when p95 goes above 500ms", "latency_p95_seconds > 500 ms for 5 min"),
        ("alert when p95_latency is above 500", "latency_p95_seconds > 500 ms for 5 min"),
        ("p95 延迟超过 800 毫秒持续 10 分钟就告警", "latency_p95_seconds > 800 ms for 10 min"),
        ("tell me when latency is over 2s", "latency_p95_seconds > 2 s for 5 min"),
        ("alert when latency_p95_seconds is above 0.5", "latency_p95_seconds > 500 ms for 5 min"),
        ("alert when latency_p95_seconds is above 700ms", "latency_p95_seconds > 700 ms for 5 min"),
    ],
)
def test_a_latency_is_said_in_milliseconds(tmp_path: Path, said: str, line: str) -> None:
    (call,) = Brain(EVERY, Names()).understand(said).calls
    tool = BY_NAME["set_alert_rule"]
    assert call.tool == tool.name
    change: Any = tool.change
    plan = change.plan(observed(tmp_path), tool.bind(tool.arguments(call.args)))
    assert line in plan.diff
    assert ("milliseconds" in " ".join(plan.warnings)) == ("_seconds" not in said)


def test_changing_a_rule_is_undone_to_what_it_was(tmp_path: Path) -> None:
    world = observed(tmp_path)
    tool = BY_NAME["set_alert_rule"]
    args = {"metric": "gpu_temperature", "threshold": 80, "name": "GPUHighTemperature"}
    plan, outcome, _ = carry_out(world, tool, **args)
    assert plan.target.version == "0"
    change: Any = tool.change
    call = change.undo(world, plan, outcome)
    assert call.args["threshold"] == 85
    carry_out(world, tool, "test-2", **call.args)
    rule = RuleStore(world).rules()["GPUHighTemperature"]
    assert (rule.threshold, rule.duration) == (85, 300)


def test_planning_again_gives_the_same_target_and_diff(tmp_path: Path) -> None:
    world = observed(tmp_path)
    tool = BY_NAME["set_alert_rule"]
    change: Any = tool.change
    bound = tool.bind(tool.arguments({"metric": "memory", "threshold": 80}))
    first = change.plan(world, bound)
    world.clock.sleep(300)
    world.port("telemetry").record([Sample("memory_percent", 50.0)])
    again = change.plan(world, bound)
    assert (first.target, first.diff, first.title, first.details) == (
        again.target, again.diff, again.title, again.details,
    )  # fmt: skip


def test_applying_twice_under_one_id_is_one_change(tmp_path: Path) -> None:
    world = observed(tmp_path)
    tool = BY_NAME["set_alert_rule"]
    change: Any = tool.change
    plan = change.plan(world, tool.bind(tool.arguments({"metric": "cpu", "threshold": 80})))
    assert change.happened(world, plan, "same") is Happened.NO
    for _ in range(2):
        change.apply(world, plan, RecordingAct("same"))
    assert RuleStore(world).version("cpu_percent_above") == "1"
    assert change.happened(world, plan, "other") is Happened.UNSURE


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"metric": "cpu"}, "Name a threshold"),
        ({"metric": "cpu", "threshold": 900}, "between 0 and 100"),
        ({"metric": "error rate", "threshold": 5}, r"for 5 % say 0\.05"),
        ({"metric": "no_such_metric", "threshold": 5}, "no metric named"),
        ({"metric": "sum(rate(x[5m]))", "threshold": 5}, "PromQL belongs"),
    ],
)
def test_nonsense_is_not_proposed(tmp_path: Path, args: dict[str, Any], says: str) -> None:
    tool = BY_NAME["set_alert_rule"]
    change: Any = tool.change
    with pytest.raises(BadArguments, match=says):
        change.plan(observed(tmp_path), tool.bind(tool.arguments(args)))


def test_the_rule_that_is_already_there_is_not_proposed(tmp_path: Path) -> None:
    world = observed(tmp_path)
    tool = BY_NAME["set_alert_rule"]
    carry_out(world, tool, metric="cpu", threshold=90)
    change: Any = tool.change
    with pytest.raises(BadArguments, match="already so"):
        change.plan(world, tool.bind(tool.arguments({"metric": "cpu", "threshold": 90})))


def test_rules_are_listed_with_those_that_fire_first(tmp_path: Path) -> None:
    world, _, watch = watched(tmp_path)
    for _ in range(4):
        tick(world, 1.0, "gpu_lost", gpu="0")
        watch.look(world.clock.now())
    tool = BY_NAME["list_alert_rules"]
    assert tool.read is not None
    said = tool.read(world).say("en").splitlines()
    assert said[0].endswith("1 firing: GPUFallenOffBus.")
    assert "FIRING for 1" in said[1]
    assert "正在告警：GPUFallenOffBus" in tool.read(world).say("zh")


def test_the_fleet_file_overrides_and_a_person_overrides_the_fleet_file(tmp_path: Path) -> None:
    section = {"NodeDiskFull": {"metric": "disk_percent", "op": ">=", "threshold": 80}}
    world = observed(tmp_path, sections={"alert_rules": section}, clock=FakeClock(NOW))
    assert RuleStore(world).rules()["NodeDiskFull"].threshold == 80
    carry_out(
        world, BY_NAME["set_alert_rule"],
        metric="disk_percent", threshold=70, op=">=", name="NodeDiskFull",
    )  # fmt: skip
    assert RuleStore(world).rules()["NodeDiskFull"].threshold == 70
