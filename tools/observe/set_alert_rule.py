"""set_alert_rule: an alert rule of this machine, new or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

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
from tools.errors import BadArguments, unknown
from tools.observe import metrics
from tools.observe.base import telemetry
from tools.observe.metrics import unit_of
from tools.observe.rule_json import definition, restore, rule_of
from tools.observe.rule_store import RuleStore
from tools.observe.rule_words import effect, line, milliseconds, not_a_share
from tools.observe.rules import Rule
from tools.words import Comparison, Metric, Number, RuleName, Said, Window, Word, parse_window

if TYPE_CHECKING:
    from tools.world import World

Kind = Annotated[Literal["threshold", "rate", "anomaly", "peer"], Word("rule_kind")]
Severity = Annotated[Literal["info", "warning", "critical"], Word("severity")]


@dataclass(frozen=True, slots=True)
class SetAlertRuleArguments:
    """An alert rule: when ``metric op threshold`` holds for ``duration``.

    The threshold is in the metric's unit, but for latencies it is in milliseconds, as people say
    them (``p95 above 500``), unless the metric is named with its unit (``latency_p95_seconds``).
    """

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
        store = RuleStore(world)
        rule = _rule(world, args)
        before = store.rules().get(rule.name)
        now, past = line(rule), line(before) if before else Said("(no such rule)", "")
        if before is not None and _same(before, rule):
            raise BadArguments(
                f"The alert rule {rule.name} is already so: {now.en}.",
                f"告警规则 {rule.name} 已经是这样：{now.zh}。",
            )
        verb, verb_zh = ("Set", "设置") if before is None else ("Change", "修改")
        reach, warnings = effect(world, rule), _warnings(rule, args)
        return Plan(
            target=Target("alert_rule", rule.name, rule.name, store.version(rule.name)),
            title=f"{verb} the alert rule {rule.name}: {now.en}",
            diff=f"- {past.en}\n+ {now.en}",
            blast_radius=reach.en,
            undo="Removes the rule again." if before is None else f"Restores {past.en}.",
            verification="The rule is read back and evaluated once.",
            deadline=timedelta(seconds=30),
            warnings=tuple(w.en for w in warnings),
            zh=PlanWords(
                f"{verb_zh}告警规则 {rule.name}：{now.zh}",
                reach.zh,
                "再移除该规则" if before is None else f"恢复为：{past.zh}",
                "读回该规则并求值一次",
                tuple(w.zh for w in warnings),
            ),
            details={"rule": definition(rule), "before": definition(before) if before else None},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Store the rule with the action's id."""
        act.check()
        rule = rule_of(plan.details["rule"])
        RuleStore(world).put(rule.name, rule, act.id)
        act.progress("stored", 1.0)
        said = line(rule)
        zh = f"告警规则 {rule.name} 已设置：{said.zh}。"
        return Outcome(f"The alert rule {rule.name} is set: {said.en}.", zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Read the rule back and evaluate it once."""
        wanted = rule_of(plan.details["rule"])
        found = RuleStore(world).rules().get(wanted.name)
        if found is None or not _same(found, wanted):
            seen = Said("no such rule", "没有该规则") if found is None else line(found)
            return Verdict(
                False,
                f"Read back: {seen.en}.",
                "the rule was changed meanwhile",
                zh=f"读回：{seen.zh}。",
                cause_zh="其间规则被修改",
            )
        reach = effect(world, found)
        return Verdict(True, f"Read back as set. {reach.en}", zh=f"读回与设置一致。{reach.zh}")

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Restore the rule that was there, or remove the new one."""
        before = plan.details["before"]
        if before is None:
            return Call("remove_alert_rule", {"name": plan.target.name})
        return restore(rule_of(before))

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Whether a stored rule carries the action's id."""
        target = plan.target
        return RuleStore(world).happened(target.name, action_id, target.version)


_DEVIATIONS = {"anomaly": 6.0, "peer": 6.0}


def _rule(world: World, args: SetAlertRuleArguments) -> Rule:
    metric = _metric(world, args.metric)
    threshold = args.threshold
    if threshold is None:
        if args.kind not in _DEVIATIONS:
            raise BadArguments(
                f"At which value of {metric} should it alert? Name a threshold.",
                f"{metric} 达到多少时告警？请给出阈值。",
            )
        threshold = _DEVIATIONS[args.kind]
    way = "above" if args.op.startswith(">") else "below"
    suffix = way if args.kind == "threshold" else args.kind
    rule = Rule(
        name=args.name or f"{metric}_{suffix}",
        metric=metric,
        op=args.op,
        threshold=_in_unit(args.metric, metric, args.kind, float(threshold)),
        duration=parse_window(args.duration).total_seconds(),
        kind=args.kind,
        severity=args.severity,
        enabled=args.enabled,
        origin="set by a person",
    )
    _plausible(rule)
    return rule


def _in_unit(asked: str, metric: str, kind: str, threshold: float) -> float:
    """The threshold in the metric's own unit: a latency is said in milliseconds."""
    return threshold / 1000 if _in_milliseconds(asked, metric, kind) else threshold


def _in_milliseconds(asked: str, metric: str, kind: str) -> bool:
    said_plainly = not metrics.normal(asked).endswith(("_seconds", "_s"))
    return kind in ("threshold", "rate") and "latency" in metric and said_plainly


def _metric(world: World, asked: str) -> str:
    known = metrics.find(asked)
    if known is not None:
        return known.name
    if asked in telemetry(world).metrics():
        return asked
    if not metrics.is_plain(asked):
        raise BadArguments(
            f"A rule here takes the name of a metric, not {asked!r}. PromQL belongs into a rule "
            "file of Prometheus (see deploy/prometheus).",
            f"这里的规则使用指标名，而不是 {asked!r}。PromQL 请写入 Prometheus 规则文件"
            "（见 deploy/prometheus）。",
        )
    raise unknown("metric", asked, metrics.names(), "指标")


_SHARES = ("error_ratio", "kv_cache_ratio", "answer_accuracy", "gpu_tensor_active")


def _plausible(rule: Rule) -> None:
    if rule.kind != "threshold":
        return
    if rule.metric in _SHARES and not 0 <= rule.threshold <= 1:
        share = rule.threshold / 100
        raise BadArguments(
            f"{rule.metric} is a share between 0 and 1; for {rule.threshold:g} % say {share:g}.",
            f"{rule.metric} 是 0 到 1 之间的比例；{rule.threshold:g} % 请写 {share:g}。",
        )
    if unit_of(rule.metric) == "%" and not 0 <= rule.threshold <= 100:
        raise BadArguments(
            f"{rule.metric} is a percentage between 0 and 100, not {rule.threshold:g}.",
            f"{rule.metric} 是 0 到 100 的百分比，不能是 {rule.threshold:g}。",
        )


def _warnings(rule: Rule, args: SetAlertRuleArguments) -> tuple[Said, ...]:
    if _in_milliseconds(args.metric, rule.metric, rule.kind):
        return (milliseconds(args.threshold, rule.metric),)
    if rule.kind == "threshold" and unit_of(rule.metric) == "%" and 0 < rule.threshold <= 1:
        return (not_a_share(rule.threshold),)
    return ()


def _same(one: Rule, other: Rule) -> bool:
    return definition(one) | {"origin": ""} == definition(other) | {"origin": ""}
