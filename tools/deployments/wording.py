"""Words that the findings of this room share, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tools.amounts import ago
from tools.columns import WIDTH, fit
from tools.platforms.base import (
    Edit,
    Pause,
    Phase,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
    Status,
)
from tools.platforms.chinese import in_chinese
from tools.serving.client import Answers
from tools.words import Lang, Said

_PHASES: dict[Phase, tuple[str, str]] = {
    "complete": ("healthy", "正常"),
    "progressing": ("changing", "变更中"),
    "paused": ("paused", "已暂停"),
    "degraded": ("degraded", "异常"),
    "failed": ("failed", "失败"),
}


def phase(name: Phase, lang: Lang) -> str:
    """A phase in a word."""
    return _PHASES[name][lang == "zh"]


def stamp(at: datetime, now: datetime, lang: Lang) -> str:
    """``03:12:40 UTC (4 min ago)``; with the date when it was not today."""
    form = "%H:%M:%S UTC" if at.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    past = ago(at, now, lang)
    return f"{at:{form}}（{past}）" if lang == "zh" else f"{at:{form}} ({past})"


def milliseconds(seconds: float) -> str:
    """``4.2 ms``, ``180 ms``, ``2.1 s``."""
    value = seconds * 1000
    if value >= 1000:
        return f"{seconds:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def joined(lines: Iterable[str]) -> str:
    """The lines, none wider than 100 columns (a Chinese character takes two)."""
    return fit("\n".join(lines), WIDTH)


def replicas(count: int) -> str:
    """``1 replica``, ``3 replicas``."""
    return f"{count} replica" if count == 1 else f"{count} replicas"


def ready(status: Status) -> Said:
    """``2 of 3 replicas ready``."""
    return Said(
        f"{status.ready} of {status.wanted} replicas ready",
        f"{status.ready}/{status.wanted} 个副本就绪",
    )


def settled(status: Status) -> Said:
    """What a complete deployment serves."""
    here = ready(status)
    if not status.wanted:
        return Said(f"{here.en}, nothing is served", f"{here.zh}，没有提供服务")
    version = status.release.version  # none where nobody wrote one, as before the first roll-out
    if version:
        return Said(f"{here.en}, all of version {version}", f"{here.zh}，均为版本 {version}")
    number = status.revision
    return Said(f"{here.en}, all of revision {number}", f"{here.zh}，均为修订 {number}")


def left_over(status: Status) -> Said:
    """What the change found there and could not remove."""
    return Said(
        f"still there from before: {status.message}", f"此前遗留：{in_chinese(status.message)}"
    )


def stated(edit: Edit, ref: str) -> str:
    """In Chinese, what was asked of a platform."""
    match edit:
        case RollOut(release=release, replicas=count):
            what = (release.version and f"版本 {release.version}") or release.image or "该发布"
            return f"将 {what} 发布到 {ref}，{count} 个副本"
        case RollBack(revision=revision):
            return f"将 {ref} 回滚到修订 {revision}"
        case Scale(replicas=count):
            return f"将 {ref} 调整为 {count} 个副本"
        case Restart():
            return f"重启 {ref}，逐个替换副本"
        case Pause():
            return f"暂停 {ref} 的发布"
        case Resume():
            return f"继续 {ref} 的发布"


def rollout(ref: str, en: str, zh: str) -> Said:
    """What became of a roll-out."""
    return Said(f"The roll-out of {ref} {en}", f"{ref} 的发布{zh}")


def tried(said: Answers, version: str | None) -> Said:
    """What came back from the requests that tried a deployment out."""
    slowest = f"{said.slowest * 1000:.0f} ms"
    return Said(
        f"{said.asked} test requests answered by version {version}, slowest {slowest}",
        f"{said.asked} 次测试请求由版本 {version} 应答，最慢 {slowest}",
    )


def error_rate(errors: int, requests: int) -> Said:
    """The share of requests that failed."""
    share = f"{errors / requests:.1%}"
    return Said(
        f"error rate {share} over {requests} requests", f"{requests} 次请求的错误率为 {share}"
    )


def watched(requests: int, errors: int, seconds: float) -> Said:
    """What the traffic said while a deployment was watched."""
    if not requests:
        return Said(
            f"no other traffic during {seconds:g} s of watching",
            f"观察 {seconds:g} 秒期间没有其他流量",
        )
    return Said(
        f"{requests} requests during {seconds:g} s of watching, {errors} errors",
        f"观察 {seconds:g} 秒期间 {requests} 次请求，{errors} 个错误",
    )
