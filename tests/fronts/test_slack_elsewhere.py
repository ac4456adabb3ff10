"""Slack as others build it: without niceties, with other refusals, with names for ids."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from agent.events import Actor
from agent.fronts.metrics import Metrics
from agent.fronts.notes import IncidentNote
from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_errors import SlackRefused
from agent.fronts.slack_options import SlackOptions
from agent.fronts.slack_payloads import Deleted, Ignored, parse
from agent.settings import SlackSettings
from tests.fronts.serving import Loop, eventually
from tests.fronts.slack_standin import APP, BOT, SECRET, SlackStandin, words
from tools.contract import Call

pytestmark = pytest.mark.timeout(300)  # a loaded machine is slow, not wrong

ALL_BUT_POSTING = {
    "assistant.threads.setStatus",
    "assistant.threads.setTitle",
    "assistant.threads.setSuggestedPrompts",
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.update",
    "chat.postEphemeral",
    "conversations.replies",
    "conversations.history",
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
    "views.open",
}


@pytest.mark.parametrize("status", [200, 404])
def test_with_nothing_but_posting_everything_essential_works(
    start: Any,
    slack: SlackStandin,
    status: int,
) -> None:
    slack.state.absent, slack.state.absent_as = ALL_BUT_POSTING, status
    running = start()
    begin = time.monotonic()
    ts = slack.mention("stream 40")
    assert "word39" in slack.answers("C1", ts)[0]["text"]
    assert time.monotonic() - begin < 30, "nothing waits for what is not there"
    asked = len(slack.called("assistant.threads.setStatus"))
    ts = slack.mention("set 5")
    card = slack.cards("C1", ts)[0]
    assert len(slack.called("assistant.threads.setStatus")) == asked, "it is not asked for again"
    slack.click("steward_approve", card, "UEVE")
    said = eventually(lambda: slack.state.responses)[0]
    assert (said["response_type"], "may not decide" in said["text"]) == ("ephemeral", True)
    slack.click("steward_details", card, "UANA")
    eventually(lambda: [r for r in slack.state.responses if "value = 5" in r["text"]])
    slack.click("steward_approve", card, "UBOB")
    eventually(lambda: running.assistant.door.ledger.get(1).state == "approved")
    running.assistant.run(1)
    eventually(lambda: "done and verified" in words(slack.cards("C1", ts)[-1]))
    told = eventually(lambda: [a for a in slack.answers("C1", ts, 2) if "verified" in a["text"]])
    assert len(told) == 1
    ts = slack.mention("long 2000")
    failed = eventually(lambda: [a for a in slack.answers("C1", ts) if "attached" in a["text"]])
    assert "this address does not offer it" in failed[0]["text"]


def test_a_card_refused_as_too_rich_is_shown_plainer(
    start: Any,
    slack: SlackStandin,
) -> None:
    slack.state.refused_blocks = {"rich_text", "context"}
    running = start()
    ts = slack.mention("set 5")
    card = slack.cards("C1", ts)[0]
    assert "value = 5" in words(card)
    slack.click("steward_approve", card, "UBOB")
    eventually(lambda: running.assistant.door.ledger.get(1).state == "approved")
    running.assistant.run(1)
    eventually(lambda: "done and verified" in words(card))


def test_a_channel_that_refuses_is_tried_less_and_less(
    start: Any,
    slack: SlackStandin,
) -> None:
    slack.state.closed = {"CAPPROVE"}
    running = start(SlackOptions(approvals="CAPPROVE"))
    ana = Actor("ana", "terminal", "ana")
    running.assistant.door.propose(Call("set_value", {"value": 5}), ana, "terminal:1", "k")
    eventually(lambda: slack.called("chat.postMessage"))
    time.sleep(3)
    assert len(slack.called("chat.postMessage")) <= 3
    slack.state.closed = set()
    card = eventually(lambda: [m for (c, _), m in slack.state.messages.items() if c == "CAPPROVE"])
    assert "value = 5" in words(card[0])


@pytest.mark.parametrize(
    ("method", "bot", "app"),
    [("auth.test", "xoxb-wrong", APP), ("apps.connections.open", BOT, "xapp-wrong")],
)
def test_a_wrong_token_is_told_with_the_remedy(
    slack: SlackStandin,
    loop: Loop,
    method: str,
    bot: str,
    app: str,
) -> None:
    async def connect() -> None:
        api = SlackApi(SlackSettings(bot, app, SECRET, slack.url), Metrics())
        try:
            await api.open()
            await api.socket_address()
        finally:
            await api.close()

    with pytest.raises(SlackRefused, match="wrong or was revoked") as refused:
        loop.do(connect())
    assert refused.value.en.startswith(f"Slack refused {method}: invalid_auth")


@pytest.mark.parametrize("elsewhere", ["forgets_metadata", "post_only"])
def test_a_lost_answer_is_found_where_metadata_is_not_kept_or_reading_is_by_post_only(
    start: Any,
    slack: SlackStandin,
    elsewhere: str,
) -> None:
    setattr(slack.state, elsewhere, True)
    start()
    slack.state.failures["chat.postMessage"] = ["lost"]
    ts = slack.mention("hello")
    slack.answers("C1", ts)
    slack.answers("C1", slack.mention("more"))
    assert len(slack.thread("C1", ts)) == 1


def test_a_lost_piece_of_a_stream_is_not_shown_twice(
    start: Any,
    slack: SlackStandin,
) -> None:
    slack.state.failures["chat.appendStream"] = ["lost"]
    start()
    ts = slack.mention("stream 300")
    whole = eventually(lambda: [m for m in slack.thread("C1", ts) if "word299" in m["text"]])
    eventually(lambda: not whole[0].get("streaming"))
    assert whole[0]["text"].count("word150 ") == 1
    assert len(slack.thread("C1", ts)) == 1


def test_a_channel_may_be_named_and_a_refused_picture_costs_nothing_else(
    start: Any,
    slack: SlackStandin,
    loop: Loop,
) -> None:
    running = start(SlackOptions(alerts="#alerts"))
    home = running.assistant.door.world.home
    picture = home / "chart.png"
    picture.write_bytes(b"png")
    loop.do(running.front.post("#ml", "the summary", [picture], "k1"))
    loop.do(running.front.post("#ml", "the summary", [picture], "k1"))
    posted = [m for (c, _), m in slack.state.messages.items() if c == "ml"]
    assert [m["text"] for m in posted] == ["the summary"]
    assert [f["channel_id"] for f in slack.state.files] == ["ml"]
    slack.state.always["files.completeUploadExternal"] = "file_uploads_disabled"
    note = IncidentNote("7:opened", "7", "opened", "HighLatency", "it is slow", lambda: picture)
    loop.do(running.front.tell(replace(note, ask="set 5")))
    root = next(m for (c, _), m in slack.state.messages.items() if c == "alerts")
    assert root["text"] == "*Incident 7*: HighLatency"
    slack.cards("alerts", root["ts"])


def test_an_incident_is_told_as_it_goes_each_thing_once(
    start: Any,
    slack: SlackStandin,
    loop: Loop,
) -> None:
    running = start(SlackOptions(alerts="CALERTS"))
    opened = IncidentNote("7:opened", "7", "opened", "HighLatency", "it is slow")
    joined = IncidentNote("7:joined:2", "7", "joined", "HighLatency", "2 alerts now")
    ended = IncidentNote("7:resolved:2:99", "7", "resolved", "HighLatency", "Resolved.\n10:00 x")
    late = IncidentNote("6:resolved:1:9", "6", "resolved", "Old", "Resolved.", quiet=True)
    for note in (late, opened, opened, opened, joined, joined, ended, ended):
        loop.do(running.front.tell(note))
    roots = [m for m in slack.state.messages.values() if m["channel"] == "CALERTS"]
    assert [m["text"] for m in roots if not m.get("thread_ts")] == ["*Resolved 7*: HighLatency"]
    root = next(m for m in roots if not m.get("thread_ts"))
    told = [m["text"] for m in slack.thread("CALERTS", root["ts"]) if m.get("thread_ts")]
    assert told == ["it is slow", "2 alerts now", "Resolved.\n```\n10:00 x\n```"]
    for _ in range(2):
        loop.do(running.front.tell(replace(opened, id="7:opened:99")))
    assert root["text"] == "*Incident 7*: HighLatency", "it fires again in the same thread"
    assert len(slack.thread("CALERTS", root["ts"])) == 5


def test_a_chart_that_cannot_be_drawn_costs_only_itself(
    start: Any,
    slack: SlackStandin,
    loop: Loop,
) -> None:
    def broken() -> Any:
        raise RuntimeError("no font")

    running = start(SlackOptions(alerts="CALERTS"))
    note = IncidentNote("8:opened", "8", "opened", "X", "x fires", broken, "look")
    loop.do(running.front.tell(note))
    root = next(m for m in slack.state.messages.values() if m["channel"] == "CALERTS")
    eventually(lambda: [m for m in slack.thread("CALERTS", root["ts"]) if "The toy" in m["text"]])


def test_a_tombstone_is_a_deletion_and_an_edit_is_not() -> None:
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "message": {"subtype": "tombstone", "ts": "7.1"},
        "previous_message": {"ts": "7.1", "user": "UANA", "text": "hello"},
    }
    body = {"type": "event_callback", "team_id": "T1", "event": event}
    assert parse(body, "UBOT") == Deleted("T1", "C1", "UANA", "7.1", "hello")
    edited = {**event, "message": {"ts": "7.1", "text": "hello again"}}
    assert isinstance(parse({**body, "event": edited}, "UBOT"), Ignored)


def test_an_answer_to_a_click_goes_nowhere_else(slack: SlackStandin, loop: Loop) -> None:
    async def respond(url: str) -> None:
        api = SlackApi(SlackSettings(BOT, APP, SECRET, slack.url), Metrics())
        await api.open()
        try:
            await api.respond(url, "hello")
        finally:
            await api.close()

    for url in (
        "http://169.254.169.254/latest",
        "https://hooks.slack.com.evil.test/x",
        "",
        "file:",
    ):
        with pytest.raises(SlackRefused):
            loop.do(respond(url))
    loop.do(respond(f"http://127.0.0.1:{slack.port}/respond/1"))
    assert [r["text"] for r in slack.state.responses] == ["hello"]


def test_a_new_thread_of_the_pane_is_named_after_its_question(
    start: Any,
    slack: SlackStandin,
) -> None:
    start()
    ts = slack.direct("look at the toy")
    slack.answers("DUANA", ts)
    slack.direct("and again", thread_ts=ts)
    slack.answers("DUANA", ts, 2)
    assert [t["title"] for t in slack.state.titles] == ["look at the toy"]


def test_whoever_takes_an_incident_ends_its_escalation(
    start: Any, slack: SlackStandin, loop: Loop
) -> None:
    running = start(SlackOptions(alerts="CALERTS"))
    taken: list[tuple[str, str]] = []

    def acknowledge(thread: str, who: str) -> bool:
        taken.append((thread, who))
        return len(taken) == 1

    running.front.incidents.acknowledge = acknowledge
    note = IncidentNote("9:opened", "9", "opened", "Down", "it is down", thread="incident:9")
    loop.do(running.front.tell(note))
    root = next(m for m in slack.state.messages.values() if m["channel"] == "CALERTS")
    assert "I have it" in words(root)
    slack.click("steward_have", root, "UBOB")
    eventually(lambda: [e for e in slack.state.ephemerals if "is yours" in e["text"]])
    eventually(
        lambda: [m for m in slack.thread("CALERTS", root["ts"]) if m["text"] == "bob has it"]
    )
    slack.click("steward_have", root, "UANA")
    eventually(lambda: [e for e in slack.state.ephemerals if "taken" in e["text"]])
    assert taken == [("incident:9", "bob"), ("incident:9", "ana")]
    loop.do(running.front.tell(replace(note, id="9:resolved:1:1", change="resolved")))
    assert "I have it" not in words(root)
