"""Slack's payloads as a closed union of values, and who may be heard. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from tools.contract import Json

BUTTONS = {
    "steward_approve": "approve",
    "steward_reject": "reject",
    "steward_details": "details",
    "steward_have": "have",
}
Button = Literal["approve", "reject", "details", "have"]


@dataclass(frozen=True, slots=True)
class Said:
    """A person spoke to Steward: a mention, a direct message, or a reply where it listens."""

    team: str
    channel: str
    user: str
    text: str
    ts: str
    thread: str
    direct: bool
    mention: bool

    @property
    def id(self) -> str:
        """The same for one message however many events tell of it."""
        mark = hashlib.sha256(f"{self.user}/{self.text}".encode()).hexdigest()[:10]
        return f"{self.channel}:{self.ts}:{mark}"


@dataclass(frozen=True, slots=True)
class Clicked:
    """A button of a card. ``number`` and ``digest`` are what the card showed.

    For ``have`` they are an incident and what escalates for it.
    """

    team: str
    channel: str
    user: str
    button: Button
    number: int
    digest: str
    message: str
    thread: str
    trigger: str
    respond: str = ""
    """Where Slack takes an answer for the person who clicked."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A person opened the assistant pane."""

    team: str
    channel: str
    user: str
    thread: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was deleted."""

    team: str
    channel: str
    user: str
    ts: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that Steward asks itself in a thread, on behalf of an alert."""

    team: str
    channel: str
    user: str
    thread: str
    text: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for Steward."""

    why: str


Incoming = Said | Clicked | Opened | Deleted | Asked
_KINDS: dict[str, type[Incoming]] = {k.__name__: k for k in (Said, Clicked, Opened, Deleted, Asked)}


def to_json(incoming: Incoming) -> dict[str, Json]:
    """Plain data for the inbox."""
    return {"kind": type(incoming).__name__, **asdict(incoming)}


def from_json(body: Mapping[str, Json]) -> Incoming:
    """The value behind :func:`to_json`."""
    fields = dict(cast("dict[str, Any]", body))
    return _KINDS[fields.pop("kind")](**fields)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may be heard. Empty means nobody: every doubt is a no."""

    workspaces: frozenset[str]
    users: frozenset[str] | None
    """Slack user ids; ``None`` is everybody of the workspaces (asking only; deciding is policy)."""

    def refusal(self, incoming: Incoming, body: Mapping[str, Any]) -> str | None:
        """Why this is not heard: ``workspace`` (say nothing) or ``user`` (say so), or ``None``."""
        if any(team not in self.workspaces for team in _teams(incoming, body)):
            return "workspace"
        if isinstance(incoming, Deleted) and not incoming.user:
            return None  # it only makes Steward silent, and does not always say whose it was
        if self.users is not None and incoming.user not in self.users:
            return "user"
        return None


def _teams(incoming: Incoming, body: Mapping[str, Any]) -> set[str]:
    """Every workspace a payload names: where it was installed and where the person is from."""
    event, user = _map(body.get("event")), _map(body.get("user"))
    from_event = (event.get("user_team"), event.get("source_team"), event.get("team"))
    named = (incoming.team, *from_event, user.get("team_id"))
    return {str(team) for team in named if team} or {""}


def _map(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def parse(body: Mapping[str, Any], bot: str) -> Incoming | Ignored:
    """What a payload means. Anything unusual is ignored, never an error."""
    try:
        match body.get("type"):
            case "event_callback":
                return _event(_team(body), body["event"], bot)
            case "block_actions":
                return _click(body)
            case other:
                return Ignored(f"payload {other}")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return Ignored(f"malformed: {type(error).__name__}")


def _team(body: Mapping[str, Any]) -> str:
    """The workspace an event is for; organisation-wide apps have it with the authorization."""
    first: Any = next(iter(body.get("authorizations") or ()), None)
    named = body.get("team_id") or _map(first).get("team_id") or _map(body["event"]).get("team")
    return str(named or "")


def _event(team: str, event: Mapping[str, Any], bot: str) -> Incoming | Ignored:
    match event["type"]:
        case "app_mention":
            return _said(team, event, bot)
        case "message" if _deletes(event):
            before = _map(event.get("previous_message"))
            ts = str(event.get("deleted_ts") or before["ts"])
            text, user = str(before.get("text", "")), str(before.get("user", ""))
            return Deleted(team, str(event["channel"]), user, ts, text)
        case "message":
            return _said(team, event, bot)
        case "assistant_thread_started":
            pane = event["assistant_thread"]
            return Opened(team, pane["channel_id"], pane["user_id"], pane["thread_ts"])
        case other:
            return Ignored(f"event {other}")


def _deletes(event: Mapping[str, Any]) -> bool:
    """A deleted message that has replies leaves a tombstone: a change, to Slack."""
    grave = _map(event.get("message")).get("subtype") == "tombstone"
    subtype = event.get("subtype")
    return subtype == "message_deleted" or (subtype == "message_changed" and grave)


def _said(team: str, event: Mapping[str, Any], bot: str) -> Incoming | Ignored:
    subtype = event.get("subtype")
    if subtype not in (None, "file_share", "thread_broadcast"):
        return Ignored(f"message {subtype}")
    if event.get("bot_id") or event.get("user") == bot or not event.get("user"):
        return Ignored("a bot's message")
    text, ts = str(event.get("text") or ""), str(event["ts"])
    return Said(
        team=team,
        channel=str(event["channel"]),
        user=str(event["user"]),
        text=text,
        ts=ts,
        thread=str(event.get("thread_ts") or ts),
        direct=event.get("channel_type") == "im" or str(event["channel"]).startswith("D"),
        mention=event["type"] == "app_mention"
        or bool(re.search(rf"<@{re.escape(bot)}(?:\|[^>]*)?>", text)),
    )


def _click(body: Mapping[str, Any]) -> Incoming | Ignored:
    action = body["actions"][0]
    button = BUTTONS.get(str(action.get("action_id")))
    if button is None:
        return Ignored(f"button {action.get('action_id')}")
    value = json.loads(action["value"])
    container, message = _map(body.get("container")), _map(body.get("message"))
    ts = str(container.get("message_ts") or message.get("ts") or "")
    channel = _map(body.get("channel")).get("id") or container.get("channel_id") or ""
    return Clicked(
        team=str(_map(body.get("team")).get("id") or body["user"].get("team_id") or ""),
        channel=str(channel),
        user=str(body["user"]["id"]),
        button=cast("Button", button),
        number=int(value["action"]),
        digest=str(value["digest"]),
        message=ts,
        thread=str(message.get("thread_ts") or container.get("thread_ts") or ts),
        trigger=str(body.get("trigger_id") or ""),
        respond=str(body.get("response_url") or ""),
    )
