"""Alerts in the thread: one thread per incident, opened before anybody asks."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.fronts.inbox import Inbox, Item
from agent.fronts.notes import IncidentNote
from agent.fronts.slack_errors import SlackRefused
from agent.fronts.slack_files import allowed
from agent.fronts.slack_payloads import Asked, to_json
from agent.fronts.slack_posts import Place, Post, Posts
from agent.fronts.slack_text import MESSAGE, escape, mrkdwn, safe, shorten
from agent.fronts.threads import call
from tools.errors import ToolError, Unavailable
from tools.words import Lang

ALERTS = "alertmanager"
log = logging.getLogger(__name__)


class Incidents:
    """Threads of incidents, and other posts of Steward's own."""

    def __init__(
        self,
        posts: Posts,
        inbox: Inbox,
        channel: str | None,
        added: Callable[[Item], None],
        lang: Lang = "en",
    ) -> None:
        self._posts = posts
        self._inbox = inbox
        self._channel = channel
        self._added = added
        self._lang: Lang = lang
        self.team = ""
        self.acknowledge: Callable[[str, str], bool] | None = None

    async def tell(self, note: IncidentNote) -> None:
        """Tell one note once: open the thread, or say it there; ask what is to be asked."""
        if self._channel is None:
            return
        root = await self._posts.get(f"incident:{note.incident}")
        if root is None and note.quiet:
            return
        key = f"incident:{note.incident}:{note.id}"
        known = await self._posts.get(key)
        if known is not None and known.shown:
            return
        place = await self._thread(note, root, self._channel)
        said = _cut(note.text)
        lined = note.change == "resolved"  # a timeline keeps its columns
        await self._posts.put(key, place, mrkdwn(said, "offline") if lined else escape(safe(said)))
        if note.ask:
            await self._ask(note, key, place)
        await self._retitle(note, self._channel)
        if note.chart is not None:
            await self._draw(f"{key}/chart", place, note.chart)
        await self._posts.keep(key, shown="whole")

    async def have(self, number: int, thread: str, who: str) -> bool:
        """A person has an incident: nobody further is called, and the thread's head says who."""
        acknowledge, root = self.acknowledge, await self._posts.get(f"incident:{number}")
        if acknowledge is None or root is None:
            return False
        first = await call(lambda: acknowledge(thread, who), "acknowledge")
        if first:
            taken = f"{who} 正在处理" if self._lang == "zh" else f"{who} has it"
            # The note of the same key follows, whoever tells it, and takes the button away.
            key = f"incident:{number}:{number}:taken:{thread}"
            await self._posts.put(key, Place(root.channel, root.ts), escape(safe(taken)))
        return first

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

    async def _thread(self, note: IncidentNote, root: Post | None, channel: str) -> Place:
        if root is None or not root.ts:
            key = f"incident:{note.incident}"
            said, blocks = _title(note, self._lang)
            place = await self._posts.put(key, Place(channel), said, blocks)
        else:
            place = Place(root.channel, root.ts)
        return replace(place, team=self.team)

    async def _retitle(self, note: IncidentNote, channel: str) -> None:
        """Show where the incident stands in the first message of its thread."""
        key = f"incident:{note.incident}"
        known = await self._posts.get(key)
        stands = note.id
        if known is None or (note.change != "joined" and known.shown != stands):
            said, blocks = _title(note, self._lang)
            await self._posts.put(key, Place(channel), said, blocks, shown=stands)

    async def _ask(self, note: IncidentNote, key: str, place: Place) -> None:
        asked = Asked(self.team, place.channel, ALERTS, place.thread, note.ask)
        conversation = f"slack:{self.team}:{place.channel}:{place.thread}"
        item = Item("slack", f"ask:{key}"[:200], conversation, to_json(asked))
        if await asyncio.wrap_future(self._inbox.put(item)):
            self._added(item)

    async def _draw(self, key: str, place: Place, draw: Callable[[], Path]) -> None:
        try:
            path = await call(draw, "incident-chart")
        except Exception as error:  # noqa: BLE001  a picture must not cost the words
            why = error.en if isinstance(error, ToolError) else type(error).__name__
            log.warning("an incident has no chart", extra={"why": why})
            return
        await self._file(key, place, path)

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


def _title(note: IncidentNote, lang: Lang) -> tuple[str, list[dict[str, Any]] | None]:
    """The first message of a thread; with a button while it calls further people."""
    en, zh = ("Resolved", "已恢复") if note.change == "resolved" else ("Incident", "事件")
    word, stop = (zh, "：") if lang == "zh" else (en, ": ")
    said = f"*{word} {escape(note.incident)}*{stop}{escape(safe(note.title))}"
    if note.change == "taken":
        said += f" ({escape(safe(note.text))})"
    if not note.thread:
        return said, None
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": said[:2_900]}}
    ]
    if note.change in ("opened", "joined"):
        label = "我来处理" if lang == "zh" else "I have it"
        value = json.dumps({"action": int(note.incident), "digest": note.thread})
        text = {"type": "plain_text", "text": label}
        have = {"type": "button", "action_id": "steward_have", "text": text, "value": value}
        blocks.append({"type": "actions", "elements": [have]})
    return said, blocks


def _cut(text: str) -> str:
    return shorten(text, MESSAGE, "…")[0]
