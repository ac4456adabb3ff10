"""The clock as an actor: summaries by the real assistant on the embedded fleet, once each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import settings
from agent.bootstrap import App
from agent.errors import NotAllowed
from agent.events import Actor, Decision, Event, Message, Reply
from agent.fronts.scheduler import Hands, Scheduler
from tests.support import FakeClock
from tools.contract import Call
from tools.errors import BadArguments, Unavailable
from tools.notices.base import notices
from tools.schedules.base import schedules
from tools.summary.reporting import summarise

FLEET = """
name: lab
schedules:
  timezone: UTC
  summaries:
    morning: {{when: "0 9 * * *", channel: {channel}}}
notices:
  targets: {{team: {{file: team.log}}}}
slack: {{}}
"""
START = datetime(2026, 11, 23, 8, 59, tzinfo=UTC)


def open_app(home: Path, clock: FakeClock, channel: str = "team") -> App:
    home.mkdir(exist_ok=True)
    fleet = home / "steward.yaml"
    fleet.write_text(FLEET.format(channel=channel))
    environment = {"STEWARD_HOME": str(home / "state"), "STEWARD_FLEET": str(fleet), "USER": "ana"}
    app = App(settings.load(environment))
    app.world.clock = clock
    return app


def hands(app: App, **other: Any) -> Hands:
    given: dict[str, Any] = {
        "slots": schedules(app.world),
        "outbox": notices(app.world),
        "ask": app.assistant.handle,
        "summary": lambda window, lang: summarise(app.world, window).say(lang),
        "now": app.world.clock.now,
    }
    return Hands(**{**given, **other})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> App:
    app = open_app(tmp_path, clock)
    assert schedules(app.world).claim("met") == []
    clock.time += timedelta(minutes=1)
    return app


def posted(app: App) -> str:
    path = app.settings.home / "team.log"
    return path.read_text() if path.exists() else ""


def test_a_due_summary_is_written_by_the_assistant_and_posted_once(app: App) -> None:
    first, second = Scheduler(hands(app)), Scheduler(hands(app))
    for _ in range(2):
        for scheduler in (first, second):
            scheduler.summaries()
            scheduler.notices()
    said = posted(app)
    assert said.count("--- end of notice") == 1
    assert "Summary: morning" in said
    assert "lab, the last 24 h to Mon 2026-11-23 09:00 UTC" in said
    conversation = next(c for c in app.assistant.conversations.recent(timedelta(hours=1)))
    assert conversation.startswith("schedule:summary:file:morning:")


def test_a_chart_goes_along(app: App) -> None:
    picture = app.settings.home / "chart.png"
    scheduler = Scheduler(hands(app, chart=lambda _window: picture))
    scheduler.summaries()
    scheduler.notices()
    assert f"[attached: {picture}]" in posted(app)


def test_a_broken_chart_costs_only_the_picture(app: App) -> None:
    def broken(_window: str) -> Path:
        raise RuntimeError("no fonts")

    scheduler = Scheduler(hands(app, chart=broken))
    scheduler.summaries()
    scheduler.notices()
    assert posted(app).count("--- end of notice") == 1


def unusable(_message: Message) -> Iterator[Event]:
    yield Reply("the endpoint is down", "model", failed=True)


def raising(_message: Message) -> Iterator[Event]:
    raise Unavailable("The database is locked.")
    yield


@pytest.mark.parametrize("ask", [unusable, raising])
def test_without_a_usable_answer_the_plain_report_is_posted(app: App, ask: Any) -> None:
    scheduler = Scheduler(hands(app, ask=ask))
    scheduler.summaries()
    scheduler.notices()
    assert "Nothing" not in posted(app).splitlines()[1]
    assert "lab, the last 24 h" in posted(app)


def test_the_teams_language(app: App) -> None:
    scheduler = Scheduler(hands(app, language="zh"))
    scheduler.summaries()
    scheduler.notices()
    assert "状态摘要：morning" in posted(app)
    assert "最近 24 小时" in posted(app)


def test_a_late_one_says_so_and_counts_the_missed(app: App, clock: FakeClock) -> None:
    Scheduler(hands(app)).summaries()
    clock.time += timedelta(days=3, minutes=30)
    scheduler = Scheduler(
        hands(app, slots=schedules(open_app(app.settings.home.parent, clock).world))
    )
    scheduler.summaries()
    scheduler.notices()
    late = "Late: this was due at 2026-11-26 09:00 UTC. 2 earlier were missed while nothing ran."
    assert late in posted(app)


def _die_after_sending(home: str, start: datetime) -> None:
    app = open_app(Path(home), FakeClock(start))
    outbox = notices(app.world)

    class Deadly:
        def send(self, *args: Any, **named: Any) -> Any:
            outbox.send(*args, **named)
            os.kill(os.getpid(), signal.SIGKILL)

    Scheduler(hands(app, outbox=Deadly())).summaries()


def test_killed_between_outbox_and_done_it_is_there_once(
    app: App, clock: FakeClock, tmp_path: Path
) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=_die_after_sending, args=(str(tmp_path), clock.time)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    scheduler = Scheduler(hands(app))
    scheduler.summaries()
    assert schedules(app.world).claim("nobody yet") == []
    clock.time += timedelta(seconds=61)
    scheduler.summaries()
    scheduler.notices()
    assert posted(app).count("--- end of notice") == 1
    (one,) = schedules(app.world).all()
    run = schedules(app.world).last_run(one.uid)
    assert run is not None
    assert (run.state, run.attempts) == ("done", 2)


def test_slack_goes_through_the_front_and_waits_while_it_is_away(
    tmp_path: Path, clock: FakeClock
) -> None:
    app = open_app(tmp_path, clock, channel='"#ops"')
    schedules(app.world).claim("met")
    clock.time += timedelta(minutes=1)
    sent: list[tuple[str, str]] = []
    away = [True]

    def post(target: str, text: str, files: Sequence[Path] = (), key: str = "") -> None:
        if away:
            away.clear()
            raise Unavailable("Slack is not connected here; nothing was posted.")
        sent.append((target, key))

    scheduler = Scheduler(hands(app))
    scheduler.summaries(post)
    scheduler.notices(post)
    assert sent == []
    clock.time += timedelta(minutes=1)
    scheduler.notices(post)
    scheduler.notices(post)
    assert [target for target, _ in sent] == ["#ops"]


def test_a_channel_that_is_gone_is_told_in_the_list(tmp_path: Path, clock: FakeClock) -> None:
    app = open_app(tmp_path, clock, channel="nobody")
    schedules(app.world).claim("met")
    clock.time += timedelta(minutes=1)
    Scheduler(hands(app)).summaries()
    (one,) = schedules(app.world).all()
    run = schedules(app.world).last_run(one.uid)
    assert run is not None
    assert run.state == "failed"
    assert "no notice target named 'nobody'" in run.note


def test_secrets_in_an_answer_are_masked(app: App) -> None:
    def leaking(_message: Message) -> Iterator[Event]:
        yield Reply("the token=abcdef1234567890 was found", "model")

    scheduler = Scheduler(hands(app, ask=leaking))
    scheduler.summaries()
    scheduler.notices()
    assert "abcdef1234567890" not in posted(app)
    assert "token=" in posted(app)


def test_the_clock_cannot_decide(app: App) -> None:
    call = Call("schedule_summary", {"when": "0 10 * * *", "channel": "team"})
    ana = Actor("ana", "terminal", "ana")
    action = app.door.propose(call, ana, "c", "k")
    clockwork = Actor("ana", "scheduler", "morning")
    with pytest.raises(NotAllowed, match="Only a person can decide"):
        app.assistant.decide(Decision(action.number, action.digest, clockwork, "approve"))
    assert not hasattr(Hands, "decide")


def test_one_broken_duty_stops_no_other(app: App, caplog: pytest.LogCaptureFixture) -> None:
    import threading

    stop = threading.Event()

    def rules() -> None:
        stop.set()
        raise BadArguments("The rule is nonsense.")

    Scheduler(hands(app, rules=rules)).run(stop)
    assert "rules: The rule is nonsense." in caplog.text
