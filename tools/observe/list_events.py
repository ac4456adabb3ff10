"""list_events: what happened lately, from every source, on one time line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Target, Window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "list events",
        "show recent events",
        "what events are there for {target}",
        "events of {target}",
        "what happened to {target}",
        "what happened to {target} in the last {window}",
        "show the events of the last {window}",
        "show events of {target} from the last {window}",
        "any warnings lately",
        "did anything restart",
    ),
    zh=(
        "列出事件",
        "最近有什么事件",
        "{target} 的事件",
        "{target} 发生了什么",
        "{target} 最近 {window} 发生了什么",
        "最近 {window} 的事件",
        "最近有什么告警事件吗",
    ),
)


@reading(_PHRASES)
def list_events(world: World, target: Target | None = None, window: Window = "2h") -> Finding:
    """Events of deployments, jobs, the kernel and Steward's own actions on one time line."""
    raise Unavailable("list_events is not built yet.")
