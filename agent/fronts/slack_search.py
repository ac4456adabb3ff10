"""Reading what is in a channel or a thread, to find an own message again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_errors import SlackRefused, SlackUncertain

PAGES = 5
"""How many pages are searched."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to post: a channel, and a thread in it (empty for none)."""

    channel: str
    thread: str = ""
    user: str = ""
    """Who is answered, where somebody is."""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """Looks into Slack; what cannot be read counts as not there."""

    api: SlackApi

    async def messages(self, place: Place) -> list[Any]:
        """The messages of a thread, or the newest of a channel."""
        method = "conversations.replies" if place.thread else "conversations.history"
        asked = {
            "channel": await self.id_of(place.channel),
            "ts": place.thread or None,
            "limit": 200,
            "include_all_metadata": "true",
        }
        return await self._pages(method, "messages", asked)

    async def id_of(self, channel: str) -> str:
        """The id behind ``#name``: Slack takes posts to names, but reads by id only."""
        if not channel.startswith("#"):
            return channel
        asked = {"types": "public_channel,private_channel", "limit": 1000}
        found = await self._pages("conversations.list", "channels", asked)
        name = channel.removeprefix("#")
        return next((str(c["id"]) for c in found if c.get("name") == name), channel)

    async def _pages(self, method: str, name: str, asked: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        try:
            for _ in range(PAGES):
                answer = await self.api.call(method, **asked, cursor=cursor)
                found += answer.get(name) or []
                more: Any = answer.get("response_metadata") or {}
                cursor = more.get("next_cursor") or None
                if cursor is None:
                    break
        except (SlackRefused, SlackUncertain) as error:
            log.info("slack could not be searched", extra={"why": error.en})
        return found
