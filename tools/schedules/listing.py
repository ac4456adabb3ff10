"""The tool that lists scheduled summaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import Unavailable

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class ScheduleList:
    """What is scheduled."""

    def say(self, lang: Lang) -> str:
        """How many, when each runs next, and how the last run went."""
        raise Unavailable("list_schedules is not built yet.")


@reading(
    Phrases(
        en=(
            "list schedules",
            "list scheduled summaries",
            "which summaries are scheduled",
            "what reports are scheduled",
            "show the summary schedules",
            "when is the next summary",
            "when does the next scheduled report go out",
            "which recurring summaries do we have",
        ),
        zh=(
            "列出定时总结",
            "有哪些定时任务",
            "有哪些定时摘要",
            "定时汇总有哪些",
            "下一次总结什么时候发",
            "查看定时报告列表",
        ),
    )
)
def list_schedules(world: World) -> ScheduleList:
    """List scheduled summaries: when each runs next and how its last run went."""
    raise Unavailable("list_schedules is not built yet.")
