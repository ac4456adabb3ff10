"""list_alert_rules: what this machine, and the fleet's Prometheus, alert on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import ToolError
from tools.observe import wording as say
from tools.observe.base import telemetry
from tools.observe.metrics import unit_of
from tools.observe.prometheus import Prometheus
from tools.observe.rule_store import RuleStore
from tools.observe.rules import Rule
from tools.words import Lang

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule and for how many series it fires or is about to."""

    rule: Rule
    firing: int
    pending: int


@dataclass(frozen=True, slots=True)
class RulesFinding:
    """Every rule of this machine, and how Prometheus' rules stand."""

    rows: tuple[RuleRow, ...]
    prometheus: str = ""
    prometheus_zh: str = ""

    def say(self, lang: Lang) -> str:
        """How many rules, which fire, then each in a line."""
        zh = lang == "zh"
        firing = [r for r in self.rows if r.firing]
        which = ", ".join(r.rule.name for r in firing)
        if zh:
            state = f"{len(firing)} 条正在告警：{which}。" if firing else "目前都没有触发。"
            lines = [f"本机有 {len(self.rows)} 条告警规则，{state}"]
        else:
            state = f"{len(firing)} firing: {which}." if firing else "none of them firing."
            lines = [f"{len(self.rows)} alert rules on this machine, {state}"]
        lines += [_line(row, lang) for row in self.rows]
        fleet = self.prometheus_zh if zh else self.prometheus
        return say.fold([*lines, fleet] if fleet else lines)


def _line(row: RuleRow, lang: Lang) -> str:
    rule, zh = row.rule, lang == "zh"
    notes = [rule.severity]
    if not rule.enabled:
        notes.append("已停用" if zh else "switched off")
    if row.firing:
        notes.append(f"告警中 {row.firing}" if zh else f"FIRING for {row.firing}")
    if row.pending:
        notes.append(f"待定 {row.pending}" if zh else f"pending for {row.pending}")
    if rule.origin != "built in":
        notes.append(rule.origin)
    return f"- {rule.name}: {rule.says(unit_of(rule.metric), lang)} ({', '.join(notes)})"


@reading(
    Phrases(
        en=(
            "list the alert rules",
            "which alert rules are there",
            "show alert rules",
            "what do you alert on",
            "what alerts are configured",
            "when will you alert me",
            "which thresholds are set",
            "show me the alerting rules of this machine",
        ),
        zh=(
            "列出告警规则",
            "有哪些告警规则",
            "查看告警规则",
            "什么情况下会告警",
            "配置了哪些告警",
            "设置了哪些阈值",
        ),
    )
)
def list_alert_rules(world: World) -> RulesFinding:
    """Alert rules of this machine and where each stands now."""
    store = RuleStore(world)
    rows: list[RuleRow] = []
    for rule in store.rules().values():
        phases = [state.phase for state in store.states(rule.name).values()]
        rows.append(RuleRow(rule, phases.count("firing"), phases.count("pending")))
    rows.sort(key=lambda r: (-r.firing, -r.pending, r.rule.name))
    en, zh = _fleet(getattr(telemetry(world), "prometheus", None))
    return RulesFinding(tuple(rows), en, zh)


def _fleet(prometheus: Prometheus | None) -> tuple[str, str]:
    if prometheus is None:
        return "", ""
    try:
        rules = prometheus.rules()
    except ToolError as error:
        return error.en, error.zh
    firing = [str(r["name"]) for r in rules if r.get("state") == "firing"]
    broken = [str(r["name"]) for r in rules if r.get("health") == "err"]
    en = f"Prometheus evaluates {len(rules)} alert rules, {len(firing)} firing"
    zh = f"Prometheus 有 {len(rules)} 条告警规则，{len(firing)} 条告警中"
    if firing:
        en, zh = f"{en} ({', '.join(firing[:8])})", f"{zh}（{'、'.join(firing[:8])}）"
    if broken:
        en, zh = f"{en}; failing: {', '.join(broken)}", f"{zh}；求值失败：{'、'.join(broken)}"
    return f"{en}.", f"{zh}。"
