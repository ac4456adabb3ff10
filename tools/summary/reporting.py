"""The tool that reports how everything is and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import Unavailable
from tools.words import Window

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """How everything is and what happened in a window."""

    window: str

    def say(self, lang: Lang) -> str:
        """Is all well? Then what changed, fired, waits and runs."""
        raise Unavailable("status_summary is not built yet.")


@reading(
    Phrases(
        en=(
            "summary",
            "status summary",
            "what happened today?",
            "give me a summary of the last {window}",
            "what happened in the last {window}",
            "how are we doing",
            "is everything ok?",
            "what did I miss",
            "what happened overnight",
            "handover summary",
            "sitrep",
            "catch me up on the last {window}",
            "how does everything look overall",
            "tldr of the last {window}",
            "anything I should know from last night?",
            "overall status of the fleet",
            "recap of the past {window}",
            "brief me",
            "what is new since {window}",
            "how did the night go",
            "state of the fleet",
        ),
        zh=(
            "总结一下",
            "今天发生了什么",
            "最近 {window} 的总结",
            "过去 {window} 发生了什么",
            "整体情况怎么样",
            "一切正常吗",
            "昨晚有什么大事吗",
            "给我一份状态汇总",
            "交接班摘要",
            "最近 {window} 的情况汇总",
            "简单说说 {window} 的情况",
            "我错过了什么",
            "大家都好吗，整体状态如何",
            "出个日报",
        ),
    )
)
def status_summary(world: World, window: Window = "24h") -> StatusSummary:
    """Summarise a window: health, changes, alerts, jobs, GPUs, drift, and what waits for approval."""
    raise Unavailable("status_summary is not built yet.")
