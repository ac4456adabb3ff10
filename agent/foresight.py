"""The look ahead at a change: validate the call, plan it, mask it; ask the world about an effect.

Everything here only looks. :mod:`agent.door` is the one that acts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar, cast

from agent.events import Action
from agent.redaction import mask, mask_json
from tools.contract import Call, Change, Happened, Json, Plan, PlanWords, Tool
from tools.errors import BadArguments, Refused, Unavailable, unknown
from tools.world import Clock, World

PATIENCE = timedelta(minutes=10)
"""How long a world that does not answer is asked again before an undo is given up."""
T = TypeVar("T")


def answered(clock: Clock, ask: Callable[[], T]) -> T:
    """Ask again while the world does not answer: what is to be undone stays harmful."""
    until = clock.now() + PATIENCE
    while True:
        try:
            return ask()
        except Unavailable as error:
            if clock.now() > until or not error.passes:
                raise
        clock.sleep(2.0)


@dataclass(frozen=True, slots=True)
class Foresight:
    """Plans calls against the world."""

    tools: Mapping[str, Tool]
    world: World

    def changing(self, name: str) -> Tool:
        """The changing tool of that name; raises ``BadArguments``."""
        tool = self.tools.get(name)
        if tool is None:
            raise unknown("tool", name, self.tools, "工具")
        if tool.change is None:
            raise BadArguments(f"{name} only looks; there is nothing to approve.")
        return tool

    def resolve(self, call: Call) -> Call:
        """The call with validated, normalised arguments and no secret in them."""
        tool = self.changing(call.tool)
        call = Call(call.tool, tool.arguments(call.args))
        if mask_json(cast("dict[str, Json]", call.args)) != call.args:
            raise Refused(
                f"The arguments of {call.tool} contain what looks like a secret; name where it is "
                "kept instead of the secret itself.",
                f"{call.tool} 的参数里疑似含有密钥；请引用其存放位置，而不要写出密钥本身。",
            )
        return call

    def plan(self, call: Call) -> Plan:
        """What the call would do now. Raises ``ToolError`` when it is nonsense or impossible."""
        tool = self.changing(call.tool)
        plan = self.change(call.tool).plan(self.world, tool.bind(call.args))
        return replace(
            plan,
            title=mask(plan.title),
            diff=mask(plan.diff),
            blast_radius=mask(plan.blast_radius),
            warnings=tuple(mask(w) for w in plan.warnings),
            zh=plan.zh and _masked(plan.zh),
        )

    def change(self, name: str) -> Change[Any]:
        """The four parts behind a tool's name."""
        return cast("Change[Any]", self.changing(name).change)

    def happened(self, action: Action) -> Happened:
        """Did the effect of this action reach the world? Any trouble in asking is ``UNSURE``."""
        try:
            return self.change(action.call.tool).happened(self.world, action.plan, action.id)
        except Exception:  # noqa: BLE001  no answer, whatever the reason, is not an answer
            return Happened.UNSURE


def _masked(words: PlanWords) -> PlanWords:
    return replace(
        words,
        title=mask(words.title),
        blast_radius=mask(words.blast_radius),
        warnings=tuple(mask(w) for w in words.warnings),
    )
