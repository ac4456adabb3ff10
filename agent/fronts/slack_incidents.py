"""Alerts in the thread: one thread per incident, opened before anybody asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.fronts.inbox import Inbox, Item
from agent.fronts.notes import IncidentNote
from agent.fronts.slack_errors import SlackRefused
from agent.fronts.slack_files import allowed
from agent.fronts.slack_payloads import Asked, to_json
from agent.fronts.slack_posts import Place, Posts
from agent.fronts.slack_text import MESSAGE, escape, mrkdwn, safe, shorten
from tools.errors import Unavailable

ALERTS = "alertmanager"
log = logging.getLogger(__name__)


class Incidents:
    """Threads of incidents, and other posts of Steward's own."""

    def __init__(
        self, posts: Posts, inbox: Inbox, channel: str | None, added: Callable[[Item], None]
    ) -> None:
        self._posts = posts
        self._inbox = inbox
        self._channel = channel
        self._added = added
        self.team = ""

    async def tell(self, note: IncidentNote) -> None:
        """Tell one note once: open the thread, or say it there; ask what is to be asked."""
        if self._channel is None:
            return
        place = await self._thread(note, self._channel)
        key = f"incident:{note.incident}:{note.id}"
        known = await self._posts.get(key)
        if known is not None and known.shown:
            return
        await self._posts.put(key, place, mrkdwn(_cut(note.text), "offline"))
        if note.chart is not None:
            await self._file(f"{key}/chart", place, note.chart)
        if note.change == "resolved":
            await self._retitle(note, self._channel)
        if note.ask:
            await self._ask(note, place)
        await self._posts.keep(key, shown="whole")

    async def post(self, channel: str, text: str, files: Sequence[Path], key: str) -> None:
        """Post once per ``key``; files must be pictures inside STEWARD_HOME."""
        known = await self._posts.get(f"post:{key}")
        place = Place(channel)
        if known is None or not known.shown:
            place = await self._posts.put(f"post:{key}", place, _cut(text), shown="whole")
        else:
            place = Place(known.channel, known.ts)
        for number, path in enumerate(files):
            await self._file(f"post:{key}/{number}", place, path)

    async def _thread(self, note: IncidentNote, channel: str) -> Place:
        key = f"incident:{note.incident}"
        known = await self._posts.get(key)
        if known is None or not known.ts:
            place = await self._posts.put(key, Place(channel), _title(note), shown=note.change)
        else:
            place = Place(known.channel, known.ts)
        return replace(place, team=self.team)

    async def _retitle(self, note: IncidentNote, channel: str) -> None:
        key = f"incident:{note.incident}"
        await self._posts.put(key, Place(channel), _title(note), shown=note.change)

    async def _ask(self, note: IncidentNote, place: Place) -> None:
        asked = Asked(self.team, place.channel, ALERTS, place.thread, note.ask)
        conversation = f"slack:{self.team}:{place.channel}:{place.thread}"
        item = Item("slack", f"ask:{note.id}", conversation, to_json(asked))
        if await asyncio.wrap_future(self._inbox.put(item)):
            self._added(item)

    async def _file(self, key: str, place: Place, path: Path) -> None:
        picture = allowed(path, self._posts.home)
        if picture is None:
            raise Unavailable(f"{path.name} is not a picture inside STEWARD_HOME.")
        if (await self._posts.intend(key, place)).shown:
            return
        content = await asyncio.to_thread(picture.read_bytes)
        thread = place.thread or None
        try:
            await self._posts.api.upload(place.channel, thread, picture.name, picture.stem, content)
        except SlackRefused as error:  # the words are there; a picture must not hold up the rest
            log.warning("a picture could not be posted", extra={"why": error.en})
        await self._posts.keep(key, shown="whole")


def _title(note: IncidentNote) -> str:
    word = "Resolved" if note.change == "resolved" else "Incident"
    return f"*{word}*: {escape(safe(note.title))}"


def _cut(text: str) -> str:
    return shorten(text, MESSAGE, "…")[0]
