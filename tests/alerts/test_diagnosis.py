"""Diagnosis: recorded incidents, real faults, soft failure, and what a person reads."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.faults import CASES
from tests.alerts.incidents import INCIDENTS
from tests.alerts.recorded import RECORDED
from tests.alerts.stage import Case, fire, play
from tests.support import make_world
from tools.alerts.base import Feedback, alerts
from tools.alerts.book import build
from tools.alerts.catalog import TOOLS
from tools.alerts.collect import run as running
from tools.alerts.collect.base import Collected, Subject
from tools.alerts.facts import Fact, Facts
from tools.alerts.library import packaged_sources
from tools.alerts.playbook_reader import parse
from tools.alerts.priors import learnt
from tools.alerts.scoring import rank
from tools.contract import as_json
from tools.errors import BadArguments, Unavailable
from tools.models.jobs import open_jobs
from tools.platforms.router import Router
from tools.world import World

TOOL = {tool.name: tool for tool in TOOLS}
QUICK = ("job: NaN", "job: code error", "full disk", "healthy job, finished")
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("case", RECORDED, ids=lambda c: c.name)
def test_recorded_incidents(case: Case, tmp_path: Path):
    outcome = play(case, tmp_path)
    assert outcome.right, outcome.answer and outcome.answer.say("en")


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("case", [c for c in CASES if c.name in QUICK], ids=lambda c: c.name)
def test_real_faults(case: Case, tmp_path: Path):
    outcome = play(case, tmp_path)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.right, outcome.answer and outcome.answer.say("en")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("case", RECORDED[:4], ids=lambda c: c.name)
def test_an_answer_reads_well(case: Case, lang: Any, tmp_path: Path):
    answer = play(case, tmp_path).answer
    assert answer is not None
    said = answer.say(lang)
    first = said.splitlines()[0]
    assert first.startswith(("Most likely (", "Not certain", "最可能（")) or "尚不确定" in first
    assert all(len(line) <= 100 for line in said.splitlines())
    assert "{" not in said
    assert isinstance(as_json(answer), dict)


def _world(home: Path, **more: Any) -> World:
    def silent(_world: World) -> Any:
        raise Unavailable("The sensors do not answer; check them.", "传感器无应答。")

    ports = {"alerts": build, "telemetry": silent, **more}
    return make_world(home, platforms=lambda w: Router(w, {}), jobs=open_jobs, more=ports)


def test_a_name_that_nothing_has_is_told_with_its_neighbours(tmp_path: Path):
    with pytest.raises(BadArguments, match="GPUPowerBrake"):
        TOOL["diagnose"].read(_world(tmp_path), alert="GPUPowerBreak")  # type: ignore[misc]


def test_one_source_that_fails_or_hangs_leaves_the_others(tmp_path: Path):
    def good(_world: World, _subject: Subject) -> Collected:
        return Collected([Fact("xid", 79.0, "Xid 79", "kernel")], looked=("xid",))

    def broken(_world: World, _subject: Subject) -> Collected:
        raise ZeroDivisionError("oops")

    def absent(_world: World, _subject: Subject) -> Collected:
        raise Unavailable("Prometheus does not answer.")

    world = _world(tmp_path)
    found = running.gather(
        world,
        Subject("host", "h", NOW),
        [("kernel_log", good), ("host", broken), ("metrics", absent)],
    )
    assert [f.name for f in found.facts.all()] == ["xid"]
    assert [m.en for m in found.missing] == [
        "this machine: failed inside Steward (ZeroDivisionError: oops)",
        "metrics: Prometheus does not answer",
    ]


def test_a_collector_that_hangs_is_left_behind(tmp_path: Path):
    started = time.monotonic()

    def hangs(_world: World, _subject: Subject) -> Collected:
        time.sleep(60)
        return Collected()

    before, running.DEADLINE = running.DEADLINE, 0.3
    try:
        found = running.gather(_world(tmp_path), Subject("host", "h", NOW), [("gpu", hangs)])
    finally:
        running.DEADLINE = before
    assert time.monotonic() - started < 20
    assert "no answer within" in found.missing[0].en


def _facts(*found: tuple[str, Any], looked: tuple[str, ...] = ()) -> Facts:
    facts = Facts(Fact(n, v, f"{n} {v}", "test") for n, v in found)
    facts.looked.update(looked)
    return facts


LIBRARY = parse(packaged_sources())


def _ranked(book: str, facts: Facts, **more: Any) -> list[tuple[str, float]]:
    chosen = LIBRARY.of(book)
    assert chosen is not None
    return [(r.cause.id, r.confidence) for r in rank(chosen, LIBRARY.causes, facts, **more)]


def test_priors_alone_accuse_nobody():
    found = rank(LIBRARY.of("KubePodCrashLooping"), LIBRARY.causes, _facts())  # type: ignore[arg-type]
    assert all(r.support == 1.0 for r in found)
    assert sum(r.confidence for r in found) < 1.0


def test_decisive_evidence_wins_and_its_absence_costs():
    with_xid = dict(_ranked("GPUXidFatal", _facts(("xid", 79.0))))
    assert max(with_xid, key=lambda n: with_xid[n]) == "pcie_or_power"
    without = dict(_ranked("GPUXidFatal", _facts(looked=("xid", "kernel", "gpu.state"))))
    assert without["pcie_or_power"] < with_xid["pcie_or_power"]


def test_a_change_that_nobody_made_explains_nothing():
    made = dict(_ranked("KubePodCrashLooping", _facts(("change", "roll_out"))))
    none = dict(_ranked("KubePodCrashLooping", _facts(looked=("change",))))
    assert made["bad_change"] > 3 * none["bad_change"]


def test_evidence_after_the_onset_counts_less():
    early = Facts([Fact("xid", 79.0, "q", "kernel", NOW)])
    late = Facts([Fact("xid", 79.0, "q", "kernel", NOW + timedelta(minutes=9))])
    first = dict(_ranked("GPUXidFatal", early, began=NOW))
    second = dict(_ranked("GPUXidFatal", late, began=NOW))
    assert first["pcie_or_power"] > second["pcie_or_power"]


def test_the_same_line_seen_twice_is_one_voice():
    once = dict(_ranked("target/job", _facts(("log", "nan"))))
    twice = dict(
        _ranked("target/job", _facts(("log", "nan"), ("job.cause", "nan"), ("job.nan", "yes")))
    )
    assert twice["overflow"] == pytest.approx(once["overflow"], abs=0.05)


def test_scope_decides_between_a_card_and_a_room():
    room = _ranked("GPUHighTemperature", _facts(("scope", "rack")))
    card = _ranked("GPUHighTemperature", _facts(("scope", "gpu"), ("gpu.hotter_than_peers", 20.0)))
    assert room[0][0] == "hot_room"
    assert card[0][0] == "thermal_interface"


def test_verdicts_move_the_priors_and_fade():
    book = LIBRARY.of("GPUHighTemperature")
    assert book is not None
    said = [Feedback("a", book.name, "hot_room", "ann", NOW)] * 5
    fresh = learnt(book, said, LIBRARY.causes, NOW)
    faded = learnt(book, said, LIBRARY.causes, NOW + timedelta(days=720))
    assert book.priors["hot_room"] < faded["hot_room"] < fresh["hot_room"]
    assert sum(fresh.values()) <= 1.0 + 1e-9
    assert learnt(book, [Feedback("a", book.name, "no_such", "x", NOW)], LIBRARY.causes, NOW) == (
        pytest.approx(learnt(book, [], LIBRARY.causes, NOW))
    )


def test_a_confirmed_cause_is_told_the_next_time(tmp_path: Path):
    from tools.observe.telemetry import build as telemetry

    world = make_world(
        tmp_path, platforms=lambda w: Router(w, {}), more={"alerts": build, "telemetry": telemetry}
    )
    fire(world, "GPUPowerBrake", source="alertmanager", instance="n9:9400", gpu="1", UUID="GPU-1")
    [incident] = alerts(world).incidents()
    alerts(world).remember(
        Feedback("GPUPowerBrake", "GPUPowerBrake", "power_supply", "ann", NOW, incident.number)
    )
    read = TOOL["diagnose"].read
    assert read is not None
    assert "Confirmed cause: power_supply" in read(world, alert="GPUPowerBrake").say("en")


def test_the_codes_of_a_switch_are_explained_beside_those_of_gpus(tmp_path: Path):
    explain = TOOL["explain_xid"]
    assert explain.read is not None
    world = _world(tmp_path)
    said = explain.read(world, code=20034).say("en")
    assert said.startswith("SXid 20034 (LTSSM Fault Up): ")
    assert "reset its GPUs and switches" in said.replace("\n", " ")
    assert "SXid 22003" in explain.read(world, code=22003).say("zh")
    assert "reboot" in explain.read(world, code=22003).say("en")
    assert "not in NVIDIA's published catalogue" in explain.read(world, code=54321).say("en")
    double = explain.read(world, code=48).say("en")
    assert "Then:" not in double, "the same advice is not given twice"


@pytest.mark.parametrize("case", INCIDENTS, ids=lambda c: c.name)
def test_incidents_of_another_hand(case: Case, tmp_path: Path):
    outcome = play(case, tmp_path)
    assert outcome.right, outcome.answer and outcome.answer.say("en")


def test_an_effect_is_answered_with_what_it_follows_from(tmp_path: Path):
    world = _world(tmp_path)
    fire(world, "NodeDown", source="alertmanager", node="n3")
    fire(world, "KubePodNotReady", source="alertmanager", node="n3", namespace="ml", pod="llm-0")
    said = TOOL["diagnose"].read(world, alert="KubePodNotReady").say("en")  # type: ignore[misc]
    first = " ".join(said.split())
    assert first.startswith("KubePodNotReady on n3 follows from NodeDown on n3")
    assert "由 NodeDown on n3 引起" in TOOL["diagnose"].read(world, alert="KubePodNotReady").say(
        "zh"
    )  # type: ignore[misc]
    own = TOOL["diagnose"].read(world, alert="NodeDown").say("en")  # type: ignore[misc]
    assert "follows" not in own


def test_a_kill_long_before_the_onset_ended_something_else():
    library = parse(packaged_sources())
    book = library.of("target/deployment")
    assert book is not None

    def belief(minutes: float) -> float:
        killed = Fact("kernel", "host_oom", "Killed process 7", "kernel", NOW)
        facts = Facts([killed, Fact("traffic.errors", 0.9, "93 % fail", "revision 2")])
        began = NOW + timedelta(minutes=minutes)
        ranked = rank(book, library.causes, facts, began=began)
        return next(r.confidence for r in ranked if r.cause.id == "memory_limit")

    assert belief(1) > 2 * belief(45)
