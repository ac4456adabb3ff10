"""Turns of conversations: a message goes to the assistant, its events become one answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from agent.assistant import Assistant, person_or
from agent.events import Actor, Message, Proposed, Reply
from agent.fronts.dispatch import Again
from agent.fronts.inbox import Inbox, Item
from agent.fronts.investigation import investigate
from agent.fronts.slack_answer import Answer
from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.fronts.slack_payloads import Asked, Deleted, Said
from agent.fronts.slack_posts import Place, Posts, is_gone
from agent.fronts.slack_text import said as plainly
from agent.fronts.threads import call, stream
from agent.redaction import mask
from tools.errors import ToolError

_LATER = frozenset({"ratelimited", "streaming_state_conflict"})
log = logging.getLogger(__name__)


@dataclass
class Turns:
    """Answers questions, each once."""

    assistant: Assistant
    posts: Posts
    inbox: Inbox
    proposed: Callable[[], None]
    """Something was proposed: its card is due."""
    _deleted: set[str] = field(default_factory=set[str])

    async def hear(self, item: Item, heard: Said) -> None:
        """Answer a person."""
        if not self._is_deleted(item.id):
            actor = await call(lambda: person_or(self.assistant, "slack", heard.user), "who")
            said = self._words(heard)
            if heard.direct:
                await self._entitle(heard, item.conversation, said)
            await self._answer(item, place_of(heard), actor, said)

    async def _entitle(self, heard: Said, conversation: str, said: str) -> None:
        """Name a new thread of the assistant pane after its first question."""
        lines = self.assistant.conversations.lines
        if await call(lambda: lines(conversation, 1), "begun"):
            return
        where = {"channel_id": heard.channel, "thread_ts": heard.thread}
        try:
            await self.posts.api.call("assistant.threads.setTitle", **where, title=mask(said)[:80])
        except (SlackRefused, SlackUncertain):
            return  # a name is not needed

    async def ask(self, item: Item, asked: Asked) -> None:
        """Answer a question that an alert raised."""
        actor = Actor(asked.user, "alert", asked.user)
        await self._answer(item, place_of(asked), actor, asked.text)

    async def forget(self, front: str, deleted: Deleted) -> None:
        """A deleted question is not answered any more."""
        gone = Said(
            deleted.team, deleted.channel, deleted.user, deleted.text, deleted.ts, "", False, False
        )
        self._deleted.add(_message_of(gone.id))
        await asyncio.wrap_future(self.inbox.done(Item(front, gone.id, "", {})))

    async def give_up(self, item: Item, heard: Said | Asked) -> None:
        """Say that a question could not be answered."""
        text = "Steward tried several times and could not answer this; please ask again."
        await self.posts.put(f"answer:{item.id}", place_of(heard), text, shown="whole")

    async def _answer(self, item: Item, place: Place, actor: Actor, text: str) -> None:
        key = f"answer:{item.id}"
        known = await self.posts.get(key)
        if known is not None and known.shown == "whole":
            return
        world = self.assistant.door.world
        answer = Answer(self.posts, place, key)
        message = Message(item.conversation, item.id, actor, text, world.clock.now())
        try:
            await answer.begin()
            await self._turn(answer, message)
        except (SlackRefused, SlackUncertain) as error:
            _or_again(error)
        except ToolError as error:
            raise Again(error.en) from error

    async def _turn(self, answer: Answer, message: Message) -> None:
        reply = Reply("", "offline", failed=True)
        work = self.assistant.handle
        if message.actor.front == "alert":
            work = partial(investigate, self.assistant)
        try:
            async for event in stream(lambda: work(message), "slack-turn"):
                if isinstance(event, Reply):
                    reply = event
                    continue
                if isinstance(event, Proposed):
                    self.proposed()
                await answer.show(event)
        except ToolError:
            raise
        except Exception as error:  # a bug must not cost what was gathered so far
            log.error("a turn broke", exc_info=error)
            why = f"Steward broke while answering ({type(error).__name__}); found so far:"
            await answer.break_off(mask(why))
            return
        if self._is_deleted(message.id):
            await answer.abandon()
        else:
            await answer.finish(reply)

    def _is_deleted(self, id: str) -> bool:
        return _message_of(id) in self._deleted

    def _words(self, heard: Said) -> str:
        people = self.assistant.door.fleet.people.values()
        names = {person.slack: person.name for person in people}
        zh = self.assistant.door.fleet.language == "zh"
        return plainly(heard.text, self.posts.api.identity.user, names.get) or (
            "你能做什么？" if zh else "What can you do?"
        )


def place_of(heard: Said | Asked) -> Place:
    """Where to answer."""
    return Place(heard.channel, heard.thread, heard.user, heard.team)


def _message_of(id: str) -> str:
    """The channel and time of a message: a deletion does not always repeat the words."""
    return id.rpartition(":")[0]


def _or_again(error: SlackRefused | SlackUncertain) -> None:
    """Try again what may work later; a place that is gone or closed is the end of it."""
    if isinstance(error, SlackUncertain) or error.code in _LATER:
        raise Again(error.en) from error
    log.warning("an answer could not be posted", extra={"why": error.en, "gone": is_gone(error)})
