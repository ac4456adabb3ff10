"""Words for actions that the list, the card and the summary share. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.columns import clip

if TYPE_CHECKING:
    from tools.words import Lang

OPEN = ("proposed", "approved", "applying", "applied")
"""States that something still has to happen to."""
BAD = ("failed", "unverified", "unknown")
"""States that a person should look at."""

_STATES: dict[str, tuple[str, str]] = {
    "proposed": ("waits for approval", "等待批准"),
    "approved": ("approved, about to start", "已批准，即将开始"),
    "applying": ("running", "执行中"),
    "applied": ("done, being verified", "已执行，验证中"),
    "verified": ("done and verified", "已完成并验证"),
    "rejected": ("rejected", "已拒绝"),
    "expired": ("expired unused", "已过期"),
    "stale": ("not done, the world had changed", "未执行，环境已变化"),
    "failed": ("FAILED", "失败"),
    "unverified": ("NOT VERIFIED", "未能验证"),
    "unknown": ("UNKNOWN, a person must look", "结果未知，需人工确认"),
    "undone": ("undone", "已撤销"),
    "open": ("open", "未结束"),
}


def state_words(state: str, lang: Lang) -> str:
    """A state as a person says it."""
    en, zh = _STATES.get(state, (state, state))
    return zh if lang == "zh" else en


def cut(text: str, width: int) -> str:
    """The first line of ``text``, at most ``width`` columns wide."""
    return clip(text.rstrip().split("\n", 1)[0], width)
