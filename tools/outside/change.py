"""A changing tool of an MCP server, behind the door like any other.

MCP knows no dry run, no idempotency and no undo. So the plan shows exactly what would be sent and to
whom; the action's id goes along as metadata; verification and undo are other tools of the same
server, where steward.yaml names them, and are said to be missing where it does not. A call whose
answer never came is ``unknown``: it is not sent again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

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
)
from tools.errors import BadArguments, Failed, ToolError, Unavailable
from tools.outside.connection import Connection, Listed
from tools.outside.listing import digest_of
from tools.outside.spec import Changing, Server, Step
from tools.words import Said

if TYPE_CHECKING:
    from tools.world import World

_HOLE = re.compile(r"\{(\w+)\}")
TRIES = 3
PAUSE = 1.0


class NoAnswer(Exception):
    """The request may have arrived; whether it took effect is not known."""


@dataclass
class ForeignChange:
    """See :class:`tools.contract.Change`."""

    server: Server
    tool: str
    how: Changing
    connection: Callable[[World], Connection]
    phrases: Phrases
    undo: Any

    def plan(self, world: World, args: Mapping[str, Json]) -> Plan:
        """Ask the server whether the tool is still there, and show what would be sent."""
        told = {t.name: t for t in self.connection(world).listed()}.get(self.tool)
        if told is None:
            raise BadArguments(f"The MCP server {self.server.name} no longer has {self.tool}.")
        server = self.server
        reach, undo, check = _blast(server, told), self._undo_words(), self._check_words()
        destroys = self.how.destroys or told.destructive is True
        return Plan(
            target=Target("mcp-tool", f"{server.name}/{self.tool}", server.digest, digest_of(told)),
            title=f"Call {self.tool} of the MCP server {server.name}",
            diff="\n".join(
                [f"+ {k} = {_json(v)}" for k, v in sorted(args.items())] or ["+ no arguments"]
            ),
            blast_radius=reach.en,
            undo=undo.en,
            verification=check.en,
            zh=PlanWords(
                f"调用 MCP 服务器 {server.name} 的 {self.tool}",
                reach.zh,
                undo.zh,
                check.zh,
                ("它在该服务器内部会做什么，事先无法看到。",),
            ),
            deadline=server.timeout * 3,
            risk=Effect.DESTROY if destroys else Effect.CHANGE,
            warnings=("What this does inside the server cannot be seen beforehand.",),
            details={"args": dict(args)},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Send it once. Silence is not a failure: it is not known what happened."""
        act.check()
        try:
            answer = self.connection(world).call(self.tool, self._args(plan), act.id)
        except Unavailable as error:
            raise NoAnswer(error.en) from None
        said = " ".join(answer.text.split())[:300]
        if answer.failed:
            raise Failed(f"{self.server.name} refused {self.tool}: {said or 'without a reason'}")
        name, data = self.server.name, answer.data
        zh = f"{name} 回答：{said or '无内容'}"
        return Outcome(f"{name} answered: {said or 'nothing'}", {"data": data}, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Ask the tool that steward.yaml names for it."""
        if self.how.verify is None:
            said = f"{outcome.summary} Nothing in steward.yaml says how to check it."
            zh = f"{outcome.said('zh')} steward.yaml 没有说明如何检查。"
            return Verdict(False, said, "it cannot be verified", zh=zh, cause_zh="无法验证")
        tool = self.how.verify.tool
        for attempt in range(TRIES):
            act.check()
            seen = self._seen(world, self.how.verify, plan)
            if seen is not None:
                zh = f"{outcome.said('zh')} {tool} 可见：{seen}"
                return Verdict(True, f"{outcome.summary} {tool} shows it: {seen}", zh=zh)
            if attempt < TRIES - 1:
                world.clock.sleep(PAUSE)
        said = f"{outcome.summary} {tool} does not show it."
        zh = f"{outcome.said('zh')} {tool} 中看不到它。"
        return Verdict(False, said, "it is not there", zh=zh, cause_zh="它不在那里")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Only a declared check can say yes; nothing here can say no for certain."""
        try:
            seen = self.how.verify and self._seen(world, self.how.verify, plan)
        except ToolError:
            return Happened.UNSURE
        return Happened.YES if seen else Happened.UNSURE

    def _seen(self, world: World, step: Step, plan: Plan) -> str | None:
        """The line of the check's answer that shows the change, or ``None``."""
        args = self._args(plan)
        wanted = str(filled(step.contains, args))
        asked = {k: filled(v, args) for k, v in step.args.items()}
        answer = self.connection(world).call(step.tool, asked)
        if answer.failed or (wanted and wanted not in answer.text):
            return None
        lines = [line for line in answer.text.splitlines() if wanted in line]
        return " ".join((lines[0] if lines else answer.text).split())[:120] or "an empty answer"

    def _args(self, plan: Plan) -> dict[str, Json]:
        return cast("dict[str, Json]", plan.details["args"])

    def _undo_words(self) -> Said:
        if isinstance(self.undo, Irreversible):
            return Said(f"none: {self.undo.reason}", f"无：{self.undo.say('zh')}")
        step, name = cast("Step", self.how.undo), self.server.name
        return Said(
            f"{step.tool} of {name}, as an action of its own",
            f"{name} 的 {step.tool}，作为单独的操作",
        )

    def _check_words(self) -> Said:
        step, name = self.how.verify, self.server.name
        if step is None:
            return Said(
                "nothing: steward.yaml declares no check, so it will end as not verified",
                "无：steward.yaml 没有声明检查方式，因此会以未能验证告终",
            )
        return Said(f"{step.tool} of {name} shows it", f"{name} 的 {step.tool} 可见")


def filled(value: Json, args: Mapping[str, Json]) -> Json:
    """``{title}`` replaced by the argument ``title``; a lone hole keeps its type."""
    if not isinstance(value, str):
        return value
    lone = _HOLE.fullmatch(value)
    if lone:
        return args.get(lone[1])
    return _HOLE.sub(lambda m: str(args.get(m[1], "")), value)


def _blast(server: Server, told: Listed) -> Said:
    hint, hint_zh = "; it calls the tool destructive", "；它称该工具具有破坏性"
    return Said(
        f"whatever {server.name} does with it ({server.where}){hint if told.destructive else ''}",
        f"取决于 {server.name} 如何处理（{server.where}）{hint_zh if told.destructive else ''}",
    )


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
