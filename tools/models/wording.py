"""Words that changes of models share, in English and Chinese. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from tools.models.base import JobState
from tools.platforms.chinese import in_chinese
from tools.words import Said

if TYPE_CHECKING:
    from tools.models.base import ModelVersion

STATES: Mapping[JobState, str] = {
    "pending": "等待启动",
    "running": "运行中",
    "succeeded": "成功",
    "failed": "失败",
    "cancelled": "已取消",
    "lost": "丢失",
}
"""States of jobs in Chinese."""

UNTOUCHED = Said("no deployment and no traffic is touched", "不影响任何部署和流量")
_CAUSES = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"out of memory: the kernel killed a worker", "内存不足：内核终止了一个工作进程"),
        (r"out of memory: an allocation failed", "内存不足：分配失败"),
        (r"out of memory: ", "内存不足："),
        (r"disk full: (.+) cannot be written", r"磁盘已满：\1 无法写入"),
        (r"lost contact with another worker: ", "与另一个工作进程失去联系："),
        (
            r"lost worker: killed by signal (\d+) more often than max_restarts allows",
            r"工作进程丢失：被信号 \1 终止的次数超过 max_restarts",
        ),
        (r"^cancelled by a person$", "被人取消"),
        (r"^cancelled$", "已取消"),
        (r"^exit code (-?\d+)(?:: )?", r"退出码 \1："),
    )
)


def cause_zh(cause: str) -> str:
    """The named cause of a job's end in Chinese; what the training itself said stays quoted."""
    said = cause
    for pattern, words in _CAUSES:
        said = pattern.sub(words, said)
    return STATES.get(cast("JobState", cause), in_chinese(said)).rstrip("：")


def step(at: int, total: int | None) -> Said:
    """Where a job stands."""
    if not total:
        return Said("its start", "起点")
    return Said(f"step {at} of {total}", f"第 {at}/{total} 步")


def named(number: int | None) -> Said:
    """What an alias points at."""
    return Said("none", "无") if number is None else Said(f"version {number}", f"版本 {number}")


def points_zh(alias: str, number: int | None) -> str:
    """Where an alias points, in Chinese."""
    return f"{alias} 不再指向任何版本" if number is None else f"{alias} 指向版本 {number}"


def gate_sentence(version: ModelVersion) -> Said:
    """Why the gate holds a version back, with the numbers."""
    said = cast("Mapping[str, float]", version.gate)
    loss, against = f"{-100 * said['low']:.1f}", f"{said['against']:.0f}"
    allowed, measured = f"{100 * said['budget']:g}", f"{100 * said['change']:+.1f}"
    more = more_zh = ""
    if said.get("needed"):
        more = f"; about {said['needed']:.0f} test samples would settle it"
        more_zh = f"；约需 {said['needed']:.0f} 个测试样本才能判定"
    return Said(
        f"The gate did not pass: it could lose {loss} points against version {against} "
        f"({allowed} allowed, measured {measured}{more})",
        f"未通过质量门：与版本 {against} 相比可能损失 {loss} 个点"
        f"（允许 {allowed}，实测 {measured}{more_zh}）",
    )
