"""Why an action ended where the door itself says it, in English and Chinese. Pure."""

from __future__ import annotations

from agent.events import Action, State
from tools.contract import Irreversible
from tools.errors import Refused, ToolError

ELSEWHERE = ("another process is doing it", "另一个进程正在执行")


def changed_since(action: Action) -> tuple[str, str]:
    """The world is not what was approved."""
    name = action.plan.target.name
    return (
        f"{name} changed since this was proposed; nothing was done.",
        f"{name} 在提议之后发生了变化；未执行任何更改。",
    )


def no_longer(error: ToolError) -> tuple[str, str]:
    """It cannot be planned any more."""
    return f"It is no longer possible: {error.en}", f"已无法执行：{error.zh}"


def not_undone(action: Action, error: ToolError) -> tuple[str, str]:
    """What the action ended with, and why its undo was refused unless that says it."""
    told = error.en in action.reason
    why, why_zh = (".", "。") if told else (f": {error.en}", f"：{error.zh}")
    return f"{action.reason} It was not undone{why}", f"{action.why('zh')} 未撤销{why_zh}"


def expired(action: Action) -> tuple[str, str]:
    """Nobody decided, or nobody used the yes."""
    if action.state is State.APPROVED:
        return "the approval was not used in time", "批准未在有效期内使用"
    by = f"{action.expires_at:%H:%M %Z}"
    return f"nobody decided by {by}", f"截至 {by} 无人作出决定"


def irreversible(number: int, why: Irreversible) -> Refused:
    """The answer to who asks for an undo that there is not."""
    return Refused(
        f"Action {number} cannot be undone: {why.reason}.",
        f"操作 {number} 无法撤销：{why.say('zh')}。",
    )
