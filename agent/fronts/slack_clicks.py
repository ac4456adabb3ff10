"""What a click does: the ledger decides, the card follows, and every no is polite."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from agent.assistant import Assistant, person_or
from agent.errors import NotAllowed, TooLate
from agent.events import Action, Actor, Decision, State
from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_cards import call_text, details
from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.fronts.slack_payloads import Clicked
from agent.fronts.slack_text import escape, preformatted, safe, shorten
from agent.fronts.threads import call
from agent.fronts.wire import action_of
from agent.say import state_words
from tools.errors import BadArguments, ToolError
from tools.words import Lang

log = logging.getLogger(__name__)
_NO = (NotAllowed, TooLate, BadArguments)


@dataclass
class Clicks:
    """Buttons of cards."""

    assistant: Assistant
    api: SlackApi
    changed: Callable[[], None]
    """The ledger changed: cards and workers should look."""
    have: Callable[[int, str, str], Awaitable[bool]]
    """``(incident, thread, who)``: a person has it; false when somebody had it before."""

    async def click(self, clicked: Clicked) -> None:
        """Carry out one click. The person is proven by Slack, the right by policy."""
        if clicked.button == "details":
            await self._details(clicked)
            return
        if clicked.button == "have":
            await self._have(clicked)
            return
        actor = await call(
            lambda: person_or(self.assistant, "slack", clicked.user), f"who-{clicked.user}"
        )
        verdict = "approve" if clicked.button == "approve" else "reject"
        decision = Decision(clicked.number, clicked.digest, actor, verdict)
        try:
            action = await call(lambda: self.assistant.decide(decision), "decide")
        except _NO as error:
            await self.whisper(clicked, await self._why(clicked, actor, error))
        else:
            if action.state is State.PROPOSED:
                await self.whisper(clicked, self._noted(action))
        self.changed()

    async def _have(self, clicked: Clicked) -> None:
        who = await call(lambda: self.assistant.person("slack", clicked.user), "who")
        zh, number = self._lang == "zh", clicked.number
        if who is None:
            en = "Only people of steward.yaml can take an incident."
            await self.whisper(clicked, "只有 steward.yaml 中的人员可以接手事件。" if zh else en)
        elif await self.have(number, clicked.digest, who):
            en = f"Incident {number} is yours; nobody further is called."
            await self.whisper(clicked, f"事件 {number} 由您处理；不再通知其他人。" if zh else en)
        else:
            en = f"Incident {number} was taken or is over already."
            await self.whisper(clicked, f"事件 {number} 已有人接手或已结束。" if zh else en)

    async def whisper(self, clicked: Clicked, text: str) -> None:
        """Tell only the person who clicked."""
        await self._whisper(clicked, escape(safe(text)))

    async def _whisper(self, clicked: Clicked, text: str) -> None:
        thread = clicked.thread if clicked.thread != clicked.message else None
        where = {"channel": clicked.channel, "user": clicked.user, "thread_ts": thread}
        try:
            await self.api.call("chat.postEphemeral", **where, text=text)
        except (SlackRefused, SlackUncertain) as error:
            await self._respond(clicked, text, error)

    async def _respond(self, clicked: Clicked, text: str, why: ToolError) -> None:
        """The other way to the person: the address that came with the click."""
        try:
            await self.api.respond(clicked.respond, text)
        except (SlackRefused, SlackUncertain):
            log.warning("a click could not be answered", extra={"why": why.en})

    async def _why(
        self, clicked: Clicked, actor: Actor, error: NotAllowed | TooLate | BadArguments
    ) -> str:
        lang = self._lang
        if isinstance(error, TooLate):
            action = await call(lambda: action_of(self.assistant, clicked.number), "look")
            mine = [d for d in action.decisions if d.who == actor.name]
            if mine and mine[-1].verdict == clicked.button and action.digest == clicked.digest:
                if lang == "zh":
                    return f"您已对操作 {action.number} 做过此决定；当前状态：{state_words(action.state, lang)}。"
                said = "approved" if clicked.button == "approve" else "rejected"
                return f"You {said} action {action.number} already; it is {action.state} now."
        return error.say(lang)

    def _noted(self, action: Action) -> str:
        count, needed = len(action.approved_by), action.needed
        if self._lang == "zh":
            return f"已记录您的同意（{count}/{needed}）；操作 {action.number} 还需要另一个人。"
        return (
            f"Your yes is noted ({count} of {needed}); action {action.number} needs another person."
        )

    async def _details(self, clicked: Clicked) -> None:
        try:
            action = await call(lambda: action_of(self.assistant, clicked.number), "look")
        except BadArguments as error:
            await self.whisper(clicked, error.say(self._lang))
            return
        try:
            view = details(action, self._lang)
            await self.api.call("views.open", trigger_id=clicked.trigger, view=view)
        except (SlackRefused, SlackUncertain):
            # A trigger lives for three seconds; what is left is a message for this person.
            await self._whisper_details(clicked, action)

    async def _whisper_details(self, clicked: Clicked, action: Action) -> None:
        whole = f"{action.plan.words(self._lang).title}\n{call_text(action)}\n{action.plan.diff}"
        short, _ = shorten(escape(safe(whole)), 3_000, "…")
        await self._whisper(clicked, preformatted(short))

    @property
    def _lang(self) -> Lang:
        return cast("Lang", self.assistant.door.fleet.language)
