"""read_logs: the newest lines of a deployment, a job, or this machine's kernel and journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Pattern, Target, Window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "show the logs of {target}",
        "read the logs of {target}",
        "logs for {target}",
        "what does {target} log",
        "show me the last log lines of {target}",
        "logs of {target} from the last {window}",
        "find {pattern} in the logs of {target}",
        "search the logs of {target} for {pattern} in the last {window}",
        "any errors in the logs of {target}",
        "show the kernel log",
        "tail {target}",
    ),
    zh=(
        "查看 {target} 的日志",
        "读一下 {target} 的日志",
        "{target} 的日志",
        "{target} 最近 {window} 的日志",
        "在 {target} 的日志里查找 {pattern}",
        "{target} 的日志里有错误吗",
        "查看内核日志",
        "显示 {target} 最后几行日志",
    ),
)


@reading(_PHRASES)
def read_logs(
    world: World, target: Target, window: Window = "1h", pattern: Pattern | None = None
) -> Finding:
    """Newest log lines of a deployment, a job, or this machine (host, kernel), filtered."""
    raise Unavailable("read_logs is not built yet.")
