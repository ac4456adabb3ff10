"""Slack as its documentation allows it: fields left out, fields added, other words for the same."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import httpx
import pytest

from agent.fronts.metrics import Metrics
from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_errors import SlackRefused
from agent.fronts.slack_options import SlackOptions
from agent.fronts.slack_payloads import Access, Clicked, Ignored, Said, parse
from agent.settings import SlackSettings
from tests.fronts.serving import Loop, eventually
from tests.fronts.slack_room import Running
from tests.fronts.slack_standin import APP, BOT, SECRET, SlackStandin

pytestmark = pytest.mark.timeout(300)  # a loaded machine is slow, not wrong


@pytest.fixture
def api(slack: SlackStandin, loop: Loop) -> Any:
    async def make() -> SlackApi:
        one = SlackApi(SlackSettings(BOT, APP, SECRET, slack.url), Metrics())
        await one.open()
        return one

    one = loop.do(make())
    yield one
    loop.do(one.close())


def said(**event: Any) -> dict[str, Any]:
    base = {"type": "app_mention", "channel": "C1", "user": "UANA", "text": "<@UBOT> hi"}
    return {**base, "ts": "7.1", **event}


def callback(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event": event, **more}


ACCESS = Access(frozenset({"T1"}), None)


@pytest.mark.parametrize(
    ("body", "team"),
    [
        (callback(said()), "T1"),
        (callback(said(), authorizations=None), "T1"),
        ({**callback(said()), "team_id": None, "authorizations": [{"team_id": "T1"}]}, "T1"),
        ({"type": "event_callback", "event": said(team="T1"), "authorizations": []}, "T1"),
        (callback(said(team="T1", event_ts="7.1", client_msg_id="x", blocks=[])), "T1"),
        (callback(said(), enterprise_id="E1", is_ext_shared_channel=False, new_field={}), "T1"),
    ],
)
def test_an_event_with_less_or_more_around_it_is_the_same(body: dict[str, Any], team: str) -> None:
    heard = parse(body, "UBOT")
    assert isinstance(heard, Said)
    assert (heard.team, heard.text, heard.mention) == (team, "<@UBOT> hi", True)
    assert ACCESS.refusal(heard, body) is None


@pytest.mark.parametrize(
    "body",
    [
        callback(said(team="T666")),
        callback(said(user_team="T666")),
        callback(said(source_team="T666")),
        {**callback(said()), "team_id": "T666"},
        {"type": "event_callback", "event": said()},
        {**callback(said()), "team_id": None, "authorizations": [{"team_id": "T666"}]},
    ],
)
def test_whoever_names_another_workspace_anywhere_is_not_heard(body: dict[str, Any]) -> None:
    heard = parse(body, "UBOT")
    assert isinstance(heard, Said)
    assert ACCESS.refusal(heard, body) == "workspace"


@pytest.mark.parametrize(
    ("channel_type", "channel", "direct"),
    [
        ("im", "D1", True),
        ("app_home", "D1", True),
        (None, "D1", True),
        ("mpim", "G1", False),
        ("group", "G1", False),
        ("channel", "C1", False),
    ],
)
def test_which_channels_are_direct(channel_type: str | None, channel: str, direct: bool) -> None:
    event = said(type="message", text="hi", channel=channel, channel_type=channel_type)
    heard = parse(callback(event), "UBOT")
    assert isinstance(heard, Said)
    assert (heard.direct, heard.mention) == (direct, False)
    mentioned = parse(callback({**event, "text": "hi <@UBOT>"}), "UBOT")
    assert isinstance(mentioned, Said)
    assert mentioned.mention, "in a group message a mention is a message that names it"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "channel": "C1", "ts": "1.1"},
        {"type": "message", "subtype": "channel_join", "user": "UANA", "channel": "C1", "ts": "1"},
        {"type": "message", "subtype": "message_replied", "channel": "C1", "ts": "1.1"},
        {"type": "message", "channel": "C1", "ts": "1.1", "text": "nobody said it"},
        said(bot_id="B1"),
        said(user="UBOT"),
        {"type": "app_home_opened", "user": "UANA", "channel": "D1", "tab": "messages"},
        {"type": "assistant_thread_context_changed", "assistant_thread": {}},
        {"type": "something_invented_tomorrow"},
        {},
    ],
)
def test_what_is_no_question_is_ignored(event: dict[str, Any]) -> None:
    assert isinstance(parse(callback(event), "UBOT"), Ignored)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1, "token": "x"},
        {"type": "view_submission", "team": {"id": "T1"}, "view": {}},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions"},
        {"type": "event_callback", "team_id": "T1"},
        {},
    ],
)
def test_other_payloads_are_ignored(body: dict[str, Any]) -> None:
    assert isinstance(parse(body, "UBOT"), Ignored)


CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "UANA", "username": "ana", "name": "ana", "team_id": "T1"},
    "api_app_id": "A1",
    "token": "x",
    "container": {"type": "message", "message_ts": "7.2", "channel_id": "C1", "thread_ts": "7.1"},
    "trigger_id": "t",
    "team": {"id": "T1", "domain": "d"},
    "enterprise": None,
    "is_enterprise_install": False,
    "channel": {"id": "C1", "name": "general"},
    "message": {"ts": "7.2", "thread_ts": "7.1", "type": "message", "bot_id": "B1"},
    "state": {"values": {}},
    "response_url": "https://hooks.slack.com/actions/T1/1/x",
    "actions": [
        {"type": "button", "action_id": "steward_approve", "value": '{"action": 1, "digest": "d"}'}
    ],
}


@pytest.mark.parametrize(
    "left_out",
    [
        (),
        ("message",),
        ("container",),
        ("channel",),
        ("team",),
        ("state", "response_url", "enterprise", "token", "api_app_id"),
        ("message", "channel"),
    ],
)
def test_a_click_with_fields_left_out_is_the_same_click(left_out: tuple[str, ...]) -> None:
    body = {k: v for k, v in CLICK.items() if k not in left_out}
    clicked = parse(body, "UBOT")
    assert isinstance(clicked, Clicked)
    assert (clicked.team, clicked.channel, clicked.user) == ("T1", "C1", "UANA")
    assert (clicked.message, clicked.thread, clicked.number) == ("7.2", "7.1", 1)


def test_a_click_in_an_organisation_names_the_workspace_of_the_person() -> None:
    body = {**CLICK, "team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True}
    clicked = parse(body, "UBOT")
    assert isinstance(clicked, Clicked)
    assert clicked.team == "T1"
    body = copy.deepcopy(body)
    body["user"]["team_id"] = "T666"
    foreign = parse(body, "UBOT")
    assert isinstance(foreign, Clicked)
    assert ACCESS.refusal(foreign, body) == "workspace"


def test_envelopes_of_every_kind_are_acknowledged(start: Any, slack: SlackStandin) -> None:
    start()
    bare = slack.callback(said())
    bare = {k: bare[k] for k in ("type", "team_id", "event")}
    for kind, payload in (
        ("events_api", {"type": "app_rate_limited", "team_id": "T1"}),
        ("interactive", {"type": "shortcut", "callback_id": "x"}),
        ("slash_commands", {"command": "/x", "text": "approve 1"}),
        ("something_new", {"a": 1}),
        ("events_api", bare),
    ):
        envelope = slack.deliver(kind, payload)
        assert slack.ack(envelope).times == 1, kind
    for document in ({"type": "events_api"}, {"type": "interactive", "payload": None}):
        envelope = slack.deliver_raw({**document, "envelope_id": f"e-{document['type']}"})
        slack.ack(envelope)
    slack.deliver_raw({"type": "hello"})
    slack.deliver_raw({"type": "goodbye", "reason": "x"})
    assert len(slack.answers("C1", "7.1")) == 1, "an event without an id is answered once"


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets", None])
def test_every_reason_to_reconnect_is_followed(
    start: Any,
    slack: SlackStandin,
    reason: str | None,
) -> None:
    start()
    more = {"reason": reason} if reason else {}
    slack.deliver_raw({"type": "disconnect", "debug_info": {"host": "h"}, **more})
    slack.connected(2)
    assert slack.answers("C1", slack.mention("still there"))


def test_a_limit_on_a_nicety_is_respected_and_costs_nothing(
    start: Any,
    slack: SlackStandin,
) -> None:
    start()
    slack.state.failures["assistant.threads.setStatus"] = [429]
    slack.state.failures["chat.startStream"] = [429, "ratelimited"]
    for _ in range(3):
        ts = slack.mention("stream 300")
        assert "word299" in slack.answers("C1", ts)[-1]["text"]
        assert len(slack.thread("C1", ts)) == 1
    assert slack.state.early_after_429 == 0


@pytest.mark.parametrize(
    "method",
    ["files.getUploadURLExternal", "files.completeUploadExternal", "conversations.replies"],
)
def test_limits_and_faults_of_any_method_are_waited_out(
    start: Any,
    slack: SlackStandin,
    method: str,
) -> None:
    start()
    slack.state.failures["chat.postMessage"] = ["lost"] if "replies" in method else []
    slack.state.failures[method] = [429, 503] if "complete" not in method else [429]
    ts = slack.mention("long 2000")
    file = eventually(lambda: slack.state.files)[0]
    assert (file["thread_ts"], len(slack.state.files)) == (ts, 1)
    assert len(slack.thread("C1", ts)) == 1
    assert slack.state.early_after_429 == 0


def test_an_upload_that_the_store_refuses_is_told(
    api: SlackApi, slack: SlackStandin, loop: Loop
) -> None:
    slack.state.upload_status = 403
    with pytest.raises(SlackRefused, match="HTTP 403"):
        loop.do(api.upload("C1", "7.1", "a.png", "a", b"png"))
    assert slack.state.files == []


def test_a_post_lost_in_a_channel_given_by_name_is_found_by_its_id(
    start: Any,
    slack: SlackStandin,
    loop: Loop,
) -> None:
    running = start()
    slack.state.failures["chat.postMessage"] = ["lost"]
    loop.do(running.front.post("#ml", "the summary", [], "k1"))
    loop.do(running.front.post("#ml", "the summary", [], "k1"))
    assert [m["text"] for (c, _), m in slack.state.messages.items() if c == "ml"] == ["the summary"]


def reply(running: Running, slack: SlackStandin, ts: str, text: str, **more: Any) -> None:
    base = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "UANA"}
    at = f"{time.time():.6f}"
    slack.ack(slack.event({**base, "text": text, "ts": at, "thread_ts": ts, **more}))


def test_an_answer_to_its_own_question_needs_no_mention(start: Any, slack: SlackStandin) -> None:
    running = start()
    ts = slack.mention("which version")
    slack.answers("C1", ts)
    reply(running, slack, ts, "version 3", user="UBOB")
    reply(running, slack, ts, "<@UBOB> do you know?")
    assert len(slack.answers("C1", ts)) == 1, "other people, and words to other people"
    reply(running, slack, ts, "version 2")
    assert slack.answers("C1", ts, 2)[1]["text"] == "You said: version 2"
    reply(running, slack, ts, "thanks")
    slack.answers("C1", slack.mention("last"))
    assert len(slack.thread("C1", ts)) == 2, "it asked nothing any more"


def gone(slack: SlackStandin, ts: str) -> None:
    """A deletion that does not repeat the words."""
    event = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": ts}
    slack.ack(slack.event({**event, "ts": "9.9", "previous_message": {"ts": ts}}))


def test_a_question_deleted_without_its_words_is_not_answered(
    start: Any, slack: SlackStandin
) -> None:
    start(SlackOptions(workers=1))
    first = slack.mention("wait 1 first")
    second = slack.mention("second question")
    gone(slack, second)
    slack.answers("C1", first)
    slack.answers("C1", slack.mention("third"))
    assert slack.thread("C1", second) == []


def test_a_stream_whose_question_is_deleted_is_ended(start: Any, slack: SlackStandin) -> None:
    start()
    ts = slack.mention("drip 60")
    piece = eventually(lambda: slack.thread("C1", ts))[0]
    gone(slack, ts)
    eventually(lambda: not piece["streaming"])
    assert len(slack.thread("C1", ts)) == 1
    assert "word59" not in piece["text"]


def test_a_mention_may_carry_a_name() -> None:
    event = said(type="message", text="hi <@UBOT|steward>", channel="G1", channel_type="mpim")
    heard = parse(callback(event), "UBOT")
    assert isinstance(heard, Said)
    assert heard.mention


def test_http_mode_knows_slacks_own_checks(
    start: Any,
    slack: SlackStandin,
    loop: Loop,
) -> None:
    running = start(SlackOptions(mode="http", workspaces=("T1",)))

    def send(raw: str, kind: str, **more: str) -> tuple[int, bytes]:
        headers = {**slack.sign(raw), "content-type": kind, **more}
        status, _, body = loop.do(running.front.wire.request(raw.encode(), headers))
        return status, body

    form, js = "application/x-www-form-urlencoded", "application/json"
    challenge = {"type": "url_verification", "challenge": "c-1", "token": "x"}
    assert (
        send(json.dumps(challenge), js) == (200, b"c-1")
        or b"c-1" in send(json.dumps({**challenge, "token": "y"}), js)[1]
    )
    assert send("ssl_check=1&token=x", form)[0] == 200
    payload = httpx.QueryParams({"payload": json.dumps({"type": "shortcut"})})
    assert send(str(payload), form)[0] == 200
    assert send("command=%2Fsteward&text=approve+1&team_id=T1", form)[0] == 200
    for broken in ("payload=%7Bnot+json", "", "\x00", "[]"):
        assert send(broken, form)[0] in (200, 400)
    for broken in ("{not json", "[1]", '"x"'):
        assert send(broken, js)[0] in (200, 400)
    assert send(json.dumps(slack.callback(said())), "application/json; charset=utf-8")[0] == 200
    assert slack.answers("C1", "7.1")
