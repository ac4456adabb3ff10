"""remove_alert_rule: an alert rule of this machine goes away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.observe.metrics import unit_of
from tools.observe.rule_json import definition, restore, rule_of
from tools.observe.rule_store import RuleStore
from tools.observe.rule_words import origin_zh
from tools.words import RuleName

if TYPE_CHECKING:
    from tools.world import World


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
        store = RuleStore(world)
        rule = store.named(args.name)
        unit = unit_of(rule.metric)
        says = f"{rule.says(unit)} ({rule.severity})"
        return Plan(
            target=Target("alert_rule", rule.name, rule.name, store.version(rule.name)),
            title=f"Remove the alert rule {rule.name}",
            diff=f"- {says}\n+ (no such rule)",
            blast_radius="Nobody is alerted by this rule any more; it was " + rule.origin + ".",
            undo=f"Sets the rule again: {says}.",
            verification="The rules are read back.",
            zh=PlanWords(
                f"移除告警规则 {rule.name}",
                f"该规则不再告警；它{origin_zh(rule)}。",
                f"重新设置该规则：{rule.says(unit, 'zh')}（{rule.severity}）",
                "读回所有规则",
            ),
            deadline=timedelta(seconds=30),
            details={"rule": definition(rule)},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Mark the rule removed with the action's id."""
        act.check()
        RuleStore(world).put(plan.target.name, None, act.id)
        act.progress("removed", 1.0)
        zh = f"告警规则 {plan.target.name} 已移除。"
        return Outcome(f"The alert rule {plan.target.name} is removed.", zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Look that the rule is gone."""
        left = RuleStore(world).rules()
        if plan.target.name in left:
            en, zh = f"{plan.target.name} is still there.", f"{plan.target.name} 仍然存在。"
            return Verdict(False, en, "the rule was set again", zh=zh, cause_zh="规则又被设置")
        zh = f"{plan.target.name} 已不存在；还剩 {len(left)} 条规则。"
        return Verdict(True, f"{plan.target.name} is gone; {len(left)} rules are left.", zh=zh)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Set the rule again as it was."""
        return restore(rule_of(plan.details["rule"]))

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether the removal carries the action's id."""
        target = plan.target
        return RuleStore(world).happened(target.name, action_id, target.version)
