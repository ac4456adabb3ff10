"""Slack: mentions, direct messages, threads as conversations, cards, the assistant pane.

Everything that arrives is written into the inbox before Slack gets its acknowledgement and dealt
with afterwards, here or, after a crash, wherever the service runs next. Decisions are clicks by
people whom steward.yaml names; no text is ever one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from agent.assistant import Assistant, person_or
from agent.conversations import asked_back
from agent.fronts.dispatch import Dispatch
from agent.fronts.inbox import Inbox, Item
from agent.fronts.metrics import Metrics
from agent.fronts.notes import IncidentNote
from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_clicks import Clicks
from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.fronts.slack_incidents import Incidents
from agent.fronts.slack_items import FRONT, conversation_of, delivery_of, is_quick, item_of
from agent.fronts.slack_options import SlackOptions
from agent.fronts.slack_pane import welcome
from agent.fronts.slack_payloads import (
    Access,
    Asked,
    Clicked,
    Deleted,
    Ignored,
    Incoming,
    Opened,
    Said,
    from_json,
    parse,
)
from agent.fronts.slack_posts import Place, Posts
from agent.fronts.slack_text import report
from agent.fronts.slack_turns import Turns
from agent.fronts.slack_watch import Watch
from agent.fronts.slack_wire import AGAIN, SlackWire
from agent.fronts.threads import call
from tools.errors import ToolError
from tools.words import Lang

BEAT_SECONDS = 5.0
_STRANGER = "Steward does not know you: steward.yaml must name you before it may listen."
_STRANGER_ZH = "Steward 不认识您：请先在 steward.yaml 的 people 中登记您的成员 ID。"
log = logging.getLogger(__name__)


class SlackFront:
    """One Slack app. Lives on one event loop."""

    def __init__(
        self,
        assistant: Assistant,
        api: SlackApi,
        inbox: Inbox,
        metrics: Metrics,
        options: SlackOptions,
        approved: Callable[[], None] = lambda: None,
    ) -> None:
        self.assistant = assistant
        self.api = api
        self.wire = SlackWire(api, api.secrets)
        self.inbox = inbox
        self.options = options
        self._metrics = metrics
        self._access = Access(frozenset(), frozenset())
        world = assistant.door.world
        self.posts = Posts(api, inbox, world.store, world.clock, world.home)
        self.watch = Watch(assistant, self.posts, inbox, self.where)
        self._turns = Turns(assistant, self.posts, inbox, self.watch.look_now)
        self.dispatch = Dispatch(
            inbox, self._handle, self._given_up, metrics, quick=is_quick, workers=options.workers
        )
        lang = cast("Lang", assistant.door.fleet.language)
        self.incidents = Incidents(self.posts, inbox, options.alerts, self.dispatch.add, lang)

        def changed() -> None:
            approved()
            self.watch.look_now()

        self._clicks = Clicks(assistant, api, changed, self.incidents.have)
        self._told: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect, take up what was left, listen."""
        await self.api.open()
        team = self.api.identity.team
        self._access = self.options.access(team, self.assistant.door.fleet.people)
        self.incidents.team = team
        socket = self.options.mode == "socket"
        address = await self.api.socket_address() if socket else ""
        self.wire.receive_with(self.receive, signed=self.options.mode == "http")
        await call(self.inbox.beat, "inbox-beat")
        await self._adopt(own=True)
        self._tasks = [
            asyncio.create_task(self.watch.run(), name="slack-cards"),
            asyncio.create_task(self._housekeep(), name="slack-inbox"),
            asyncio.create_task(self.wire.tend(), name="slack-wire"),
        ]
        if socket:
            await self.wire.listen(address)

    async def stop(self, seconds: float = 20.0) -> None:
        """Take nothing new, finish what runs for a while, leave the rest in the inbox."""
        await self.wire.stop_listening()
        await self.dispatch.stop(seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.api.close()

    async def receive(self, body: Mapping[str, Any], delivery: str) -> int:
        """Write down what arrived; 200 acknowledges it. Called by the wire for every payload."""
        begin = time.monotonic()
        try:
            status, result = await self._take(body, delivery)
        except ToolError as error:
            log.error("slack could not be acknowledged", extra={"why": error.en})
            status, result = 503, "not stored"
        labels = {"result": result}
        self._metrics.count("steward_slack_events_total", "Payloads from Slack.", labels=labels)
        seconds = time.monotonic() - begin
        self._metrics.observe("steward_slack_ack_seconds", "Until acknowledged.", seconds)
        return status

    async def _take(self, body: Mapping[str, Any], delivery: str) -> tuple[int, str]:
        incoming = parse(body, self.api.identity.user)
        if isinstance(incoming, Ignored):
            return 200, "ignored"
        refusal = self._access.refusal(incoming, body)
        if refusal is not None:
            if refusal == "user":
                self._decline(incoming)
            return 200, f"refused {refusal}"
        if isinstance(incoming, Said) and not await self._addressed(incoming):
            return 200, "ignored"
        once = delivery.removesuffix(AGAIN)
        if once.startswith("sig:") and not await self._first(once) and once == delivery:
            return 409, "replayed"
        item = item_of(incoming, delivery_of(body) or once)
        if not await asyncio.wrap_future(self.inbox.put(item)):
            return 200, "repeated"
        self.dispatch.add(item)
        return 200, "taken"

    async def _first(self, delivery: str) -> bool:
        return await asyncio.wrap_future(self.inbox.first(FRONT, delivery))

    async def _addressed(self, heard: Said) -> bool:
        if heard.direct or heard.mention:
            return True
        if heard.thread == heard.ts or "<@" in heard.text:  # words to somebody else
            return False
        known = self.assistant.conversations.lines
        lines = await call(lambda: known(conversation_of(heard), 12), "thread")
        who = person_or(self.assistant, "slack", heard.user).name
        return asked_back(lines, who) or (self.options.follow_threads and bool(lines))

    def _decline(self, incoming: Incoming) -> None:
        """Say once, to that person only, that they are not on the list."""
        if incoming.user in self._told or not isinstance(incoming, Said | Clicked):
            return
        if isinstance(incoming, Said) and not (incoming.direct or incoming.mention):
            return
        self._told.add(incoming.user)
        zh = self.assistant.door.fleet.language == "zh"
        text = _STRANGER_ZH if zh else _STRANGER
        task = self._quietly(
            "chat.postEphemeral", channel=incoming.channel, user=incoming.user, text=text
        )
        self._tasks.append(asyncio.create_task(task))

    async def _handle(self, item: Item) -> None:
        match from_json(item.body):
            case Said() as heard:
                await self._turns.hear(item, heard)
            case Asked() as asked:
                await self._turns.ask(item, asked)
            case Clicked() as clicked:
                await self._clicks.click(clicked)
            case Opened(channel=channel, thread=thread):
                lang = cast("Lang", self.assistant.door.fleet.language)
                await welcome(self.posts, Place(channel, thread), lang)
            case Deleted() as deleted:
                await self._turns.forget(FRONT, deleted)

    async def _given_up(self, item: Item) -> None:
        incoming = from_json(item.body)
        if isinstance(incoming, Said | Asked):
            await self._turns.give_up(item, incoming)

    def where(self, conversation: str) -> Place | None:
        """Where actions of a conversation are shown; ``None`` when nowhere in Slack."""
        parts = conversation.split(":")
        if len(parts) == 4 and parts[0] == FRONT:
            return Place(parts[2], parts[3], team=parts[1])
        return Place(self.options.approvals) if self.options.approvals else None

    async def post(self, channel: str, text: str, files: Sequence[Path], key: str) -> None:
        """Post a message of Steward's own (a summary, a notice), once per ``key``."""
        await self.incidents.post(channel, report(text), files, key)

    async def tell(self, note: IncidentNote) -> None:
        """Tell what happened to an incident, in its thread."""
        await self.incidents.tell(note)

    async def state(self) -> str:
        """``ok``, or why Slack is not reachable now."""
        return "ok" if await self.wire.connected() else "the socket is down; reconnecting"

    async def _adopt(self, *, own: bool = False) -> None:
        for item in await call(lambda: self.inbox.adopt([FRONT], own=own), "inbox-adopt"):
            self.dispatch.add(item)

    async def _housekeep(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await call(self.inbox.beat, "inbox-beat")
                await self._adopt()
            except ToolError as error:
                log.warning("the inbox does not answer", extra={"why": error.en})
            except Exception as error:  # it must go on saying that this process lives
                log.error("looking after the inbox broke", exc_info=error)

    async def _quietly(self, method: str, **args: Any) -> None:
        try:
            await self.api.call(method, **args)
        except (SlackRefused, SlackUncertain) as error:
            log.info("slack refused", extra={"why": error.en})
