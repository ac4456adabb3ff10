"""One answer in Slack: streamed where the API allows, edited in place elsewhere, posted once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.events import Event, Looking, Notice, Replace, Reply, Seen, Text
from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.fronts.slack_files import charts
from agent.fronts.slack_posts import Place, Posts, is_gone
from agent.fronts.slack_text import MESSAGE, STREAM, escape, mrkdwn, safe, shorten

PACE = 1.0
"""Seconds between two pieces of one answer: well inside Slack's rate limits."""
PIECE = 400
"""Characters that are worth a piece before ``PACE`` is over."""
_WHOLE = "… the whole answer is in the file below."


@dataclass
class Answer:
    """Shows the events of one turn in a thread."""

    posts: Posts
    place: Place
    key: str
    _written: str = ""
    """What the planner has written so far."""
    _pieces: int = 0
    """An answer in one piece is no stream: posted whole, it keeps its columns."""
    _sent: str = ""
    """How much of it the stream shows."""
    _ts: str = ""
    _streaming: bool = False
    _whole: bool = False
    """The stream shows all of it: nothing is left to edit or attach."""
    _refused: bool = False
    _doubtful: bool = False
    """A piece was sent, and nobody knows whether it is shown."""
    _last: float = 0.0
    _told: float = 0.0
    _notices: list[str] = field(default_factory=list[str])
    _seen: list[Seen] = field(default_factory=list[Seen])

    async def begin(self) -> None:
        """Find what an interrupted attempt left behind; say that Steward is at it."""
        known = await self.posts.get(self.key)
        if known is not None:
            self._refused = True
            self._ts = known.ts or await self.posts.find(self.key, self.place)
            self._ts = self._ts or await self.posts.orphan(self.place)
            if self._ts:
                await self.posts.keep(self.key, ts=self._ts)
                await self._try("chat.stopStream", ts=self._ts)
        await self._status("is looking…", paced=False)

    async def show(self, event: Event) -> None:
        """Show one event as it happens."""
        match event:
            case Text(text):
                self._written += text
                self._pieces += 1
                await self._piece()
            case Replace():
                self._written = ""
            case Notice(text):
                self._notices.append(text)
            case Looking(call):
                await self._status(f"is looking: {call.tool}…")
            case Seen():
                self._seen.append(event)
            case _:
                pass

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer, its files, and end the stream."""
        drawn = charts(self._seen, self.posts.home)
        said = _without_paths(reply.text, drawn)
        text = "\n".join([said, *(f"({notice})" for notice in self._notices)])
        if self._streaming or (self._doubtful and self._ts):
            await self._end_stream(text)
        await self._settle(text, reply)
        await self._attach(text, drawn)

    async def abandon(self) -> None:
        """The question is gone: end what was begun, say nothing more."""
        if self._streaming:
            await self._try("chat.stopStream", ts=self._ts)

    async def break_off(self, why: str) -> None:
        """Show what was gathered, and one line on why there is no more."""
        found = [seen.text for seen in self._seen] or [self._written.strip()]
        await self.finish(Reply("\n".join([why, *(f for f in found if f)]), "offline", failed=True))

    async def _piece(self) -> None:
        fresh = self._written[len(self._sent) :] if self._written.startswith(self._sent) else None
        due = time.monotonic() - self._last >= PACE or len(fresh or "") >= PIECE
        if self._pieces < 2 or not fresh or not due:
            return
        if self._refused or len(self._written) > STREAM:
            return
        self._last = time.monotonic()
        piece = escape(safe(fresh))
        try:
            if self._streaming:
                await self._call("chat.appendStream", ts=self._ts, markdown_text=piece)
            else:
                await self._start(piece)
            self._sent = self._written
        except SlackRefused:
            self._refused = True  # no streams here: the finished answer is posted in one piece
        except SlackUncertain:
            self._refused = self._doubtful = True  # a piece may be there or not: edited at the end
            self._ts = self._ts or await self.posts.orphan(self.place)
            await self.posts.keep(self.key, ts=self._ts)

    async def _start(self, piece: str) -> None:
        await self.posts.intend(self.key, self.place)
        answer = await self._call(
            "chat.startStream",
            thread_ts=self.place.thread,
            recipient_team_id=self.place.team or None,
            recipient_user_id=self.place.user or None,
            markdown_text=piece,
        )
        self._ts, self._streaming = str(answer.get("ts", "")), True
        await self.posts.keep(self.key, ts=self._ts)

    async def _end_stream(self, text: str) -> None:
        rest = text[len(self._sent) :] if text.startswith(self._sent) else ""
        fits = text.startswith(self._sent) and len(text) <= STREAM and not self._doubtful
        piece = escape(safe(rest)) if fits and rest.strip() else None
        ended = await self._try("chat.stopStream", ts=self._ts, markdown_text=piece)
        self._whole = ended and fits
        if self._whole:
            await self.posts.keep(self.key, shown="whole")

    async def _settle(self, text: str, reply: Reply) -> None:
        known = await self.posts.get(self.key)
        if known is not None and known.shown == "whole":
            return
        short, _ = shorten(text, MESSAGE - 400, _WHOLE)
        try:
            await self.posts.put(self.key, self.place, mrkdwn(short, reply.brain), shown="whole")
        except SlackRefused as error:
            if error.code in ("msg_too_long", "msg_blocks_too_long"):
                shorter, _ = shorten(text, 1_000, _WHOLE)
                shown = mrkdwn(shorter, reply.brain)
                await self.posts.put(self.key, self.place, shown, shown="whole")
            elif not is_gone(error):
                raise
            else:
                await self._anew(mrkdwn(short, reply.brain))

    async def _anew(self, text: str) -> None:
        """The message was deleted or cannot be edited: the answer is posted once more."""
        await self.posts.keep(self.key, ts="")
        await self.posts.put(self.key, self.place, text, shown="whole")

    async def _attach(self, text: str, drawn: Sequence[Path]) -> None:
        if len(text) > MESSAGE - 400 and not self._whole:
            await self._file("answer", "answer.txt", "The whole answer", safe(text).encode())
        for number, chart in enumerate(drawn):
            await self._file(f"chart{number}", chart.name, chart.stem, chart.read_bytes())

    async def _file(self, name: str, filename: str, title: str, content: bytes) -> None:
        key = f"{self.key}/{name}"
        if (await self.posts.intend(key, self.place)).shown:
            return
        try:
            where = self.place
            await self.posts.api.upload(where.channel, where.thread, filename, title, content)
        except (SlackRefused, SlackUncertain) as error:
            note = f"({escape(filename)} could not be attached: {escape(error.en)})"
            await self.posts.put(f"{key}/failed", self.place, note, shown="whole")
        await self.posts.keep(key, shown="whole")

    async def _status(self, text: str, *, paced: bool = True) -> None:
        if paced and time.monotonic() - self._told < PACE:
            return
        if paced:
            self._told = time.monotonic()
        where = {"channel_id": self.place.channel, "thread_ts": self.place.thread}
        await self._try("assistant.threads.setStatus", **where, status=text)

    async def _call(self, method: str, **args: Any) -> dict[str, Any]:
        return await self.posts.api.call(method, **{"channel": self.place.channel, **args})

    async def _try(self, method: str, **args: Any) -> bool:
        try:
            if "channel_id" in args:
                await self.posts.api.call(method, **args)
            else:
                await self._call(method, **args)
        except (SlackRefused, SlackUncertain):
            return False
        return True


def _without_paths(text: str, drawn: Sequence[Path]) -> str:
    """Lines that only say where a picture lies on the server; here it is attached."""
    lines = [line for line in text.split("\n") if not any(str(path) in line for path in drawn)]
    return "\n".join(lines).strip() or text
