"""What the changes of alert rules say, in English and Chinese."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tools.errors import ToolError
from tools.observe.base import telemetry
from tools.observe.metrics import unit_of
from tools.observe.rules import COMPARE, Rule, episodes
from tools.observe.wording import quantity
from tools.words import Said

if TYPE_CHECKING:
    from tools.world import World

_NOTHING = Said("Nothing changes but the alerts", "除告警外没有其他变化")
_ORIGINS = {"built in": "是内置的", "set by a person": "由人设置"}


def line(rule: Rule) -> Said:
    """The condition, the severity, and whether it is off."""
    off = ("", "") if rule.enabled else (", switched off", "，已停用")
    unit = unit_of(rule.metric)
    return Said(
        f"{rule.says(unit)} ({rule.severity}{off[0]})",
        f"{rule.says(unit, 'zh')}（{rule.severity}{off[1]}）",
    )


def origin_zh(rule: Rule) -> str:
    """Where a rule comes from, in Chinese; a file is named as it is."""
    return _ORIGINS.get(rule.origin, f"来自 {rule.origin}")


def effect(world: World, rule: Rule) -> Said:
    """The newest value, and for a threshold how often it would have fired in a day."""
    try:
        day = telemetry(world).series(rule.metric, timedelta(days=1))
    except ToolError as error:
        return Said(f"{_NOTHING.en}. {error.en}", f"{_NOTHING.zh}。{error.zh}")
    newest = [s.points[-1][1] for s in day if s.points]
    if not newest:
        return Said(
            f"{_NOTHING.en}; {rule.metric} was not recorded in the last day.",
            f"{_NOTHING.zh}；最近一天没有 {rule.metric} 的记录。",
        )
    worst = max(newest) if rule.op.startswith(">") else min(newest)
    value = quantity(worst, unit_of(rule.metric))
    now = Said(f"{rule.metric} is {value} now", f"{rule.metric} 目前为 {value}")
    if rule.kind != "threshold":
        return Said(f"{_NOTHING.en}; {now.en}.", f"{_NOTHING.zh}；{now.zh}。")
    fired = sum(len(episodes(rule, s)) for s in day)
    met = COMPARE[rule.op](worst, rule.threshold)
    meets = "which meets the condition" if met else "not firing"
    times = f"{fired} time{'' if fired == 1 else 's'}"
    return Said(
        f"{_NOTHING.en}; {now.en}, {meets}; in the last day: {times}.",
        f"{_NOTHING.zh}；{now.zh}，{'已满足条件' if met else '未触发'}；最近一天会触发 {fired} 次。",
    )


def milliseconds(threshold: float | None, metric: str) -> Said:
    """How a bare number is taken for a latency."""
    return Said(
        f"{threshold:g} is taken for milliseconds; name {metric} to give seconds.",
        f"{threshold:g} 按毫秒理解；若以秒为单位，请写 {metric}。",
    )


def not_a_share(threshold: float) -> Said:
    """A percentage that may have been meant as a share."""
    return Said(
        f"{threshold:g} means {threshold:g} %, not {100 * threshold:g} %.",
        f"{threshold:g} 表示 {threshold:g} %，而不是 {100 * threshold:g} %。",
    )
