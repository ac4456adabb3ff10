"""Payloads as items of the inbox: what makes two of them the same. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agent.fronts.inbox import Item
from agent.fronts.slack_payloads import Asked, Deleted, Incoming, Opened, Said, to_json

FRONT = "slack"


def conversation_of(heard: Said | Asked) -> str:
    """A thread is a conversation."""
    return f"slack:{heard.team}:{heard.channel}:{heard.thread}"


def is_quick(item: Item) -> bool:
    """Whether it must not wait behind questions."""
    return item.body.get("kind") in ("Clicked", "Deleted", "Opened")


def delivery_of(body: Mapping[str, Any]) -> str:
    """What a retry has in common with the first try; the content keeps reused ids apart."""
    event = str(body.get("event_id") or "")
    content = json.dumps(body.get("event"), sort_keys=True, default=str)
    return f"ev:{event}:{hashlib.sha256(content.encode()).hexdigest()[:12]}" if event else ""


def item_of(incoming: Incoming, delivery: str) -> Item:
    """What is written into the inbox."""
    body = to_json(incoming)
    match incoming:
        case Said() as heard:
            return Item(FRONT, heard.id, conversation_of(heard), body, delivery)
        case Opened(channel=channel, thread=thread):
            return Item(FRONT, f"opened:{channel}:{thread}", "", body, delivery)
        case Deleted(channel=channel, ts=ts):
            return Item(FRONT, f"deleted:{channel}:{ts}", "", body, delivery)
        case _:
            return Item(FRONT, f"click:{delivery}"[:200], "", body)
