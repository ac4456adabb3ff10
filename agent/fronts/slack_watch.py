"""Keeps every card true: the ledger is watched, and whatever changed is shown, whoever changed it.

One process leads; the others stand by. A proposal without a card gets one: in the thread it came
from, or in the approvals channel. An outcome is told once in the thread, with what follows from it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from agent.assistant import Assistant
from agent.events import OPEN, Action, Notice, State
from agent.fronts.inbox import Inbox
from agent.fronts.leadership import lead
from agent.fronts.slack_cards import TOO_RICH, card, plainer
from agent.fronts.slack_errors import SlackRefused
from agent.fronts.slack_posts import Place, Post, Posts, is_gone
from agent.fronts.slack_text import escape
from agent.fronts.threads import call, kicked
from agent.fronts.wire import action_of, actions_of
from agent.language import language_of
from agent.say import outcome_line
from tools.errors import ToolError
from tools.words import Lang

RECENT = 1.0
"""Hours in which a finished action may still change (undone, settled)."""
PROGRESS_SECONDS = 3.0
LEASE_SECONDS = 15.0
LONGEST_PAUSE = 60.0
log = logging.getLogger(__name__)


@dataclass
class Watch:
    """The updater of cards."""

    assistant: Assistant
    posts: Posts
    inbox: Inbox
    where: Callable[[str], Place | None]
    """The place of a conversation, or of actions that come from elsewhere."""
    every: float = 1.0
    _kick: asyncio.Event = field(default_factory=asyncio.Event)
    _leads_until: float = 0.0
    _shown_at: dict[int, float] = field(default_factory=dict[int, float])
    _langs: dict[int, Lang] = field(default_factory=dict[int, Lang])
    _later: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    """Action → when to try again, and the pause that led there."""

    def look_now(self) -> None:
        """Something changed in this process; called on the event loop."""
        self._kick.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                if await self._leading():
                    await self.look()
            except ToolError as error:
                log.warning("cards could not be updated", extra={"why": error.en})
            except Exception as error:  # the watch must outlive a bug in one card
                log.error("the card watch broke", exc_info=error)
            await kicked(self._kick, self.every)

    async def look(self) -> None:
        """Bring every card up to date once."""
        cards = {post.action: post for post in await self.posts.cards()}
        for action in await call(self._candidates, "cards"):
            if self._later.get(action.number, (0.0, 0.0))[0] > time.monotonic():
                continue
            try:
                await self._show(action, cards.get(action.number))
                self._later.pop(action.number, None)
            except ToolError as error:
                self._put_off(action.number, error)

    def _put_off(self, number: int, error: ToolError) -> None:
        """What Slack refuses now is tried again, less and less often."""
        pause = min(self._later.get(number, (0.0, 1.0))[1] * 2, LONGEST_PAUSE)
        self._later[number] = (time.monotonic() + pause, pause)
        said = {"action": number, "why": error.en, "again_in": pause}
        log.warning("a card could not be shown", extra=said)

    def _candidates(self) -> list[Action]:
        since = self.assistant.door.world.clock.now() - timedelta(hours=RECENT)
        found = actions_of(self.assistant, since=since)
        waiting = actions_of(self.assistant, states=sorted(OPEN), limit=1000)
        numbers = sorted({a.number for a in (*found, *waiting)})
        return [action_of(self.assistant, number) for number in numbers]

    async def _leading(self) -> bool:
        if time.monotonic() < self._leads_until - LEASE_SECONDS / 2:
            return True
        leads = await call(lambda: lead(self.inbox, "slack-cards", LEASE_SECONDS), "lead")
        self._leads_until = time.monotonic() + LEASE_SECONDS if leads else 0.0
        return leads

    async def _show(self, action: Action, post: Post | None) -> None:
        key = f"card:{action.number}"
        post = post or await self.posts.get(key)
        place = self.where(action.conversation)
        if place is None and post is None:
            return
        lang = await self._lang(action)
        progress = None
        if action.state in (State.APPLYING, State.APPLIED):
            progress = await call(
                lambda: self.assistant.door.work.progress(action.number), "progress"
            )
        text, blocks = card(action, lang, progress)
        shown = hashlib.sha256(json.dumps([text, blocks]).encode()).hexdigest()
        there = Place(post.channel, post.thread) if post else cast("Place", place)
        if (post is None or post.shown != shown) and not self._too_soon(action, progress):
            await self._render(key, there, text, blocks, action.number, shown)
        if action.done and (post is None or not post.closed):
            await self._tell(action, there, lang)
            await self.posts.keep(key, closed=1)

    async def _lang(self, action: Action) -> Lang:
        """The language its conversation is held in."""
        if action.number not in self._langs:
            lines = await call(lambda: self.assistant.conversations.lines(action.conversation), "l")
            said = [line.text for line in lines if line.role == "user"]
            default = cast("Lang", self.assistant.door.fleet.language)
            self._langs[action.number] = language_of(said[-1], default) if said else default
        return self._langs[action.number]

    def _too_soon(self, action: Action, progress: object) -> bool:
        now = time.monotonic()
        recent = now - self._shown_at.get(action.number, 0.0) < PROGRESS_SECONDS
        if progress is not None and recent:
            return True
        self._shown_at[action.number] = now
        return False

    async def _render(
        self,
        key: str,
        place: Place,
        text: str,
        blocks: list[dict[str, object]],
        number: int,
        shown: str,
    ) -> None:
        try:
            await self.posts.put(key, place, text, blocks, action=number, shown=shown)
        except SlackRefused as error:
            if error.code in TOO_RICH:
                await self.posts.put(key, place, text, plainer(blocks), action=number, shown=shown)
                return
            if not is_gone(error):
                raise
            # A deleted card must not hide a waiting action: it is posted anew, once per change.
            await self.posts.keep(key, ts="", shown=shown)
            again = Place(place.channel) if error.code == "thread_not_found" else place
            await self.posts.put(key, again, text, blocks, action=number, shown=shown)

    async def _tell(self, action: Action, place: Place, lang: Lang) -> None:
        line = escape(outcome_line(action, lang))
        key = f"outcome:{action.number}:{action.state}"
        await self.posts.put(key, place, line, shown="whole")
        follows = await call(lambda: list(self.assistant.report(action, lang)), "report")
        for number, event in enumerate(follows):
            if isinstance(event, Notice):
                key = f"notice:{action.number}:{number}"
                await self.posts.put(key, place, escape(event.text), shown="whole")
