"""The tool that lists alerts, grouped into incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.alerts.base import AlertRecord, AlertState, Incident
from tools.contract import Phrases, reading

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class AlertList:
    """Alerts in one state, or all that matter now, with the incidents they belong to."""

    state: str | None
    alerts: tuple[AlertRecord, ...]
    incidents: tuple[Incident, ...]

    def say(self, lang: Lang) -> str:
        """How many, which, since when."""
        raise NotImplementedError


@reading(
    Phrases(
        en=(
            "list alerts",
            "what is firing right now?",
            "which alerts are {state}",
            "any alerts at the moment?",
            "show me {state} alerts",
            "are there open alerts I should know about",
            "what is paging us",
            "is anything red right now?",
            "did anything alert overnight",
            "show the open incidents",
            "what incidents do we have",
        ),
        zh=(
            "列出告警",
            "现在有哪些告警正在触发？",
            "有没有报警",
            "哪些告警是 {state} 状态",
            "看看当前的告警",
            "已经恢复的告警有哪些",
            "哪些告警被静默了",
            "有哪些未关闭的故障",
        ),
    )
)
def list_alerts(world: World, state: AlertState | None = None) -> AlertList:
    """List alerts that fire (or are silenced or resolved), grouped into incidents."""
    raise NotImplementedError
