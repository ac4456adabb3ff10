"""Sending a notice: one row in the outbox, one attempt now, more later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tools.contract import (
    Act,
    Effect,
    Happened,
    Irreversible,
    Json,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import BadArguments, Cancelled, Failed
from tools.notices.base import Notice, Notices, NoticeTarget, notices
from tools.words import Channel, Said, Text
from tools.zone import moment, zone_of

if TYPE_CHECKING:
    from tools.world import World

ATTEMPTS = 3
"""Tries within the action itself; later ones are the outbox's."""
_STATES = {
    "queued": "排队中",
    "sending": "发送中",
    "delivered": "已送达",
    "failed": "失败",
    "cancelled": "已取消",
}
PATIENCE = timedelta(seconds=5)
"""How long to wait for another process that is sending it right now."""


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
    undo = Irreversible("a message that was sent cannot be taken back", "已发出的消息无法收回")

    def plan(self, world: World, args: NoticeArguments) -> Plan:
        """The exact text, and where it goes."""
        text = args.text.strip()
        if not text:
            raise BadArguments("A notice needs a text.", "通知需要内容。")
        port = notices(world)
        target = port.target(args.target)
        port.check(target.name)
        warnings = _warnings(target)
        quoted = "\n".join(f"+ {line}" for line in text.splitlines())
        return Plan(
            target=Target(
                "notice-target", target.name, f"{target.kind}:{target.name}", target.version
            ),
            title=f"Send a notice to {target.name} ({target.kind}, {target.address})",
            diff=f"to {target.name} ({target.kind}, {target.address}):\n{quoted}",
            blast_radius=f"everybody who reads {target.name}",
            undo="cannot be undone: a message that was sent cannot be taken back",
            verification="the service of the target accepts it",
            deadline=timedelta(seconds=90),
            warnings=tuple(w.en for w in warnings),
            zh=PlanWords(
                f"向 {target.name} 发送通知（{target.kind}，{target.address}）",
                f"所有能看到 {target.name} 的人",
                f"无法撤销：{self.undo.zh}",
                "目标服务接受该通知",
                tuple(w.zh for w in warnings),
            ),
            details={"target": target.name, "kind": target.kind, "text": text},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Put it in the outbox under the action's id, and try to deliver it."""
        port = notices(world)
        target = str(plan.details["target"])
        notice = port.send(act.id, target, str(plan.details["text"]))
        for attempt in range(1, ATTEMPTS + 1):
            act.progress(f"attempt {attempt} to reach {target}", attempt / (ATTEMPTS + 1))
            notice = _settled(world, port, port.deliver(act.id), act)
            if notice.state != "queued" or plan.details["kind"] == "slack":
                break
            _wait(world, port, notice, act)
        if notice.state == "failed":
            raise Failed(f"The notice was not sent. {notice.error}", f"通知未发送。{notice.error}")
        facts: dict[str, Json] = {"notice": notice.id, "target": target}
        zh = f"发往 {target}：{_STATES[notice.state]}"
        return Outcome(f"{notice.state} to {target}", facts, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Was it delivered?"""
        until = world.clock.now() + PATIENCE
        while True:
            notice = notices(world).notice(act.id)
            if notice is None or notice.state in ("delivered", "failed", "cancelled"):
                break
            if world.clock.now() >= until:
                break
            act.check()
            world.clock.sleep(0.5)
        return _verdict(notice, plan, world)

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Is there an outbox row of this action?"""
        return Happened.NO if notices(world).notice(action_id) is None else Happened.YES


def _warnings(target: NoticeTarget) -> tuple[Said, ...]:
    if target.kind == "slack":
        en = "Slack messages are sent by steward serve; until it runs, this one waits."
        return (Said(en, "Slack 消息由 steward serve 发送；它运行之前，这条消息会等待。"),)
    if target.kind == "unreadable":
        return (Said(f"It would wait: {target.address}", f"它会等待：{target.address}"),)
    return ()


def _settled(world: World, port: Notices, notice: Notice, act: Act) -> Notice:
    """Wait for whoever is sending it now; if that process died, send it once its lease is over."""
    while notice.state == "sending":
        act.check()
        world.clock.sleep(0.5)
        if world.clock.now() > notice.next_try:
            notice = port.deliver(act.id)
        notice = port.notice(act.id) or notice
    return notice


def _wait(world: World, port: Notices, notice: Notice, act: Act) -> None:
    """Wait for the next try; a person who cancels keeps the notice from being sent later."""
    try:
        act.check()
        left = (notice.next_try - world.clock.now()).total_seconds()
        world.clock.sleep(min(max(left, 0.0), 12.0) + 0.01)
        act.check()
    except Cancelled:
        port.cancel(notice.key)
        raise


def _verdict(notice: Notice | None, plan: Plan, world: World) -> Verdict:
    target = str(plan.details["target"])
    if notice is None:
        en, zh = (
            f"there is no notice to {target} in the outbox",
            f"发件箱中没有发往 {target} 的通知",
        )
        return Verdict(False, en, "not stored", zh=zh, cause_zh="未保存")
    if notice.state == "delivered":
        tries = f" at attempt {notice.attempts}" if notice.attempts > 1 else ""
        tries_zh = f"（第 {notice.attempts} 次尝试）" if notice.attempts > 1 else ""
        zh = f"{target} 已接受通知 {notice.id}{tries_zh}"
        return Verdict(True, f"{target} accepted notice {notice.id}{tries}", zh=zh)
    if notice.state in ("queued", "sending"):
        zone, why = zone_of(world.fleet), f" {notice.error}" if notice.error else ""
        return Verdict(
            False,
            f"queued, will retry until {moment(notice.gives_up, zone, 'en')}.{why}",
            "not delivered yet",
            zh=f"已排队，将重试到 {moment(notice.gives_up, zone, 'zh')}。{why.strip()}",
            cause_zh="尚未送达",
        )
    said = notice.error or f"the notice is {notice.state}"
    zh = notice.error or f"通知{_STATES[notice.state]}"
    return Verdict(False, said, "not delivered", zh=zh, cause_zh="未送达")
