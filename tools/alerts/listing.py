"""The tool that lists alerts, grouped into incidents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.alerts.base import AlertRecord, AlertState, Incident, alerts
from tools.amounts import ago, plural
from tools.columns import clip
from tools.contract import Phrases, reading

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World

SHOWN = 12
_ORDER = {"critical": 0, "error": 1, "warning": 2, "info": 3, "none": 4}
_STATES_ZH = {"firing": "触发中", "resolved": "已恢复", "silenced": "已静默"}


@dataclass(frozen=True, slots=True)
class AlertList:
    """Alerts in one state, or all that fire, with the incidents they belong to."""

    state: str | None
    now: datetime
    alerts: tuple[AlertRecord, ...]
    incidents: tuple[Incident, ...]
    missing: str = ""
    """Why Alertmanager could not be asked, when it could not."""
    missing_zh: str = ""

    def say(self, lang: Lang) -> str:
        """How many, which, since when."""
        lines = [self._head_zh() if lang == "zh" else self._head_en()]
        groups = self._groups()
        lines += [self._alike(group, lang) for group in groups[:SHOWN]]
        if more := sum(len(group) for group in groups[SHOWN:]):
            lines.append(f"… 另有 {more} 条" if lang == "zh" else f"… and {more} more")
        grouped = [i for i in self.incidents if i.firing + i.resolved > 1]
        if grouped and self.state != "resolved":
            lines.append("事件：" if lang == "zh" else "Incidents:")
            lines += [self._incident(i, lang) for i in grouped[:SHOWN]]
        if self.missing:
            lines.append(self.missing_zh if lang == "zh" else self.missing)
        return "\n".join(clip(line) for line in lines)

    def _ordered(self) -> list[AlertRecord]:
        return sorted(
            self.alerts, key=lambda a: (_ORDER.get(a.severity, 2), -a.starts_at.timestamp())
        )

    def _groups(self) -> list[list[AlertRecord]]:
        """Alerts of one name in one incident are told in one line."""
        held: dict[tuple[object, ...], list[AlertRecord]] = {}
        for alert in self._ordered():
            alone = alert.fingerprint if alert.incident is None else ""
            key = (alert.name, alert.severity, alert.incident, alone, bool(alert.silenced_by))
            held.setdefault(key, []).append(alert)
        return list(held.values())

    def _head_en(self) -> str:
        if not self.alerts:
            return f"No alert is {self.state or 'firing'}."
        count = len(self.alerts)
        hidden = sum(1 for a in self.alerts if a.silenced_by)
        by_severity = Counter(a.severity or "unrated" for a in self.alerts)
        levels = ", ".join(f"{n} {s}" for s, n in sorted(by_severity.items(), key=_severity))
        told = f" {hidden} of them silenced." if hidden and self.state is None else ""
        inside = len({a.incident for a in self.alerts if a.incident is not None})
        grouped = f" in {plural(inside, 'incident')}" if inside and count > 1 else ""
        verb = "is" if count == 1 else "are"
        return (
            f"{plural(count, 'alert')} {verb} {self.state or 'firing'}{grouped} ({levels}).{told}"
        )

    def _head_zh(self) -> str:
        state = _STATES_ZH.get(self.state or "firing", "")
        if not self.alerts:
            return f"没有{state}的告警。"
        by_severity = Counter(a.severity or "未定级" for a in self.alerts)
        levels = "，".join(f"{s} {n}" for s, n in sorted(by_severity.items(), key=_severity))
        inside = len({a.incident for a in self.alerts if a.incident is not None})
        grouped = f"，归为 {inside} 个事件" if inside and len(self.alerts) > 1 else ""
        return f"{len(self.alerts)} 条告警{state}{grouped}（{levels}）。"

    def _alike(self, group: list[AlertRecord], lang: Lang) -> str:
        if len(group) == 1:
            return self._alert(group[0], lang)
        first = min(group, key=lambda a: a.starts_at)
        names = sorted({k for a in group for k in a.labels if k in _TELLING})
        said: list[str] = []
        for name in names:
            values = sorted({a.labels[name] for a in group if name in a.labels})
            more = f", … ({len(values)})" if len(values) > 3 else ""
            said.append(f"{name}={', '.join(values[:3])}{more}")
        since = ago(first.starts_at, self.now, lang)
        mute = ("，已静默" if lang == "zh" else ", silenced") if first.silenced_by else ""
        level = first.severity or "-"
        return f"- {first.name} ×{len(group)} [{level}] {'; '.join(said)} ({since}{mute})"

    def _alert(self, alert: AlertRecord, lang: Lang) -> str:
        where = ", ".join(f"{k}={v}" for k, v in sorted(alert.labels.items()) if k in _TELLING)
        since = ago(alert.starts_at, self.now, lang)
        told = alert.annotations.get("summary") or alert.annotations.get("description") or ""
        said = f": {told}" if told and told != alert.name else ""
        mute = ("，已静默" if lang == "zh" else ", silenced") if alert.silenced_by else ""
        return f"- {alert.name} [{alert.severity or '-'}] {where} ({since}{mute}){said}"

    def _incident(self, incident: Incident, lang: Lang) -> str:
        since = ago(incident.opened_at, self.now, lang)
        if lang == "zh":
            cause = f"，已确认原因：{incident.cause}" if incident.cause else ""
            return (
                f"- #{incident.number} {incident.title}：{incident.firing} 条触发，{since}{cause}"
            )
        cause = f", confirmed: {incident.cause}" if incident.cause else ""
        return f"- #{incident.number} {incident.title}: {incident.firing} firing, {since}{cause}"


_TELLING = frozenset(
    {"deployment", "exported_pod", "gpu", "host", "hostname", "instance", "job_id", "model"}
    | {"model_name", "namespace", "node", "pod", "rack", "target", "mount", "mountpoint"}
)


def _severity(item: tuple[str, int]) -> int:
    return _ORDER.get(item[0], 2)


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
    port = alerts(world)
    found = tuple(port.alerts(state))
    trouble = port.trouble
    incidents = tuple(port.incidents(open_only=state != "resolved", limit=50))
    return AlertList(
        state,
        world.clock.now(),
        found,
        incidents,
        trouble.en if trouble else "",
        trouble.zh if trouble else "",
    )
