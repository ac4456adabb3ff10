"""Alert rules of this machine: list, set and remove them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from tools.contract import (
    Act,
    Call,
    Effect,
    Finding,
    Happened,
    Outcome,
    Phrases,
    Plan,
    Verdict,
    changing,
    reading,
)
from tools.errors import Unavailable
from tools.words import Comparison, Metric, Number, RuleName, Window, Word

if TYPE_CHECKING:
    from tools.world import World

Kind = Annotated[Literal["threshold", "rate", "anomaly", "peer"], Word("rule_kind")]
Severity = Annotated[Literal["info", "warning", "critical"], Word("severity")]


@dataclass(frozen=True, slots=True)
class SetAlertRuleArguments:
    """An alert rule: when ``metric op threshold`` holds for ``duration``."""

    metric: Metric
    op: Comparison = ">"
    threshold: Number | None = None
    duration: Window = "5m"
    name: RuleName | None = None
    kind: Kind = "threshold"
    severity: Severity = "warning"
    enabled: bool = True


@changing(SetAlertRuleArguments)
class SetAlertRule:
    """Set an alert rule on a metric: a threshold, a rate of change, an anomaly or a peer outlier."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "alert me when {metric} is above {threshold}",
            "alert me when {metric} goes over {threshold} for {duration}",
            "warn me if {metric} drops below {threshold}",
            "set an alert rule on {metric} above {threshold} for {duration}",
            "create an alert named {name} when {metric} is above {threshold}",
            "tell me if {metric} is above {threshold} for more than {duration}",
            "add an alert for {metric} over {threshold}",
            "notify me when {metric} exceeds {threshold}",
            "alert me when {metric} behaves unusually",
            "change the rule {name} to {metric} above {threshold}",
        ),
        zh=(
            "{metric} 超过 {threshold} 时告警",
            "当 {metric} 高于 {threshold} 持续 {duration} 时提醒我",
            "{metric} 低于 {threshold} 时通知我",
            "给 {metric} 设置告警规则，阈值 {threshold}",
            "新建告警规则 {name}：{metric} 大于 {threshold}",
            "{metric} 异常时告警",
            "把规则 {name} 的 {metric} 阈值改为 {threshold}",
        ),
    )

    def plan(self, world: World, args: SetAlertRuleArguments) -> Plan:
        """The rule before and after, and how often it would have fired lately."""
        raise Unavailable("set_alert_rule is not built yet.")

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Store the rule with the action's id."""
        raise Unavailable("set_alert_rule is not built yet.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Read the rule back and evaluate it once."""
        raise Unavailable("set_alert_rule is not built yet.")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Restore the rule that was there, or remove the new one."""
        raise Unavailable("set_alert_rule is not built yet.")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether a stored rule carries the action's id."""
        raise Unavailable("set_alert_rule is not built yet.")


@dataclass(frozen=True, slots=True)
class RemoveAlertRuleArguments:
    """Which rule to remove."""

    name: RuleName


@changing(RemoveAlertRuleArguments)
class RemoveAlertRule:
    """Remove an alert rule of this machine."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "remove the alert rule {name}",
            "delete the alert rule {name}",
            "drop the rule {name}",
            "stop alerting with rule {name}",
            "get rid of the alert rule {name}",
            "turn off the alert rule {name}",
            "disable the rule {name}",
            "I no longer need the alert rule {name}",
        ),
        zh=(
            "删除告警规则 {name}",
            "移除告警规则 {name}",
            "去掉规则 {name}",
            "关闭告警规则 {name}",
            "停用规则 {name}",
            "不再需要告警规则 {name}",
        ),
    )

    def plan(self, world: World, args: RemoveAlertRuleArguments) -> Plan:
        """The rule that goes away."""
        raise Unavailable("remove_alert_rule is not built yet.")

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Mark the rule removed with the action's id."""
        raise Unavailable("remove_alert_rule is not built yet.")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Look that the rule is gone."""
        raise Unavailable("remove_alert_rule is not built yet.")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Set the rule again as it was."""
        raise Unavailable("remove_alert_rule is not built yet.")

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether the removal carries the action's id."""
        raise Unavailable("remove_alert_rule is not built yet.")


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
def list_alert_rules(world: World) -> Finding:
    """Alert rules of this machine and where each stands now."""
    raise Unavailable("list_alert_rules is not built yet.")
