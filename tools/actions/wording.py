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

_KINDS = {
    "deployment": "部署",
    "node": "节点",
    "model": "模型",
    "model_version": "模型版本",
    "alias": "别名",
    "job": "任务",
    "image": "镜像",
    "alert": "告警",
    "alert_rule": "告警规则",
    "schedule": "定时汇总",
    "notice-target": "通知目标",
    "mcp-tool": "MCP 工具",
}
_FRONTS = {"terminal": "终端", "scheduler": "定时任务", "alert": "告警"}


def state_words(state: str, lang: Lang) -> str:
    """A state as a person says it."""
    en, zh = _STATES.get(state, (state, state))
    return zh if lang == "zh" else en


def kind_words(kind: str, lang: Lang) -> str:
    """What kind of thing is changed."""
    return _KINDS.get(kind, kind) if lang == "zh" else kind


def front_words(front: str, lang: Lang) -> str:
    """Where somebody speaks."""
    return _FRONTS.get(front, front) if lang == "zh" else front


def rule_words(rule: str | None, lang: Lang) -> str:
    """What said yes beforehand: the name of a class, or the approval of another action."""
    of, number = (rule or "").partition("approval of action ")[1:]
    return f"操作 {number} 的批准" if lang == "zh" and of else rule or ""


def aside(text: str, lang: Lang) -> str:
    """``text`` in the brackets of the language, with the space they need."""
    return f"（{text}）" if lang == "zh" else f" ({text})"


def cut(text: str, width: int) -> str:
    """The first line of ``text``, at most ``width`` columns wide."""
    return clip(text.rstrip().split("\n", 1)[0], width)
