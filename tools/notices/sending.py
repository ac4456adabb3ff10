"""Sending a notice: one row in the outbox, one attempt now, more later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tools.contract import (
    Act,
    Effect,
    Happened,
    Irreversible,
    Outcome,
    Phrases,
    Plan,
    Verdict,
    changing,
)
from tools.errors import Unavailable
from tools.words import Channel, Text

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class NoticeArguments:
    """To whom, and what exactly."""

    target: Channel
    text: Text


@changing(NoticeArguments)
class SendNotice:
    """Send a message to a channel, a mail address or a pager of the fleet."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "tell {target} that {text}",
            "send a notice to {target}: {text}",
            "page {target} with {text}",
            "post {text} in {target}",
            "let {target} know {text}",
            "notify {target}: {text}",
            "message {target} saying {text}",
            "drop a line in {target}: {text}",
            "email {target} that {text}",
            "write to {target}: {text}",
            "announce in {target} that {text}",
            "inform {target} that {text}",
            "ping {target}: {text}",
            "send {text} to {target}",
            "send a notice",
            "warn {target} that {text}",
        ),
        zh=(
            "告诉 {target}：{text}",
            "给 {target} 发通知：{text}",
            "呼叫 {target}：{text}",
            "在 {target} 里说一声 {text}",
            "通知 {target}：{text}",
            "跟 {target} 说 {text}",
            "往 {target} 发条消息：{text}",
            "发个通知",
            "给 {target} 发消息说 {text}",
            "在 {target} 发布公告：{text}",
            "提醒 {target} {text}",
        ),
    )
    undo = Irreversible("a message that was sent cannot be taken back")

    def plan(self, world: World, args: NoticeArguments) -> Plan:
        """The exact text, and where it goes."""
        raise Unavailable("send_notice is not built yet.")

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Put it in the outbox under the action's id, and try to deliver it."""
        raise Unavailable("send_notice is not built yet.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Was it delivered?"""
        raise Unavailable("send_notice is not built yet.")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is there an outbox row of this action?"""
        raise Unavailable("send_notice is not built yet.")
