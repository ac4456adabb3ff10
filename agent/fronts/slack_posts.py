"""What was posted where, each thing once. The intent is written down before the message is sent.

After a crash between sending and remembering, the thread is asked: messages carry their key as
metadata, so that one already there is adopted instead of posted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.fronts.inbox import Inbox
from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_errors import ABSENT, SlackRefused, SlackUncertain
from agent.fronts.slack_search import Place, Search
from tools.errors import ToolError

if TYPE_CHECKING:
    from tools.store import Store
    from tools.world import Clock

EVENT = "steward_post"
GONE = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cant_update_message",
        "edit_window_closed",
        "update_window_closed",
    }
)


@dataclass(frozen=True, slots=True)
class Post:
    """One message as the store knows it. ``ts`` is empty while it is not known to exist."""

    key: str
    channel: str
    thread: str
    ts: str
    shown: str
    """Digest of what it shows."""
    action: int | None
    closed: bool


class Posts:
    """Messages of Steward in Slack."""

    def __init__(self, api: SlackApi, inbox: Inbox, store: Store, clock: Clock, home: Path) -> None:
        self.api = api
        self.home = home
        self._search = Search(api)
        self._inbox = inbox
        self._store = store
        self._clock = clock

    @property
    def _t(self) -> Any:
        from agent.fronts import inbox_tables

        self._store.ensure(inbox_tables.tables)
        return inbox_tables

    async def get(self, key: str) -> Post | None:
        """What is known about a message."""
        t = self._t
        rows = await self._rows(t.posts.c.key == key)
        return rows[0] if rows else None

    async def cards(self) -> list[Post]:
        """Every message that shows an action and is not settled."""
        t = self._t
        return await self._rows(t.posts.c.action.is_not(None) & (t.posts.c.closed == 0))

    async def intend(self, key: str, place: Place, action: int | None = None) -> Post:
        """Write down that a message is about to be posted; what is known if it was before."""
        known = await self.get(key)
        if known is not None:
            return known
        row = {
            "key": key,
            "place": place.channel,
            "thread": place.thread,
            "ts": "",
            "shown": "",
            "action": action,
            "closed": 0,
            "at": self._clock.now().isoformat(),
        }
        t = self._t
        add = self._store.insert_ignoring(t.posts).values(**row)
        new = await self._write(add)
        post = Post(key, place.channel, place.thread, "", "", action, False)
        return post if new else (await self.get(key) or post)

    async def keep(self, key: str, **values: Any) -> None:
        """Remember ``ts``, ``shown``, ``closed`` or ``place`` of a message."""
        t = self._t
        change = t.update(t.posts).where(t.posts.c.key == key).values(**values)
        await self._write(change)

    async def put(
        self,
        key: str,
        place: Place,
        text: str,
        blocks: Sequence[dict[str, Any]] | None = None,
        *,
        action: int | None = None,
        shown: str = "",
    ) -> Place:
        """Post a message once, or show its new content where it is.

        Returns where its thread is: the channel as Slack calls it, and the ``ts``.
        """
        known = await self.get(key)
        if known is None:
            known = await self.intend(key, place, action)
            ts = ""
        else:
            ts = known.ts or await self.find(key, place, text)
        channel = known.channel if not ts else await self._search.id_of(known.channel)
        if ts:
            await self.api.call("chat.update", channel=channel, ts=ts, text=text, blocks=blocks)
        else:
            channel, ts = await self._post(key, place, text, blocks)
        await self.keep(key, ts=ts, shown=shown, place=channel)
        return Place(channel, ts)

    async def find(self, key: str, place: Place, text: str = "") -> str:
        """The message with this key that is in its thread already; empty when there is none.

        Where metadata is not handed back, an own message with the same text counts.
        """
        me = self.api.identity
        for message in await self._search.messages(place):
            mine = message.get("user") == me.user or (me.bot and message.get("bot_id") == me.bot)
            same = text and mine and not _key_of(message) and message.get("text") == text
            if _key_of(message) == key or same:
                return str(message["ts"])
        return ""

    async def orphan(self, place: Place) -> str:
        """An own message in a thread that nobody remembers: a stream begun just before a crash."""
        t = self._t
        known = {post.ts for post in await self._rows(t.posts.c.thread == place.thread)}
        for message in await self._search.messages(place):
            mine = message.get("user") == self.api.identity.user and not _key_of(message)
            if mine and str(message["ts"]) not in known:
                return str(message["ts"])
        return ""

    async def _post(
        self, key: str, place: Place, text: str, blocks: Sequence[dict[str, Any]] | None
    ) -> tuple[str, str]:
        for attempt in range(6):
            try:
                answer = await self.api.call(
                    "chat.postMessage",
                    channel=place.channel,
                    thread_ts=place.thread or None,
                    text=text,
                    blocks=blocks,
                    metadata={"event_type": EVENT, "event_payload": {"key": key}},
                    unfurl_links=False,
                    unfurl_media=False,
                )
                return str(answer.get("channel") or place.channel), str(answer.get("ts", ""))
            except SlackUncertain:
                await asyncio.sleep(min(0.5 * 2**attempt, 10))
                there = await self.find(key, place, text)
                if there:
                    return await self._search.id_of(place.channel), there
        raise SlackUncertain("Slack did not answer chat.postMessage.")

    async def _rows(self, where: Any) -> list[Post]:
        t = self._t

        def read() -> list[Post]:
            with self._store.read() as c:
                return [_post(row) for row in c.execute(t.select(t.posts).where(where))]

        return await asyncio.to_thread(read)

    async def _write(self, statement: Any) -> bool:
        def run(c: Any) -> bool:
            return c.execute(statement).rowcount == 1

        return await asyncio.wrap_future(self._inbox.submit(run))


def _post(row: Any) -> Post:
    return Post(row.key, row.place, row.thread, row.ts, row.shown, row.action, bool(row.closed))


def _key_of(message: Any) -> str:
    metadata: Any = message.get("metadata") or {}
    payload: Any = metadata.get("event_payload") or {}
    return str(payload.get("key", ""))


def is_gone(error: ToolError) -> bool:
    """Whether a message (or its thread) is no longer there to be changed."""
    if not isinstance(error, SlackRefused):
        return False
    return error.code in GONE or (error.method == "chat.update" and error.code == ABSENT)


__all__ = ["Place", "Post", "Posts", "is_gone"]
