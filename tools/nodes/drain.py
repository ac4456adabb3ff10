"""Drain: empty a node without breaking a disruption budget."""

from __future__ import annotations

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
from tools.nodes.cordon import NodeArguments
from tools.nodes.find import find_node, planned
from tools.platforms.chinese import in_chinese

if TYPE_CHECKING:
    from tools.world import World


@changing(NodeArguments)
class DrainNode:
    """Drain a node: cordon it and evict its pods, respecting disruption budgets."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "drain {node}",
            "drain node {node}",
            "empty {node} for maintenance",
            "evict all pods from {node}",
            "move everything off {node}",
            "clear the pods from {node}",
            "prepare {node} for maintenance",
            "evacuate node {node}",
            "get all workloads off {node}",
        ),
        zh=(
            "排空节点 {node}",
            "清空节点 {node}",
            "驱逐 {node} 上的所有 Pod",
            "把 {node} 上的负载都移走",
            "drain 节点 {node}",
            "{node} 要维护，先把 Pod 迁走",
        ),
    )

    def plan(self, world: World, args: NodeArguments) -> Plan:
        """Which pods would go, what stays, and what blocks."""
        cluster, node = find_node(world, args.node)
        preview = cluster.drain_preview(node.name)
        evicted = sum(line.startswith("- evict") for line in preview.diff.splitlines())
        loses = any("emptyDir" in warning for warning in preview.warnings)
        return Plan(
            target=Target("node", node.name, node.uid, node.generation),
            title=f"Drain node {node.name} ({evicted} pods, {cluster.name})",
            diff=preview.diff,
            blast_radius=f"{evicted} pods are evicted one by one and start elsewhere",
            undo="uncordon the node; pods that moved stay where they are",
            verification="the node is unschedulable and runs no pod that can be evicted",
            deadline=timedelta(minutes=15),
            risk=Effect.DESTROY if loses else Effect.CHANGE,
            undo_on_failure=False,
            warnings=preview.warnings,
            zh=PlanWords(
                f"排空节点 {node.name}（{evicted} 个 Pod，{cluster.name}）",
                f"逐个驱逐 {evicted} 个 Pod，它们会在别处重新启动",
                "解除该节点的封锁；已迁走的 Pod 留在原处",
                "节点不可调度，且没有可驱逐的 Pod 在运行",
                tuple(map(in_chinese, preview.warnings)),
            ),
            details={"platform": cluster.name, "node": node.name, "pods": evicted},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Cordon, then evict; a budget that allows no eviction now is waited for."""
        cluster, node = planned(world, plan)
        zh = f"节点 {node} 已排空。"
        return Outcome(cluster.drain(node, act), plan.details, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Look until no evictable pod is left on the node."""
        cluster, name = planned(world, plan)
        end = world.clock.now() + plan.deadline
        while True:
            preview = cluster.drain_preview(name)
            left = [line for line in preview.diff.splitlines() if line.startswith("- evict")]
            _, node = find_node(world, f"{cluster.name}/{name}")
            if not left and not node.schedulable:
                empty = f"Node {name} is unschedulable and empty of evictable pods."
                return Verdict(True, empty, zh=f"节点 {name} 不可调度，且已没有可驱逐的 Pod。")
            if world.clock.now() >= end:
                seen = f"Node {name} still runs {len(left)} pods that should have gone."
                why = "; ".join(preview.warnings)[:200] or "still draining"
                return Verdict(
                    False,
                    seen,
                    why,
                    zh=f"节点 {name} 上仍有 {len(left)} 个 Pod 未退出。",
                    cause_zh="；".join(map(in_chinese, preview.warnings))[:200] or "仍在排空",
                )
            act.check()
            world.clock.sleep(1.0)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Let the node take pods again."""
        return Call("uncordon_node", {"node": plan.target.name})

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Does the node carry the action's id? The eviction may be incomplete; it can resume."""
        cluster, node = planned(world, plan)
        return cluster.node_happened(node, action_id)
